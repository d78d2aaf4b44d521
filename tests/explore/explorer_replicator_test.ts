import assert from "node:assert/strict";
import { explore, formatPlan } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { replication } from "../replicator/replication_scenarios.ts";

// FR-507
Deno.test("no stale view brings the copies of a deleted Replication back", async () => {
  const [planned] = planRun([replication]);
  const { failures, explored, problem } = await explore(planned!, {
    seed: 7,
    waitMsMax: 600_000,
    signal: new AbortController().signal,
    kinds: ["stale"],
  });
  assert.equal(problem, undefined);
  assert.ok(explored > 50, `${explored} plans`);
  assert.deepEqual(failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]), []);
});
