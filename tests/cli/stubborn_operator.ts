/**
 * A program for tests: an operator whose reconcile ignores its signal and never ends, with a timer that would keep a
 * process alive on its own.
 *
 * @module
 */
import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

const Widget = defineResource({
  group: "stubborn.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({}),
  status: z.object({}),
});

const operator = new Operator("stubborn");
operator.on(Widget).reconcile(({ log }) => {
  log.info("it begins and will not end");
  return new Promise<void>((resolve) => void setTimeout(resolve, 3_600_000));
});
operator.permissions({ apiGroups: [Widget.group], resources: ["widgets"], verbs: ["create"] });
operator.startup(async ({ client }) => {
  if (Deno.args.includes("--leader-election")) return; // it may not write yet
  const metadata = { namespace: "default", name: "one" };
  await client.create(Widget, { apiVersion: `${Widget.group}/v1`, kind: "Widget", metadata, spec: {} });
});

Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
