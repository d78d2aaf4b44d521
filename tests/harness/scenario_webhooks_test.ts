import assert from "node:assert/strict";
import { AdmissionError } from "../../lib/admission/mod.ts";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";
import { type ScenarioContext, type ScenarioOptions, Suite } from "../../lib/harness/mod.ts";
import { testSource } from "../cluster.ts";
import { runOn } from "./rig.ts";

/** Refuses every ConfigMap of these tests that is to be refused. */
function strict(): Operator {
  const operator = new Operator("strict");
  operator.on(ConfigMap).validate(({ object }) => {
    if (object.data?.refuse) throw new AdmissionError("not this one");
  }, { id: "strict", labels: { strict: "yes" } });
  return operator;
}

/** How the creation of a ConfigMap that the webhook is for ends. */
function created({ cluster }: ScenarioContext, name: string, data: Record<string, string> = {}): Promise<string> {
  return cluster.create(ConfigMap, { metadata: { name, labels: { strict: "yes" } }, data })
    .then(() => "created", (error) => error.message);
}

async function passes(story: (scenario: ScenarioContext) => Promise<void>, options: ScenarioOptions): Promise<void> {
  const suite = new Suite("strict", strict).scenario("a story", story, options);
  const { scenarios, failures } = await runOn(testSource(), suite, { waitMsMax: 60_000 });
  assert.deepEqual([failures, scenarios[0]!.outcome], [[], { kind: "passed" }]);
}

for (const end of ["crash", "pause"] as const) {
  // FR-395
  Deno.test(`the admission handlers of an operator that was stopped (${end}) refuse nothing of a story, and do again once it runs`, async () => {
    await passes(async (scenario) => {
      const { operator } = scenario;
      assert.match(await created(scenario, "a", { refuse: "yes" }), /not this one/);
      await operator[end]();
      assert.equal(await created(scenario, "b", { refuse: "yes" }), "created");
      await operator.start();
      assert.match(await created(scenario, "c", { refuse: "yes" }), /not this one/);
      await operator.restart();
      assert.match(await created(scenario, "d", { refuse: "yes" }), /not this one/);
    }, { alone: true });
  });
}

// FR-395
Deno.test("with webhooksStay what the handlers of a stopped operator are for is refused, as in a cluster", async () => {
  await passes(async (scenario) => {
    const { operator } = scenario;
    assert.equal(await created(scenario, "a"), "created");
    await operator.crash();
    assert.match(await created(scenario, "b"), /failed calling webhook/);
    await operator.start();
    assert.equal(await created(scenario, "b"), "created");
  }, { alone: true, webhooksStay: true });
});
