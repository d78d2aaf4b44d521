import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { z } from "zod";
import { explore, formatPlan, parsePlan, PLAN_KINDS } from "../../lib/explore/mod.ts";
import { networkFaults } from "../../lib/explore/plan.ts";
import type { NetworkFaults } from "../../lib/explore/simulated_cluster.ts";
import { prepare, runSimulated } from "../../lib/explore/simulated_run.ts";
import { planRun, Suite } from "../../lib/harness/mod.ts";
import { ConfigMap, defineResource, Operator } from "../../lib/operator/mod.ts";
import { BUGS, CORRECT } from "./corpus.ts";

const Stamped = defineResource({
  group: "stamps.example.com",
  version: "v1",
  kind: "Stamped",
  plural: "stamped",
  spec: z.object({}),
  status: z.object({ at: z.string().optional() }),
});
const OPTIONS = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal };
/** One planted bug for each kind of plan that shows one. */
const SHOWN = {
  crash: "second_certificate",
  stale: "port_deletes_service",
  hidden: "off_and_on_unseen",
  events: "settings_seen_late",
  errors: "secret_in_event",
  foreign: "conflict_overwrites",
  late: "backup_taken_twice",
  clock: "clock_set_back",
  specs: "all_ready_gate",
} as const;
/** A sample of a fixed twin's plans: all of them take minutes. */
const FIXED_PLANS_MAX = 25;

for (const [kind, name] of Object.entries(SHOWN) as [keyof typeof SHOWN, string][]) {
  // FR-502, FR-523
  Deno.test(`plans of kind ${kind} find the planted bug ${name}, and nothing in its fixed twin`, async () => {
    const bug = BUGS.find((each) => each.name === name)!;
    const found = await explore(planRun([bug.buggy])[0]!, { ...OPTIONS, kinds: [kind], failuresMax: 1 });
    assert.equal(found.problem, undefined);
    assert.equal(found.failures.length, 1);
    const fixed = await explore(planRun([bug.fixed])[0]!, { ...OPTIONS, kinds: [kind], plansMax: FIXED_PLANS_MAX });
    assert.deepEqual(fixed.failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]), []);
  });
}

for (const kind of ["foreign", "late"] as const) {
  // FR-502
  Deno.test(`no other single fault than one of kind ${kind} finds ${SHOWN[kind]}`, async () => {
    const bug = BUGS.find(({ name }) => name === SHOWN[kind])!;
    const kinds = PLAN_KINDS.filter((each) => each !== kind && each !== "pairs" && each !== "specs");
    const { failures, explored } = await explore(planRun([bug.buggy])[0]!, { ...OPTIONS, kinds });
    assert.deepEqual(failures.map(({ plan }) => formatPlan(plan)), []);
    assert.ok(explored > 20, `${explored} plans`);
  });
}

// FR-502
Deno.test("a plan counts once, however many runs find its shortest part that fails", async () => {
  const bug = BUGS.find(({ name }) => name === SHOWN.crash)!;
  const { explored, failures, generated, pruned } = await explore(planRun([bug.buggy])[0]!, {
    ...OPTIONS,
    kinds: ["pairs"],
  });
  assert.ok(failures.length > 0 && explored + (pruned.get("already failed") ?? 0) <= Math.min(40, generated));
});

// FR-502
Deno.test("a plan of a failure finds it again by its name, with the same requests", async () => {
  const bug = BUGS.find(({ name }) => name === SHOWN.crash)!, planned = planRun([bug.buggy])[0]!;
  const [failure] = (await explore(planned, { ...OPTIONS, kinds: ["crash"], failuresMax: 1 })).failures;
  const name = formatPlan(failure!.plan), plan = parsePlan(name);
  assert.deepEqual(plan, failure!.plan);
  const again = await explore(planned, { ...OPTIONS, plan });
  assert.deepEqual(again.failures[0]!.run.trace.requests, failure!.run.trace.requests);
  assert.deepEqual(again.failures[0]!.findings, failure!.findings);
});

// FR-525
Deno.test("of a failing plan of three faults the one that matters is shown", async () => {
  const bug = BUGS.find(({ name }) => name === SHOWN.crash)!, planned = planRun([bug.buggy])[0]!;
  const [failure] = (await explore(planned, { ...OPTIONS, kinds: ["crash"], failuresMax: 1 })).failures;
  const plan = parsePlan(`event:1:repeat+${formatPlan(failure!.plan)}+event:2:repeat`)!;
  const { failures } = await explore(planned, { ...OPTIONS, plan });
  assert.deepEqual(failures.map(({ plan }) => formatPlan(plan)), [formatPlan(failure!.plan)]);
});

// FR-526
Deno.test("an operator that never gets the bookmark of a list lists again, and ends as without the fault", async () => {
  const planned = planRun([CORRECT[0]!])[0]!, plan = parsePlan("bookmark:1:lose")!;
  const { trace, failures, explored } = await explore(planned, { ...OPTIONS, plan });
  assert.deepEqual([formatPlan(plan), explored, failures], ["bookmark:1:lose", 1, []]);
  const { watch } = trace!.bookmarks[0]!, prepared = await prepare(planned, OPTIONS);
  const watches = async (faults?: NetworkFaults) => {
    const run = await runSimulated(planned, { ...OPTIONS, prepared, faults });
    return run.trace.requests.filter(({ target, path }) => target?.verb === "watch" && path.split("?")[0] === watch)
      .filter(({ atMs }) => atMs < 60_000).length;
  };
  assert.equal(await watches(networkFaults(plan)), await watches() + 1);
});

for (const suite of CORRECT) {
  // FR-504, FR-523
  Deno.test(`no crash and no change of another client is an alarm for the correct operator of ${suite.name}`, async () => {
    const { problem, failures } = await explore(planRun([suite])[0]!, {
      ...OPTIONS,
      kinds: ["crash", "foreign"],
      plansMax: FIXED_PLANS_MAX,
    });
    assert.equal(problem, undefined);
    assert.deepEqual(failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]), []);
  });
}

// FR-522
Deno.test("no error is an alarm for a correct operator that tries again five minutes later", async () => {
  const suite = CORRECT.find(({ name }) => name === "released_records")!;
  const { problem, explored, failures } = await explore(planRun([suite])[0]!, { ...OPTIONS, kinds: ["errors"] });
  assert.deepEqual([problem, failures.map(({ plan }) => formatPlan(plan))], [undefined, []]);
  assert.ok(explored > 10, `${explored} plans`);
});

// FR-561
Deno.test("an operator that learns of a deletion late is in no hot loop meanwhile", async () => {
  const suite = CORRECT.find(({ name }) => name === "retries_create_more")!, plan = parsePlan("event:9:delay:10000")!;
  const { explored, failures } = await explore(planRun([suite])[0]!, { ...OPTIONS, plan });
  assert.deepEqual([explored, failures.map(({ findings }) => findings)], [1, []]);
});

// FR-562
Deno.test("what an operator writes at each start without a fault is named, and is no failure", async () => {
  const suiteOf = (stamps: boolean) => {
    const suite = new Suite("stamps", () => {
      const operator = new Operator("stamps");
      operator.on(Stamped).reconcile(({ object, status }) =>
        status.set({ at: stamps || !object.status?.at ? new Date().toISOString() : object.status.at })
      );
      return operator;
    });
    return suite.scenario("it has a time", async ({ cluster, expect, ref }) => {
      await cluster.create(Stamped, { metadata: { name: "a" }, spec: {} });
      await expect(ref(Stamped, "a")).toHaveCondition("Ready");
    });
  };
  for (const [stamps, writes] of [[true, ["patch stamped/status run-home/a"]], [false, []]] as const) {
    const explored = await explore(planRun([suiteOf(stamps)])[0]!, { ...OPTIONS, kinds: ["late"] });
    assert.deepEqual([explored.problem, explored.failures.length, explored.restartWrites], [undefined, 0, writes]);
  }
});

// FR-587
Deno.test("after a stale view a watch may show a deletion before another one shows an addition from before it", async () => {
  const { buggy, fixed } = BUGS.find(({ name }) => name === "copies_unseen")!;
  const found = await explore(planRun([buggy])[0]!, { ...OPTIONS, kinds: ["stale"], failuresMax: 1 });
  assert.match(found.failures[0]!.findings[0]!.message, /ConfigMap .* should not exist/);
  const { failures } = await explore(planRun([fixed])[0]!, { ...OPTIONS, kinds: ["stale"] });
  assert.deepEqual(failures, []);
});

// FR-585
Deno.test("an operator that draws what no simulation controls is named by what two runs of one seed differ in", async () => {
  const stamped = (draw: () => number) => {
    const suite = new Suite("stamps", () => {
      const operator = new Operator("stamps");
      operator.on(Stamped).reconcile(({ object, status }) => status.set({ at: object.status?.at ?? `${draw()}` }));
      return operator;
    });
    return suite.scenario("it has a number", async ({ cluster, expect, ref }) => {
      await cluster.create(Stamped, { metadata: { name: "a" }, spec: {} });
      await expect(ref(Stamped, "a")).toHaveCondition("Ready");
    });
  };
  const warningsOf = async (draw: () => number) =>
    (await explore(planRun([stamped(draw)])[0]!, { ...OPTIONS, kinds: ["late"] })).warnings;
  assert.deepEqual(await warningsOf(() => randomInt(1e9)), [
    "what makes two runs of one seed differ in Stamped run-home/a",
  ]);
  assert.deepEqual(await warningsOf(() => Math.random()), []);
});

// FR-501
Deno.test("a scenario that fails without a fault is reported before any plan runs", async () => {
  const suite = new Suite("broken", () => {
    const operator = new Operator("broken");
    operator.on(ConfigMap).event(() => {});
    return operator;
  });
  suite.scenario("it fails", () => Promise.reject(new Error("no such thing")));
  const { problem, explored } = await explore(planRun([suite])[0]!, OPTIONS);
  assert.match(problem!, /fails without a fault: .*no such thing/);
  assert.equal(explored, 0);
});

// FR-502
Deno.test("writes to a kind named Review have plans; access reviews, which only ask, have none", async () => {
  const Review = defineResource({
    group: "shop.example.com",
    version: "v1",
    kind: "Review",
    spec: z.object({ stars: z.int() }),
    status: z.object({ seen: z.int().optional() }),
  });
  const suite = new Suite("reviews", () => {
    const operator = new Operator("reviews");
    operator.on(Review).reconcile(({ spec, status }) => status.set({ seen: spec.stars }));
    return operator;
  });
  suite.scenario("a review is seen", async ({ cluster, expect, ref }) => {
    await cluster.create(Review, { metadata: { name: "good" }, spec: { stars: 5 } });
    await expect(ref(Review, "good")).toMatch({ status: { seen: 5 } });
  });
  const { problem, failures, explored } = await explore(planRun([suite])[0]!, { ...OPTIONS, kinds: ["crash"] });
  assert.deepEqual([problem, failures], [undefined, []]);
  assert.equal(explored, 3, "before its status is written, unanswered and answered");
});

// FR-536
Deno.test("a plan for a write, event, call or version that the scenario lacks is no success", async () => {
  const planned = planRun([BUGS.find(({ name }) => name === SHOWN.crash)!.fixed])[0]!;
  const missing = {
    "write:99:late": /no write 99: it has 1 to \d+$/,
    "event:99:hide": /no event 99: it has 1 to \d+$/,
    "call:1:crash": /no call 1: it has none$/,
    "bookmark:99:lose": /no bookmark 99: it has 1 to \d+$/,
    "revision:99:shows:98": /no revision 99: it has \d+ to \d+$/,
    "write:1:late+write:99:late": /no write 99: it has 1 to \d+$/,
  };
  for (const [name, expected] of Object.entries(missing)) {
    const { problem, planFix, explored } = await explore(planned, { ...OPTIONS, plan: parsePlan(name) });
    assert.match(problem!, expected);
    assert.deepEqual([explored, /`test --explore`/.test(planFix!)], [0, true], name);
  }
});

// FR-502
Deno.test("only the name of a plan is read as one", () => {
  for (
    const text of ["", "write", "write:0:late", "write:1:sleep", "event:1:crash:before", "revision:5:shows", "x:1:y"]
  ) {
    assert.equal(parsePlan(text), undefined, text);
  }
  assert.equal(parsePlan("write:1:late+event:2:hide")?.kind, "pairs");
});
