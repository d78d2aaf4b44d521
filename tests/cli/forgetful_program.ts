// A program whose operator has two bugs: each change is noted only by the process that sees it.
import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { bugProgram } from "./bug_program.ts";

const Counter = defineResource({
  group: "counters.example.com",
  version: "v1",
  kind: "Counter",
  spec: z.object({ step: z.enum(["none", "first", "second"]) }),
});

const lastSeen = (): { step?: string } => ({});

function operator(): Operator {
  const made = new Operator("counters");
  made.on(Counter).reconcile(async ({ spec, apply, memo }) => {
    const last = memo(lastSeen);
    if (last.step !== undefined && last.step !== spec.step) await apply(ConfigMap, { metadata: { name: spec.step } });
    last.step = spec.step;
  }, { owns: [ConfigMap] });
  return made;
}

const suite = new Suite("forgetful", operator);

suite.scenario("each step is noted", async ({ given, when, then, cluster, expect, ref }) => {
  const counter = ref(Counter, "c");
  await given("a counter", async () => {
    await cluster.create(Counter, { metadata: { name: "c" }, spec: { step: "none" } });
    await expect(counter).toHaveCondition("Ready");
  });
  for (const step of ["first", "second"] as const) {
    await when(`it takes the ${step} step`, () => cluster.patch(counter, { spec: { step } }));
    await then("it has done so", () => expect(counter).toHaveCondition("Ready"));
  }
});

if (import.meta.main) Deno.exitCode = await bugProgram(suite);
