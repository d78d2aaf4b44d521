// An index: a MemberList lists the pods of an app, which are looked up and never listed.
// Try it: deno run -A examples/indexing/operator.ts run --cluster embedded
import * as z from "zod";
import { defineResource, keyOf, ObjectIndex, type ObjectOf, Operator, Pod } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Who is in an app. */
export const MemberList = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "MemberList",
  spec: z.object({ app: z.string().min(1) }),
  status: z.object({ pods: z.array(z.string()).optional(), pending: z.int().optional() }),
});

const place = (namespace = "", app = "") => `${namespace}/${app}`;

/** Pods by namespace and app; those without an app are in no index. */
const podsByApp = new ObjectIndex("pods by app", ({ metadata = {}, status }: ObjectOf<typeof Pod>) => {
  const { name = "", namespace, labels = {} } = metadata;
  return labels.app === undefined ? [] : [[place(namespace, labels.app), { name, phase: status?.phase }]];
});

/** A fresh operator. */
export function operator(): Operator {
  const made = new Operator("rosters");
  made.on(Pod).index(podsByApp);
  made.on(MemberList).reconcile(({ namespace, spec, index, status }) => {
    const pods = index(podsByApp).get(place(namespace, spec.app));
    status.set({
      pods: pods.map(({ name }) => name).sort(),
      pending: pods.filter(({ phase }) => phase === "Pending").length,
    });
  }, {
    watches: [{
      resource: Pod,
      // A pod that changes its app concerns the rosters of both.
      map: ({ object, before, primaries }) => {
        const apps = new Set([object, before].map((pod) => pod?.metadata?.labels?.app));
        return [...primaries].filter(({ metadata, spec }) =>
          metadata.namespace === object.metadata?.namespace && apps.has(spec.app)
        ).map(keyOf);
      },
    }],
  });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
