import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** A kind that has grown up: by STAGE it is v1 alone, v2 with a way from and to v1, or v2 alone. */
const { STAGE = "2", ...env } = Deno.env.toObject();
const group = "converting.test.pintle.dev", kind = "Disk", v1Spec = z.object({ gibibytes: z.int() });
const V2 = defineResource({ group, kind, version: "v2", spec: z.object({ mebibytes: z.int() }) });
const V1 = defineResource({ group, kind, version: "v1", spec: v1Spec });
const Converted = V2.withVersion({
  version: "v1",
  spec: v1Spec,
  toHub: ({ spec }) => ({ spec: { mebibytes: spec.gibibytes * 1024 } }),
  fromHub: ({ spec }) => ({ spec: { gibibytes: Math.ceil(spec.mebibytes / 1024) } }),
});
const operator = new Operator("disks");
const seen = { status: "True", reason: "Seen" } as const;
switch (STAGE) {
  case "1":
    operator.on(V1).reconcile(({ status }) =>
      status.condition({ type: "Ready", status: true, reason: seen.reason, message: "in v1" })
    );
    break;
  case "3":
    operator.on(V2).reconcile(({ status }) =>
      status.condition({ type: "Ready", status: true, reason: seen.reason, message: "in v2" })
    );
    break;
  default:
    operator.on(Converted).reconcile(({ spec, status }) =>
      status.condition({ type: "Ready", status: true, reason: seen.reason, message: `${spec.mebibytes} MiB` })
    );
}

Deno.exitCode = await cli(operator, { args: Deno.args, env });
