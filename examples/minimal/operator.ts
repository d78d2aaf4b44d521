// The smallest operator: it notices each Greeting.
// Try it: deno run -A examples/minimal/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Who is to be greeted. */
export const Greeting = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Greeting",
  spec: z.object({ to: z.string().min(1) }),
});

/** A fresh operator. */
export function operator(): Operator {
  const made = new Operator("greeter");
  made.on(Greeting).create(({ spec, log }) => log.info(`hello ${spec.to}`));
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
