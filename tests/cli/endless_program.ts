// A program whose operator has a loop without an end and without an `await`: no other code of its thread runs again.
import { z } from "zod";
import { Suite } from "../../lib/harness/mod.ts";
import { defineResource, Operator } from "../../lib/mod.ts";
import { bugProgram } from "./bug_program.ts";

const Widget = defineResource({
  group: "endless.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({}),
});

function operator(): Operator {
  const made = new Operator("endless");
  made.on(Widget).reconcile(() => {
    Deno.stderr.writeSync(new TextEncoder().encode("it loops\n"));
    for (;;);
  });
  return made;
}

const endless = new Suite("endless", operator).scenario("a widget is made", async ({ when, cluster, expect, ref }) => {
  await when("it is made", async () => {
    await cluster.create(Widget, { metadata: { name: "a" }, spec: {} } as never);
    await expect(ref(Widget, "a")).toHaveCondition("Ready");
  });
});

if (import.meta.main) Deno.exitCode = await bugProgram(endless);
