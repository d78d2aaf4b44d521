// From Kopf: takes the place of a running Kopf operator, whose objects are neither handled again nor created again.
// 1. Stop the Kopf operator. 2. Start this one: deno run -A examples/kopf_migration/operator.ts run
// Try it: deno run -A examples/kopf_migration/operator.ts run --cluster embedded
import * as z from "zod";
import { AnnotationStorage, ChainStorage, defineResource, KopfRecords, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** The finalizer that every Kopf operator uses unless it is told otherwise. */
export const KOPF_FINALIZER = "kopf.zalando.org/KopfFinalizerMarker";

/** The kind as the Kopf operator had it, with what it wrote into the status. */
export const Bucket = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Bucket",
  spec: z.object({ region: z.string().min(1), versioned: z.boolean().default(false) }),
  // Kopf merges what a handler returns into `status.<handler>`: it stays readable, and is no longer written.
  status: z.looseObject({ state: z.string().optional() }),
});

/** Where the buckets are; each call may be repeated. */
export interface Buckets {
  make(uid: string, region: string): Promise<void>;
  change(uid: string, what: readonly string[]): Promise<void>;
  remove(uid: string): Promise<void>;
}

/** A fresh operator. */
export function operator(buckets: Buckets): Operator {
  const made = new Operator("buckets", {
    // Reads what Kopf noted down, writes its own: Kopf's annotations stay as the way back.
    storage: new ChainStorage(new AnnotationStorage({ prefix: "buckets.pintle.dev" }), new KopfRecords()),
    legacyFinalizers: [KOPF_FINALIZER],
  });
  made.on(Bucket)
    .create(async ({ uid, spec, status }) => { // @kopf.on.create('buckets')
      await buckets.make(uid, spec.region);
      status.set({ state: "Made" });
    }, { id: "make" })
    .update(({ uid, diff }) => buckets.change(uid, diff.map(({ path }) => path.join("."))), { id: "change" })
    .delete(({ uid }) => buckets.remove(uid), { id: "remove" });
  return made;
}

/** Stands for wherever your buckets are. */
const none: Buckets = {
  make: () => Promise.resolve(),
  change: () => Promise.resolve(),
  remove: () => Promise.resolve(),
};

if (import.meta.main) Deno.exitCode = await cli(operator(none), { args: Deno.args, env: Deno.env.toObject() });
