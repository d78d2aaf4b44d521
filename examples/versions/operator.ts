// Versions: v1 says a size as a text, v2 as an amount and a unit and knows a tier. Clients of both work on the same
// objects.
// Try it: deno run -A examples/versions/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** A bucket, in the version that handlers see and that is stored; what v1 looked like, and the way there and back. */
export const Bucket = defineResource({
  group: "examples.pintle.dev",
  version: "v2",
  kind: "Bucket",
  spec: z.object({
    size: z.object({ amount: z.int().min(1), unit: z.enum(["Gi", "Ti"]) }),
    tier: z.enum(["cold", "warm"]).default("warm"),
  }),
  status: z.object({ gibibytes: z.int() }),
  columns: [{ name: "Amount", jsonPath: ".spec.size.amount", type: "integer" }, {
    name: "Unit",
    jsonPath: ".spec.size.unit",
  }, { name: "Tier", jsonPath: ".spec.tier" }],
}).withVersion({
  version: "v1",
  spec: z.object({ size: z.string().regex(/^[1-9][0-9]*(Gi|Ti)$/) }),
  columns: [{ name: "Size", jsonPath: ".spec.size" }],
  toHub: ({ spec }) => {
    const unit = spec.size.endsWith("Ti") ? "Ti" : "Gi";
    return { spec: { size: { amount: Number.parseInt(spec.size), unit } } };
  },
  fromHub: ({ spec: { size } }) => ({ spec: { size: `${size.amount}${size.unit}` } }),
});

/** A fresh operator: it sees v2 alone, whatever its clients write. */
export function operator(): Operator {
  const made = new Operator("buckets");
  made.on(Bucket).reconcile(({ spec: { size }, status }) => {
    status.set({ gibibytes: size.amount * (size.unit === "Ti" ? 1024 : 1) });
  });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
