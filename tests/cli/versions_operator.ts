import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** A kind that has grown up: VERSIONS names its version of today, then those of before. */
const { VERSIONS = "v1", ...env } = Deno.env.toObject();
const [version = "", ...formerVersions] = VERSIONS.split(",");
const Plan = defineResource({
  group: "versions.test.pintle.dev",
  version,
  formerVersions,
  kind: "Plan",
  spec: z.object({ size: z.int() }),
});
const operator = new Operator("plans");
operator.on(Plan).reconcile(({ status }) =>
  status.condition({ type: "Ready", status: true, reason: "Seen", message: "it was seen" })
);

Deno.exitCode = await cli(operator, { args: Deno.args, env });
