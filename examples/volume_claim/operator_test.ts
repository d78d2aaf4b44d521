import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { PersistentVolumeClaim } from "@pintle/pintle";
import { testSource } from "../../tests/cluster.ts";
import { EphemeralVolumeClaim, operator, planOf } from "./operator.ts";

export const suite: Suite = new Suite("volume claim", operator);
const evc = (spec: { gibibytes: number; storageClass?: string }, labels: Record<string, string> = {}) => ({
  metadata: { name: "scratch", labels },
  spec,
});
const storage = (size: string) => ({ spec: { resources: { requests: { storage: size } } } });

suite.scenario("a claim follows the size and the labels of its object, and goes with it", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario;
  const owner = ref(EphemeralVolumeClaim, "scratch"), claim = ref(PersistentVolumeClaim, "scratch");
  await given(
    "one gibibyte for a shop",
    () => cluster.create(EphemeralVolumeClaim, evc({ gibibytes: 1 }, { app: "shop" })),
  );
  const first = await then("there is a claim", () => expect(claim).toMatch(storage("1Gi")));
  assert.equal(first.metadata?.labels?.app, "shop");
  await when("the label changes", () => cluster.patch(owner, { metadata: { labels: { app: null, tier: "gold" } } }));
  await then(
    "the claim's labels follow",
    () => expect(claim).toMatch({ metadata: { uid: first.metadata!.uid!, labels: { app: undefined, tier: "gold" } } }),
  );
  await when("two gibibytes are asked for", () => cluster.patch(owner, { spec: { gibibytes: 2 } }));
  await then("the claim has them", () => expect(claim).toMatch(storage("2Gi")));
  await then("all is well", () => expect(owner).toHaveCondition("Ready"));
  await when("the object is deleted", () => cluster.delete(owner));
  await then("so is the claim", () => expect(claim).toBeGone());
});

suite.scenario("a size that is none is refused by the server, and the field is named", async ({ then, cluster }) => {
  for (const gibibytes of [0, "lots", 1.5]) {
    await then(
      `${gibibytes} is refused`,
      () =>
        assert.rejects(
          cluster.create(EphemeralVolumeClaim, evc({ gibibytes: gibibytes as number })),
          /spec\.gibibytes/,
        ),
    );
  }
});

suite.scenario("killed between the two halves of a replacement, the next one finishes it", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario;
  const owner = ref(EphemeralVolumeClaim, "scratch"), claim = ref(PersistentVolumeClaim, "scratch");
  await given("a claim of one gibibyte", async () => {
    await cluster.create(EphemeralVolumeClaim, evc({ gibibytes: 1 }));
    await expect(owner).toHaveCondition("Ready");
    await operator.crash();
  });
  await when("another size is asked for, and the operator dies as soon as the claim is deleted", async () => {
    await cluster.patch(owner, { spec: { gibibytes: 3 } });
    await operator.inProcess.start({ fault: ({ method }) => method === "DELETE" ? "dieAfter" : "pass" });
    await operator.inProcess.idleThenCrash();
  });
  await when("the next one starts", () => operator.start());
  await then("the claim has its new size", () => expect(claim).toMatch(storage("3Gi")));
  await then("all is well", () => expect(owner).toHaveCondition("Ready"));
}, { inProcess: true });

Deno.test("a claim with a volume grows in place and never shrinks; one without is created again", () => {
  const claim = (phase: string, size: string, deletionTimestamp?: string) => ({
    metadata: { deletionTimestamp },
    ...storage(size),
    status: { phase },
  });
  assert.equal(planOf(undefined, 1), "apply");
  assert.equal(planOf(claim("Bound", "2Gi"), 3), "apply");
  assert.equal(planOf(claim("Bound", "2Gi"), 1), "refuse");
  assert.equal(planOf(claim("Pending", "2Gi"), 2), "apply");
  assert.equal(planOf(claim("Pending", "2Gi"), 1), "replace");
  assert.equal(planOf(claim("Pending", "2Gi", "2026-01-01T00:00:00Z"), 1), "wait");
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
