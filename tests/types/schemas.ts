// FR-381
// Mistakes in definitions of kinds that the compiler finds: `deno task check` fails where one of them compiles.
import * as z from "zod";
import { defineResource, Operator, withRules } from "../../lib/mod.ts";

const names = { group: "types.test.pintle.dev", version: "v1", kind: "Shop" } as const;
const status = z.object({ replicas: z.int().optional(), selector: z.string().optional() });
const spec = z.object({
  replicas: z.int().default(1),
  store: z.discriminatedUnion("type", [
    z.object({ type: z.literal("s3"), bucket: z.string() }),
    z.object({ type: z.literal("disk"), gibibytes: z.int() }),
  ]),
});

const Shop = defineResource({
  ...names,
  spec,
  status,
  fields: z.object({ data: z.record(z.string(), z.string()).default({}), note: z.string().optional() }),
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".status.selector" },
});

// @ts-expect-error: the spec has no such field
defineResource({ ...names, spec, status, scale: { specReplicas: ".spec.size", statusReplicas: ".status.replicas" } });
// @ts-expect-error: the status has no such field
defineResource({ ...names, spec, status, scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.size" } });
// @ts-expect-error: the present number is one of the status
defineResource({ ...names, spec, status, scale: { specReplicas: ".spec.replicas", statusReplicas: ".spec.replicas" } });
// @ts-expect-error: both numbers are needed
defineResource({ ...names, spec, status, scale: { specReplicas: ".spec.replicas" } });

withRules(z.object({ from: z.int(), to: z.int() }), { rule: "self.from <= self.to", fieldPath: ".from" });
// @ts-expect-error: the value has no such field
withRules(z.object({ from: z.int() }), { rule: "self.from > 1", fieldPath: ".form" });
// @ts-expect-error: no such reason
withRules(z.string(), { rule: "self != ''", reason: "Wrong" });
// @ts-expect-error: a rule says something
withRules(z.string(), { message: "wrong" });

new Operator("types").on(Shop).reconcile(async ({ object, spec: { store }, apply }) => {
  const color: string | undefined = object.data.color, note: string | undefined = object.note;
  // @ts-expect-error: no such field
  object.dat;
  // @ts-expect-error: a text
  const size: number = object.note;
  if (store.type === "s3") {
    // @ts-expect-error: a field of the other case
    store.gibibytes;
    await apply(Shop, { spec: { store: { type: "s3", bucket: store.bucket } }, data: { color: color ?? note ?? "" } });
  }
  // @ts-expect-error: a field of the other case
  await apply(Shop, { spec: { store: { type: "disk", bucket: "b" } } });
  // @ts-expect-error: no such field
  await apply(Shop, { spec: { store: { type: "disk", gibibytes: size } }, dat: {} });
}).field("spec.store.bucket", ({ next }) => {
  const bucket: string | undefined = next;
  // @ts-expect-error: a text
  const size: number | undefined = next;
  return void [bucket, size];
});
