import assert from "node:assert/strict";
import { Journal, type JournalEntry, journalKey } from "../../lib/controller/journal.ts";
import { TemporaryError } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { requeueAfter } from "../../lib/handling/mod.ts";
import { ConfigMap, Operator, Secret } from "../../lib/operator/mod.ts";
import { HOME_KEY, homeWidget, widgetKind } from "../widget.ts";
import { VirtualWorld } from "../virtual_world.ts";

const Widget = widgetKind("passjournal");
const { createWidget, patchWidget } = homeWidget(Widget);
const KEY = journalKey("widgets.passjournal.test.pintle.dev", HOME_KEY);

const CHANGED = /^changed widgets\.passjournal\.test\.pintle\.dev home\/w@\d+$/;

function lastOf(journal: Journal): JournalEntry {
  return journal.of(KEY)!.entries.at(-1)!;
}

// FR-510
Deno.test("a reconcile is explained: why it ran, what it read and wrote, and when the next is due", async () => {
  const journal = new Journal(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply, status, client, cached, namespace }) => {
    await client.find(Secret, { namespace, name: "absent" });
    cached(ConfigMap).get({ namespace, name: "w" });
    await apply(ConfigMap, { data: { size: `${spec.size}` } });
    status.set({ phase: "Applied", size: spec.size });
    return requeueAfter("1m");
  }, { owns: [ConfigMap] });
  await using world = await VirtualWorld.open(operator, { journal });
  await createWidget(world, { size: 1 });
  const [first] = journal.of(KEY)!.entries;
  assert.match(first!.reasons[0]!, CHANGED);
  assert.deepEqual(first!.reads.map(({ object, from, version }) => [object, from, version === null]), [
    ["widgets.passjournal.test.pintle.dev home/w", "cache", false],
    ["secrets home/absent", "server", true],
    ["configmaps home/w", "cache", true],
  ]);
  assert.deepEqual(first!.writes.map(({ verb, plural, subresource, isNew }) => [verb, plural, subresource, isNew]), [
    ["apply", "configmaps", undefined, true],
    ["apply", "widgets", "status", false],
  ]);
  await patchWidget(world, { spec: { size: 2 } });
  const last = journal.of(KEY)!.entries.findLast(({ writes }) => writes.length > 0)!;
  assert.match(last.reasons[0]!, CHANGED);
  const [child, status] = last.writes;
  assert.deepEqual(child!.changes, [{ operation: "change", path: ["data", "size"], old: "1", next: "2" }]);
  assert.deepEqual(
    status!.changes!.filter(({ path }) => path[1] === "size" || path[1] === "observedGeneration"),
    [
      { operation: "change", path: ["status", "observedGeneration"], old: 1, next: 2 },
      { operation: "change", path: ["status", "size"], old: 1, next: 2 },
    ],
  );
  assert.notEqual(status!.before, status!.version);
  assert.equal(last.result, "requeue_after");
  assert.deepEqual(last.next, { atMs: last.startMs + last.durationMs + 60_000, reason: "requeue" });
  assert.equal(world.running.present("widgets.passjournal.test.pintle.dev", HOME_KEY)!.phase, "converging");
  await world.advance(60_000);
  assert.deepEqual(lastOf(journal).reasons, ["requeue"]);
  assert.deepEqual(lastOf(journal).writes, [], "there was nothing to change");
});

// FR-510
Deno.test("a failing reconcile shows its error, its failures in a row, and its retry", async () => {
  const journal = new Journal(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {
    throw new TemporaryError("the database is away");
  });
  await using world = await VirtualWorld.open(operator, { journal });
  await createWidget(world);
  const first = journal.of(KEY)!.entries[0]!;
  assert.deepEqual([first.result, first.failures, first.next!.reason], ["error", 1, "retry"]);
  assert.match(first.error!, /the database is away/);
  await world.advance(5_000, 500);
  const later = lastOf(journal);
  assert.ok(later.failures > 1 && later.reasons.includes("retry"), JSON.stringify(later));
  assert.equal(world.running.present("widgets.passjournal.test.pintle.dev", HOME_KEY)!.next!.reason, "retry");
});

// FR-511
Deno.test("values of Secrets are masks in the journal, and a refused write is in it with the reason", async () => {
  const journal = new Journal(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply, client, namespace }) => {
    await apply(Secret, { stringData: { password: `hidden-value-${spec.size}` } } as never);
    const metadata = { namespace, name: "Not A Name" };
    await client.create<KubeObject>(ConfigMap, { metadata } as KubeObject).catch(() => {});
  }, { owns: [Secret] });
  await using world = await VirtualWorld.open(operator, { journal });
  await createWidget(world, { size: 1 });
  await patchWidget(world, { spec: { size: 2 } });
  const entries = journal.of(KEY)!.entries, text = JSON.stringify(entries);
  for (const value of ["hidden-value-1", "hidden-value-2", btoa("hidden-value-1"), btoa("hidden-value-2")]) {
    assert.ok(!text.includes(value), text);
  }
  const changed = entries.flatMap(({ writes }) => writes).find(({ plural, before }) => plural === "secrets" && before);
  assert.deepEqual(changed!.changes, [
    { operation: "change", path: ["data", "password"], old: "******** (before)", next: "******** (after)" },
  ]);
  const refused = entries[0]!.writes.find(({ plural }) => plural === "configmaps")!;
  assert.match(refused.error!, /Not A Name/);
});

// FR-510
Deno.test("a reconcile that another object caused names it", async () => {
  const journal = new Journal(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ watch, namespace }) => {
    await watch(ConfigMap, { namespace, name: "settings" });
  }, {
    watches: [{
      resource: Secret,
      labelSelector: "widget",
      map: ({ object }) => [{ namespace: object.metadata!.namespace!, name: "w" }],
    }],
  });
  await using world = await VirtualWorld.open(operator, { journal });
  await createWidget(world);
  await world.advance(1_000);
  await world.client.create<KubeObject>(Secret, {
    metadata: { namespace: "home", name: "key", labels: { widget: "yes" } },
  } as KubeObject);
  await world.advance(1_000);
  assert.deepEqual(lastOf(journal).reasons, ["mapped secrets home/key"]);
  await world.client.create<KubeObject>(ConfigMap, { metadata: { namespace: "home", name: "settings" } } as KubeObject);
  await world.advance(1_000);
  assert.deepEqual(lastOf(journal).reasons, ["dependency configmaps home/settings"]);
});
