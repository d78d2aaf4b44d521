import assert from "node:assert/strict";
import { z } from "zod";
import { explore, formatPlan } from "../../lib/explore/mod.ts";
import { planRun, type ScenarioContext, Suite } from "../../lib/harness/mod.ts";
import { defineResource, Deployment, Operator } from "../../lib/operator/mod.ts";
import { podSpec } from "./pods.ts";

const App = defineResource({
  group: "apps.example.com",
  version: "v1",
  kind: "App",
  spec: z.object({ image: z.string() }),
});

/** Reports the state of a Deployment, as the guide about children does. */
function operator(): Operator {
  const made = new Operator("apps"), labels = { app: "a" };
  made.on(App).reconcile(async ({ name, namespace, spec, apply, cached, status }) => {
    const containers = [{ ...podSpec.containers[0]!, image: spec.image }];
    const template = { metadata: { labels }, spec: { containers } };
    await apply(Deployment, { spec: { selector: { matchLabels: labels }, template } });
    const { metadata, status: seen } = cached(Deployment).get({ namespace, name }) ?? {};
    const isReady = seen?.observedGeneration === metadata?.generation && (seen?.availableReplicas ?? 0) > 0;
    status.condition({ type: "Ready", status: isReady, reason: isReady ? "Available" : "Progressing", message: "" });
  }, { owns: [Deployment] });
  return made;
}

async function roll({ given, when, then, cluster, expect, ref, makeReady }: ScenarioContext): Promise<void> {
  const app = ref(App, "a"), workload = ref(Deployment, "a");
  await given("an app", () => cluster.create(App, { metadata: { name: "a" }, spec: { image: "one" } }));
  await given("its pods", () => makeReady(workload));
  await then("it is ready", () => expect(app).toHaveCondition("Ready"));
  await when("it gets another image", () => cluster.patch(app, { spec: { image: "two" } }));
  await then("it is not ready", () => expect(app).toHaveCondition("Ready", false));
}

async function failuresOf(suite: Suite): Promise<string[]> {
  const options = { seed: 1, waitMsMax: 600_000, signal: new AbortController().signal };
  const { failures, problem } = await explore(planRun([suite])[0]!, { ...options, kinds: ["stale"] });
  assert.equal(problem, undefined);
  return failures.map(({ plan, findings }) => `${formatPlan(plan)} ${findings[0]!.message}`);
}

// FR-582
Deno.test("a workload whose spec a stale view has changed and changed back is ready again", async () => {
  const suite = new Suite("rolls", operator).scenario("an app is rolled", async (scenario) => {
    await roll(scenario);
    const { given, then, expect, ref, makeReady } = scenario;
    await given("its new pods", () => makeReady(ref(Deployment, "a")));
    await then("it is ready", () => expect(ref(App, "a")).toHaveCondition("Ready"));
  });
  assert.deepEqual(await failuresOf(suite as Suite), []);
});

// FR-582
Deno.test("a workload that the scenario leaves without a status for its spec stays so under a fault", async () => {
  const suite = new Suite("rolls", operator).scenario("an app waits for its pods", roll);
  assert.deepEqual(await failuresOf(suite as Suite), []);
});
