import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import * as z from "zod";

const spec = z.object({ name: z.string().min(1) });
const Greeting = defineResource({ group: "example.com", version: "v1", kind: "Greeting", spec });

const operator = new Operator("greetings");
operator.on(Greeting).reconcile(async ({ spec, apply }) => {
  await apply(ConfigMap, { data: { text: `Hello, ${spec.name}!` } });
}, { owns: [ConfigMap] });

if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
