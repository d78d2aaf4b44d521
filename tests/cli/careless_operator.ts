import * as z from "zod";
import { defineResource, Namespace, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** An operator whose code leaves a promise unawaited, and throws in callbacks of timers; then it goes on working. */
const Widget = defineResource({ group: "careless.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({}) });
const operator = new Operator("careless");
operator.startup(({ clock }) => {
  clock.schedule(() => void Promise.reject(new TypeError("a promise that no code awaits")), 1);
  clock.schedule(() => {
    throw new RangeError("a throw in the callback of a timer");
  }, 2);
  clock.schedule(() => void Promise.reject(null), 3);
});
operator.on(Widget).reconcile(() => {});
operator.on(Namespace).timer(({ log, name, clock }) => {
  if (name !== "default") return;
  clock.schedule(() => {
    throw new Error("a throw after a tick");
  }, 1);
  log.info("it works on");
}, { interval: "100ms" });
if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
