// A claim of storage that goes with the object that asks for it, follows its size and carries its labels.
// Try it: deno run -A examples/volume_claim/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, type ObjectOf, Operator, PermanentError, PersistentVolumeClaim } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Storage for as long as the object exists. */
export const EphemeralVolumeClaim = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "EphemeralVolumeClaim",
  shortNames: ["evc"],
  spec: z.object({ gibibytes: z.int().min(1).max(4096), storageClass: z.string().optional() }),
  status: z.object({ claim: z.string().optional() }),
});

/**
 * What is to be done about a claim for `gibibytes` now. A server changes the size of no claim that has no volume yet:
 * that one is created again, since it holds no data. One that has a volume can grow and never shrink.
 */
export function planOf(
  claim: ObjectOf<typeof PersistentVolumeClaim> | undefined,
  gibibytes: number,
): "apply" | "replace" | "wait" | "refuse" {
  if (!claim) return "apply";
  if (claim.metadata?.deletionTimestamp) return "wait";
  const now = Number.parseInt(claim.spec?.resources?.requests?.storage ?? "", 10);
  if (claim.status?.phase === "Bound") return gibibytes < now ? "refuse" : "apply";
  return gibibytes === now ? "apply" : "replace";
}

/** A fresh operator. */
export function operator(): Operator {
  const made = new Operator("volume-claims");
  made.on(EphemeralVolumeClaim).reconcile(
    async ({ name, namespace, labels, spec, status, apply, cached, client }) => {
      const key = { namespace, name };
      switch (planOf(cached(PersistentVolumeClaim).get(key), spec.gibibytes)) {
        case "refuse":
          throw new PermanentError("a volume cannot shrink: make another claim", { reason: "CannotShrink" });
        case "replace":
          await client.delete(PersistentVolumeClaim, key);
          return status.condition({
            type: "Ready",
            status: false,
            reason: "Replacing",
            message: "the claim is created again with its new size",
          });
        case "wait": // its end leads here again
          return status.condition({
            type: "Ready",
            status: false,
            reason: "Replacing",
            message: "the former claim is still being deleted",
          });
        case "apply":
      }
      await apply(PersistentVolumeClaim, {
        metadata: { labels: { ...labels } },
        spec: {
          accessModes: ["ReadWriteOnce"],
          resources: { requests: { storage: `${spec.gibibytes}Gi` } },
          ...(spec.storageClass === undefined ? {} : { storageClassName: spec.storageClass }),
        },
      });
      status.set({ claim: name });
    },
    { owns: [PersistentVolumeClaim] },
  );
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
