import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** An operator whose handlers fail again and again: one in the same way, one in another way each time. */
const Widget = defineResource({ group: "failing.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({}) });
const operator = new Operator("failing");
let calls = 0, times = 0;
operator.on(Widget).reconcile(({ log }) => {
  if (++calls === 4) log.info("the fourth attempt");
  throw new TypeError("it always fails");
}).timer(({ log }) => {
  log.info("a list and a text", {
    list: ["a", 1],
    nested: { key: "v" },
    text: '["a"]',
    words: "two words",
    plain: "b",
  });
  throw new RangeError(`failure ${++times}`);
}, { interval: "100ms" });
operator.permissions({ apiGroups: [Widget.group], resources: ["widgets"], verbs: ["create"] });
operator.startup(async ({ client }) => {
  const metadata = { namespace: "default", name: "one" };
  await client.create(Widget, { apiVersion: `${Widget.group}/v1`, kind: "Widget", metadata, spec: {} });
});

Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
