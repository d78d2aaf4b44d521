// An operator that applies a kind which it does not declare.
import * as z from "zod";
import { ConfigMap, defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

const Plan = defineResource({ group: "undeclared.test.pintle.dev", version: "v1", kind: "Plan", spec: z.object({}) });
const operator = new Operator("undeclared");
operator.on(Plan).reconcile(async ({ apply }) => {
  await apply(ConfigMap, { data: { a: "b" } });
});

if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
