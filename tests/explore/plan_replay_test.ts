import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { EmbeddedSource, Suite } from "../../lib/harness/mod.ts";
import {
  explore,
  formatPlan,
  parsePlan,
  type PlanKind,
  type PlanReplay,
  type PlanReplayOptions,
  replayPlan,
} from "../../lib/explore/mod.ts";
import { realKubeconfig, testSource } from "../cluster.ts";
import { testWith } from "../outside_program.ts";
import { BUGS } from "./corpus.ts";

let runs = 0;

function replayed(suite: Suite, plan: string, options: Partial<PlanReplayOptions> = {}): Promise<PlanReplay> {
  const clock = new SystemClock();
  return replayPlan({ suite, scenario: suite.scenarios[0]! }, parsePlan(plan)!, {
    source: testSource(),
    clock,
    seed: 1,
    runId: `replay-${clock.now().toString(36)}-${runs++}`,
    waitMsMax: { simulated: 60_000, real: 20_000 },
    signal: new AbortController().signal,
    ...options,
  });
}

/**
 * Planted bugs, and what the first plan of a kind that fails in the simulation shows of them. None of the kind
 * `hidden`: which event of an object comes second depends on real time.
 */
const FAILING: readonly { readonly bug: string; readonly kind: PlanKind; readonly finding: RegExp }[] = [
  { bug: "second_certificate", kind: "crash", finding: /^Secret run-home\/www-tls-internal is missing$/ },
  {
    bug: "conflict_swallowed",
    kind: "errors",
    finding: /^ConfigMap run-home\/r-table data\.path: "\/" instead of "\/shop"$/,
  },
  {
    bug: "port_deletes_service",
    kind: "stale",
    finding: /^the operator deleted services run-home\/t, which it keeps without a fault$/,
  },
];

/** The first plan under which a suite fails in the simulation. */
async function failingPlan(suite: Suite, kind: PlanKind): Promise<string> {
  const { signal } = new AbortController(),
    options = { seed: 1, waitMsMax: 60_000, signal, kinds: [kind], failuresMax: 1 };
  const { failures } = await explore({ suite, scenario: suite.scenarios[0]! }, options);
  return formatPlan(failures[0]!.plan);
}

for (const { bug, kind, finding } of FAILING) {
  const { buggy, fixed } = BUGS.find(({ name }) => name === bug)!;
  testWith(
    // In real time, so only where a real control plane is the purpose.
    realKubeconfig ? undefined : "no real control plane",
    // FR-533
    `a plan (${kind}) fails on a real control plane for the planted bug ${bug} as in the simulation, and passes when it is fixed`,
    async () => {
      const plan = await failingPlan(buggy, kind), failed = await replayed(buggy, plan);
      assert.deepEqual([failed.problem, failed.missed], [undefined, []], plan);
      assert.ok(failed.findings.some((each) => finding.test(each)), `${plan}\n${failed.findings.join("\n")}`);
      const { problem, missed, findings } = await replayed(fixed, plan);
      assert.deepEqual({ problem, missed, findings }, { problem: undefined, missed: [], findings: [] }, plan);
    },
  );
}

// FR-533
Deno.test("a plan that sets the clock is refused before a cluster is opened", async () => {
  const source = { ...new EmbeddedSource(), isolated: true, open: () => assert.fail("it is opened") };
  const { buggy } = BUGS[0]!;
  await assert.rejects(
    replayed(buggy, "write:1:clock:3600000", { source }),
    /^UsageError: plans that set the clock, change specs, lose a bookmark or have a fault in the suite's world run in the simulation only$/,
  );
});

// FR-533
Deno.test("a plan whose write the scenario does not have, and a scenario that fails, are no replay", async () => {
  const { buggy } = BUGS.find(({ name }) => name === "second_certificate")!;
  await assert.rejects(
    replayed(buggy, "write:99:crash:before"),
    /^UsageError: with this seed the scenario has no write 99: it has 1 to \d+$/,
  );
  const broken = new Suite("broken", (await buggy.open()).operator).scenario("it breaks", () => {
    throw new Error("it broke");
  });
  assert.match((await replayed(broken, "write:1:crash:before")).problem!, /^it fails without a fault: it broke/);
});
