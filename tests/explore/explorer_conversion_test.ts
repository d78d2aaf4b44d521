import assert from "node:assert/strict";
import { Suite } from "@pintle/pintle/testing";
import { Bucket, operator } from "../../examples/versions/operator.ts";
import { explore, formatPlan } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";

// FR-504
Deno.test("a scenario that reads a kind waits while a crash keeps its conversion webhook down", async () => {
  const suite = new Suite("buckets", operator);
  suite.scenario("v1 and v2 show a bucket's size", async ({ given, then, cluster, expect, ref }) => {
    const metadata = { name: "b" }, v1 = { ...Bucket, version: "v1" };
    await given(
      "a bucket",
      () =>
        cluster.createManifest({
          apiVersion: "examples.pintle.dev/v1",
          kind: "Bucket",
          metadata,
          spec: { size: "2Ti" },
        }),
    );
    await then("v2 shows it", () => expect(ref(Bucket, "b")).toMatch({ status: { gibibytes: 2048 } }));
    await then("so does v1", () => expect(ref(v1, "b")).toMatch({ status: { gibibytes: 2048 } }));
  });
  const { failures, explored, problem } = await explore(planRun([suite])[0]!, {
    seed: 7,
    waitMsMax: 600_000,
    signal: new AbortController().signal,
    kinds: ["crash", "stale"],
  });
  assert.equal(problem, undefined);
  assert.ok(explored > 3, `${explored} plans`);
  assert.deepEqual(failures.map(({ plan, findings }) => [formatPlan(plan), findings[0]!.message]), []);
});
