import * as z from "zod";
import { ConfigMap, defineResource, Operator, requeueAfter } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

const Widget = defineResource({
  group: "shop.example.com",
  version: "v1",
  kind: "Widget",
  spec: z.object({ size: z.int().min(1), mode: z.enum(["a", "b"]).default("a") }),
  status: z.object({ phase: z.enum(["Pending", "Ready"]).optional() }),
});

export const operator = new Operator("widgets");

operator.on(Widget).reconcile(async ({ spec, status, apply, events }) => {
  if (spec.size > 1_000) events.warning("Huge", `size ${spec.size} will take a while`);
  await apply(ConfigMap, { data: { size: `${spec.size}`, mode: spec.mode } });
  status.set({ phase: "Ready" });
  status.condition({ type: "Ready", status: true, reason: "Applied", message: "ConfigMap applied" });
  return requeueAfter("10m");
}, { owns: [ConfigMap] });

if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
