import assert from "node:assert/strict";
import { denoTests, type ScenarioContext, Suite } from "@pintle/pintle/testing";
import { Pod, ServiceAccount } from "@pintle/pintle";
import { testSource } from "../../tests/cluster.ts";
import { MORTAL, operator, SPARED } from "./operator.ts";

export const suite: Suite = new Suite("built-in kinds", () => operator({ lifetime: "1s" }));

async function makePod({ cluster, expect, ref }: ScenarioContext, name: string, metadata: object): Promise<void> {
  await expect(ref(ServiceAccount, "default")).toExist(); // without it a server makes no pod
  await cluster.create(Pod, {
    metadata: { ...metadata, name },
    spec: { containers: [{ name: "main", image: "example.com/none" }] },
  });
}

const mortal = { labels: { [MORTAL]: "" } };

suite.scenario(
  "a pod goes when its time is over; one that is spared, and one without the label, stay",
  async (scenario) => {
    const { given, then, cluster, expect, ref, operator } = scenario;
    await given("three pods", async () => {
      await makePod(scenario, "spared", { ...mortal, annotations: { [SPARED]: "by the king" } });
      await makePod(scenario, "plain", {});
      await makePod(scenario, "old", mortal);
    });
    await then("the mortal one goes", () => expect(ref(Pod, "old")).toBeGone());
    for (const name of ["spared", "plain"]) {
      await then(`${name} stays, and nothing is written into it`, async () => {
        const { metadata } = await cluster.get(ref(Pod, name));
        assert.deepEqual([metadata?.finalizers, metadata?.deletionTimestamp], [undefined, undefined]);
        assert.ok(Object.keys(metadata?.annotations ?? {}).every((key) => !key.includes("pintle.dev/handled")));
      });
    }
    assert.deepEqual(operator.inProcess.writes.map(({ method }) => method), ["DELETE"]);
  },
  { inProcess: true },
);

suite.scenario("a pod that a finalizer holds is deleted once, not at every tick", async (scenario) => {
  const { given, when, then, cluster, expect, ref, operator, eventually } = scenario;
  await given(
    "a pod that a finalizer holds",
    () => makePod(scenario, "held", { ...mortal, finalizers: ["other.example.com/hold"] }),
  );
  await then(
    "it is on its way",
    () =>
      expect(ref(Pod, "held")).toSatisfy("to be going", ({ metadata }) => metadata?.deletionTimestamp !== undefined),
  );
  await given("another one, which goes after it", () => makePod(scenario, "other", mortal));
  await then("that one goes", () => expect(ref(Pod, "other")).toBeGone());
  assert.equal(operator.inProcess.writes.filter(({ path }) => path.includes("/held")).length, 1);
  await when("it is let go", () => cluster.patch(ref(Pod, "held"), { metadata: { finalizers: null } }));
  await then("both are gone", () =>
    eventually("no pod", [Pod], async () => {
      const left = await cluster.list(Pod);
      return left.length === 0 ? { holds: true } : { holds: false, seen: `  ${left.length} left` };
    }));
}, { inProcess: true });

suite.scenario("a pod whose time was over while no operator ran goes with the next one", async (scenario) => {
  const { given, when, then, expect, ref, operator } = scenario;
  await given("no operator, and a pod", async () => {
    await operator.crash();
    await makePod(scenario, "old", mortal);
  });
  await when("one starts", () => operator.start());
  await then("the pod goes", () => expect(ref(Pod, "old")).toBeGone());
}, { alone: true });

denoTests(Deno.test, suite, { rbac: true, source: testSource });
