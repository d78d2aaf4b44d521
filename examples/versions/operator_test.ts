import assert from "node:assert/strict";
import { checkConversion, denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Bucket, operator } from "./operator.ts";

export const suite: Suite = new Suite("versions", operator);
/** The same kind, as a client of before asks for it. */
const BucketV1 = { ...Bucket, version: "v1" };
const bucket = (version: string, spec: object) => ({
  apiVersion: `examples.pintle.dev/${version}`,
  kind: "Bucket",
  metadata: { name: "b" },
  spec,
});

suite.scenario("a bucket of v1 is handled as v2, and its status shows in both", async (scenario) => {
  const { when, then, cluster, expect, ref } = scenario;
  await when("a client of v1 makes one", () => cluster.createManifest(bucket("v1", { size: "2Ti" })));
  await then("the handler has seen v2", () => expect(ref(Bucket, "b")).toMatch({ status: { gibibytes: 2048 } }));
  await then("v1 shows it too", () => expect(ref(BucketV1, "b")).toMatch({ status: { gibibytes: 2048 } }));
  const { spec } = await cluster.client.get(Bucket, { name: "b", namespace: cluster.namespace });
  assert.deepEqual(spec, { size: { amount: 2, unit: "Ti" }, tier: "warm" });
});

// FR-254
suite.scenario("a client of v1 changes a bucket of v2, and the tier that v1 does not know stays", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario;
  const size = { amount: 1, unit: "Gi" }, key = { name: "b", namespace: cluster.namespace };
  await given("a cold bucket", () => cluster.createManifest(bucket("v2", { size, tier: "cold" })));
  await expect(ref(Bucket, "b")).toMatch({ status: { gibibytes: 1 } });
  await when("a client of v1 reads it, changes it and writes it back", async () => {
    const read = await cluster.client.get(BucketV1, key) as unknown as ReturnType<typeof bucket>;
    await cluster.client.replace(BucketV1, { ...read, spec: { size: "5Gi" } } as never);
  });
  await then(
    "it is larger, and as cold as before",
    () => expect(ref(Bucket, "b")).toMatch({ spec: { size: { amount: 5, unit: "Gi" }, tier: "cold" } }),
  );
});

suite.scenario("what v1 cannot be is refused in v1", async ({ then, cluster }) => {
  await then(
    "it is refused",
    () => assert.rejects(cluster.createManifest(bucket("v1", { size: "2Mi" })), /spec\.size/),
  );
});

Deno.test("versions: v1 cannot say the tier, and nothing else is lost by the way", () => {
  const size = { amount: 3, unit: "Ti" };
  const losses = checkConversion(Bucket, [
    { version: "v1", spec: { size: "10Gi" } },
    { version: "v2", spec: { size, tier: "warm" }, status: { gibibytes: 3072 } },
    { version: "v2", spec: { size, tier: "cold" } },
  ]);
  assert.deepEqual(losses.map(({ through, field }) => `${field} by way of ${through}`), ["spec.tier by way of v1"]);
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
