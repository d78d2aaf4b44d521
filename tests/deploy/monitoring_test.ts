import assert from "node:assert/strict";
import { parse } from "yaml";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { Metrics } from "../../lib/health/metrics.ts";

const FOLDER = new URL("../../deploy/components/monitoring/", import.meta.url);
const read = (name: string) => Deno.readTextFile(new URL(name, FOLDER));

/** Words of PromQL that are no metric. */
const PROMQL = new Set([
  "absent",
  "by",
  "histogram_quantile",
  "increase",
  "max",
  "rate",
  "sum",
]);

interface Query {
  readonly where: string;
  readonly expr: string;
}

/** Names that a query asks for: identifiers that are neither PromQL nor within braces, brackets or a `by (…)`. */
function namesIn(expr: string): string[] {
  const bare = expr.replaceAll(/\{[^}]*\}|\[[^\]]*\]|\bby\s*\([^)]*\)/g, " ");
  return [...bare.matchAll(/[a-zA-Z_:][\w:]*/g)].map(([name]) => name).filter((name) => !PROMQL.has(name));
}

/** Every name, with its labels, that a scrape can have: of a replica of one controller with leader election. */
async function served(): Promise<Map<string, Set<string>>> {
  const metrics = new Metrics(new VirtualClock());
  metrics.controllers(() => [{ name: "a", depth: 0, workingSinceMs: [], workersMax: 1 }]);
  metrics.leadership("a", () => true);
  metrics.watches(() => [{ resource: "b", objects: 1, stalenessMs: 1, relists: 0, reconnects: 0 }]);
  metrics.request({ verb: "get", code: 200, durationMs: 1 });
  const observer = metrics.observer("a");
  observer.queue.added();
  observer.queue.taken(1);
  observer.queue.done(1);
  observer.queue.retried();
  observer.passStarted();
  observer.passEnded("success", 1, 1);
  observer.passStarted();
  observer.passEnded("error", 1, 1);
  observer.passStarted();
  observer.passEnded("failed", 1, 1);
  observer.hot("k", true);
  const { body } = await metrics.scrape();
  const names = new Map<string, Set<string>>();
  for (const [, name, labels = ""] of body.matchAll(/^([a-z_]\w*)(?:\{([^}]*)\})? /gm)) {
    const known = names.get(name!) ?? new Set();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label!);
    names.set(name!, known);
  }
  return names;
}

async function queries(): Promise<Query[]> {
  const rules = parse(await read("rules.yaml")) as {
    spec: { groups: { rules: { alert: string; expr: string }[] }[] };
  };
  const dashboard = JSON.parse(await read("dashboard.json")) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  return [
    ...rules.spec.groups.flatMap((group) => group.rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr }))),
    ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: `panel ${title}`, expr }))),
  ];
}

// FR-192
Deno.test("every query of the alerts and of the dashboard names metrics that are served", async () => {
  const known = await served(), asked = new Set<string>();
  for (const { where, expr } of await queries()) {
    const names = namesIn(expr);
    assert.ok(names.length > 0, `${where} asks for nothing: ${expr}`);
    for (const name of names) {
      assert.ok(known.has(name), `${where} asks for ${name}, which is not served`);
      asked.add(name);
    }
  }
  assert.ok(asked.size >= 15, `only ${asked.size} metrics are looked at`);
});

// FR-192
Deno.test("every label that a query groups by is one that its metrics have", async () => {
  const known = await served(), ofTheScrape = new Set(["namespace", "pod", "job"]);
  for (const { where, expr } of await queries()) {
    const has = new Set(namesIn(expr).flatMap((name) => [...known.get(name) ?? []]));
    for (const [, list] of expr.matchAll(/\bby\s*\(([^)]*)\)/g)) {
      for (const label of list!.split(",").map((each) => each.trim())) {
        assert.ok(has.has(label) || ofTheScrape.has(label), `${where} groups by ${label}, which ${expr} does not have`);
      }
    }
  }
});

Deno.test("there is an alert for a stale watch, failing and hot reconciles, and a missing leader, each with its words", async () => {
  const { spec } = parse(await read("rules.yaml")) as {
    spec: { groups: { rules: { alert: string; annotations: { summary: string }; labels: { severity: string } }[] }[] };
  };
  const rules = spec.groups.flatMap((group) => group.rules), alerts = rules.map(({ alert }) => alert);
  for (const wanted of ["PintleWatchStale", "PintleReconcilesFail", "PintleReconcilesHot", "PintleNoLeader"]) {
    assert.ok(alerts.includes(wanted), wanted);
  }
  for (const { alert, annotations, labels } of rules) {
    assert.ok(annotations.summary.length > 20 && ["warning", "critical"].includes(labels.severity), alert);
  }
});
