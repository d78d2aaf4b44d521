import assert from "node:assert/strict";
import { denoTests, type ScenarioContext, Suite } from "@pintle/pintle/testing";
import type { DesiredOf, KubeObject } from "@pintle/pintle";
import type { ApiResource } from "@pintle/pintle/client";
import { testSource } from "../../tests/cluster.ts";
import { operator, Order } from "./operator.ts";

export const suite: Suite = new Suite("filters", operator);
const EVENTS: ApiResource = {
  group: "events.k8s.io",
  version: "v1",
  plural: "events",
  kind: "Event",
  namespaced: true,
};
const order = (
  spec: { item: string; count?: number; note?: string },
  metadata: NonNullable<DesiredOf<typeof Order>["metadata"]> = {},
) => ({
  metadata: { name: "o", ...metadata },
  spec,
});

/** Who has spoken about orders so far. */
async function reasons({ cluster }: ScenarioContext): Promise<string[]> {
  const events = await cluster.list<KubeObject & { reason?: string }>(EVENTS);
  return events.map(({ reason = "" }) => reason).sort();
}

const CASES: readonly [string, ReturnType<typeof order>, string[]][] = [
  [
    "an express gift",
    order({ item: "book" }, {
      labels: { speed: "express" },
      annotations: { "examples.pintle.dev/gift-for": "Ann" },
    }),
    ["Express", "Gift"],
  ],
  ["a large order of bricks, with a note", order({ item: "bricks", count: 500, note: "ring twice" }), [
    "LargeAndSolid",
    "Noted",
    "Slow",
  ]],
  [
    "a large order of glasses, at a speed that is none of both",
    order({ item: "wine glasses", count: 500 }, {
      labels: { speed: "whenever" },
    }),
    [],
  ],
];
for (const [what, wanted, told] of CASES) {
  suite.scenario(`${what} is for ${told.join(" and ") || "no handler"}`, async (scenario) => {
    const { given, then, cluster, expect, ref, operator } = scenario;
    await given(what, () => cluster.create(Order, wanted));
    await then("it is handled", () => expect(ref(Order, "o")).toHaveCondition("Ready"));
    await operator.inProcess.idle();
    assert.deepEqual(await reasons(scenario), told);
  }, { inProcess: true });
}

suite.scenario("a change is judged by both of its ends, a crash in between included", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario, o = ref(Order, "o");
  const handled = async () => {
    await expect(o).toHaveCondition("Ready");
    await operator.inProcess.idle();
  };
  await given("an order of one", () => cluster.create(Order, order({ item: "book" })));
  await given("it is handled", handled);
  await when("it becomes two", () => cluster.patch(o, { spec: { count: 2 } }));
  await then("no handler is called", handled);
  assert.deepEqual(await reasons(scenario), ["Slow"]);
  await when("it becomes two hundred while the operator is down", async () => {
    await operator.crash();
    await cluster.patch(o, { spec: { count: 200 } });
    await operator.start();
  });
  await then("it has grown", () => expect(o).toHaveEvents({ reason: "Grew" }));
}, { inProcess: true });

suite.scenario("an order of nothing is refused by the server", async ({ then, cluster }) => {
  await then("it is refused", () => assert.rejects(cluster.create(Order, order({ item: "" })), /spec\.item/));
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
