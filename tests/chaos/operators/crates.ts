/**
 * An operator whose children have generated names: a Crate is one ConfigMap for each of its parcels, found again by
 * labels alone. Which ones there are it asks the server, not the store: a create whose answer was lost may have been
 * carried out.
 *
 * @module
 */
import * as z from "zod";
import { ConfigMap, type ConfigMapObject, defineResource, Operator, ownerReference } from "../../../lib/mod.ts";
import { cli } from "../../../lib/cli.ts";

/** Parcels by letter, each with the crate's text. */
export const Crate = defineResource({
  group: "chaos.test.pintle.dev",
  version: "v1",
  kind: "Crate",
  spec: z.object({ parcels: z.array(z.string()).max(20), text: z.string() }),
  status: z.object({ parcels: z.int().optional() }),
});

/** Label of a child: the uid of its crate. */
export const CRATE_LABEL = "chaos.test.pintle.dev/crate";
/** Label of a child: which parcel it is. */
export const PARCEL_LABEL = "chaos.test.pintle.dev/parcel";

/** A fresh operator. */
export function crates(): Operator {
  const operator = new Operator("crates");
  operator.on(Crate)
    .reconcile(async ({ object, name, namespace, uid, spec, client, status }) => {
      const labelSelector = `${CRATE_LABEL}=${uid}`;
      const { items } = await client.list<ConfigMapObject>(ConfigMap, { namespace, labelSelector });
      const missing = new Set(spec.parcels), data = { text: spec.text };
      for (const { metadata, data: present } of items) {
        const key = { namespace, name: metadata!.name! }, parcel = metadata!.labels![PARCEL_LABEL]!;
        missing.delete(parcel);
        // A second child of one parcel stays: the fault run is to find it.
        if (!spec.parcels.includes(parcel)) await client.delete(ConfigMap, key, { uid: metadata!.uid });
        else if (present?.text !== spec.text) await client.patch(ConfigMap, key, { type: "merge", body: { data } });
      }
      for (const parcel of missing) {
        const labels = { [CRATE_LABEL]: uid, [PARCEL_LABEL]: parcel };
        const metadata = {
          namespace,
          generateName: `${name}-`,
          labels,
          ownerReferences: [ownerReference(object, { controller: true })],
        };
        await client.create<ConfigMapObject>(ConfigMap, { metadata, data });
      }
      status.set({ parcels: spec.parcels.length });
    }, { owns: [ConfigMap] })
    .delete(() => {}); // a finalizer, which no crash may leave behind
  return operator.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["create", "patch", "delete"] });
}

if (import.meta.main) Deno.exitCode = await cli(crates(), { args: Deno.args, env: Deno.env.toObject() });
