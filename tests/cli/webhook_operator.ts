import * as z from "zod";
import { AdmissionError, cli, defineResource, Operator } from "../../lib/mod.ts";

/** Admits gadgets that are small enough. */
const Gadget = defineResource({
  group: "webhook.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  spec: z.object({ size: z.int(), team: z.string().optional() }),
});
const operator = new Operator("gadgets");
operator.on(Gadget)
  .reconcile(({ status }) => status.condition("Ready", true, "Seen", "it was seen"))
  .mutate(({ draft }) => void (draft.spec.team ??= "nobody"), { id: "team" })
  .validate(({ spec }) => {
    if (spec.size > 5) throw new AdmissionError("spec.size is above 5");
  }, { id: "size" });

Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
