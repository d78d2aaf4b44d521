import assert from "node:assert/strict";
import { explore, formatPlan, type PlanKind } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { suites } from "../replicator/suites.ts";

const FOLLOWS = "what follows namespaces: one that appears, one that is relabelled in and out, one that goes";

/** Explores all plans of these kinds of one scenario; returns those that fail. */
async function failing(scenario: string, kinds: readonly PlanKind[], plansMin: number): Promise<unknown[]> {
  const planned = planRun([...suites]).find((each) => each.scenario.name === scenario);
  const options = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal, kinds };
  const { failures, explored, problem } = await explore(planned!, options);
  assert.equal(problem, undefined);
  assert.ok(explored >= plansMin, `${explored} plans`);
  return failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]);
}

// FR-507
Deno.test("no stale view brings the copies of a deleted Replication back", async () => {
  const scenario = "a Secret is copied to every matching namespace, marked, labelled, and to no other";
  assert.deepEqual(await failing(scenario, ["stale"], 50), []);
});

// FR-507
Deno.test("no stale view of a suspended Replication writes copies", async () => {
  assert.deepEqual(await failing("suspend leaves everything as it is, and going on catches up", ["stale"], 50), []);
});

// FR-507
Deno.test("no stale view of a Replication that was made again claims copies for the one that is gone", async () => {
  assert.deepEqual(await failing("copies of a Replication that was made again are its copies", ["stale"], 50), []);
});

// FR-507
Deno.test("no stale view of a source or a namespace deletes a copy that stays", async () => {
  for (const scenario of ["an immutable source gives immutable copies, and its successor replaces them", FOLLOWS]) {
    assert.deepEqual(await failing(scenario, ["stale"], 50), []);
  }
});

// FR-520
Deno.test("no stale view of a namespace writes where consent was withdrawn", async () => {
  assert.deepEqual(await failing("consent that is withdrawn stops writes and deletes nothing", ["stale"], 50), []);
});

// FR-517
Deno.test("a copy whose addition and change were lost is restored after the relist", async () => {
  for (
    const change of ["a copy that is deleted comes back", "a copy edited by hand (our annotations removed) is restored"]
  ) {
    assert.deepEqual(await failing(change, ["hidden"], 5), []);
  }
});

// FR-519
Deno.test("the status of a Replication without a source does not depend on what was there before", async () => {
  const scenario = "of a source that is deleted, with deletionPolicy Delete, the copies go";
  assert.deepEqual(await failing(scenario, ["stale"], 20), []);
});

// FR-502
Deno.test("an operator that dies while it starts is started again", async () => {
  assert.deepEqual(await failing("copies of a Replication that was made again are its copies", ["late"], 5), []);
});
