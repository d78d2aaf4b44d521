// Many namespaces: a ConfigMap with a label is copied to every namespace that wants such, and its copies follow it.
// Try it: deno run -A examples/multi_namespace/operator.ts run --cluster embedded (PINTLE_NAMESPACES limits where it
// works)
import {
  ConfigMap,
  type ConfigMapObject,
  keyOf,
  Namespace,
  NotFoundError,
  ObjectIndex,
  type ObjectKey,
  Operator,
} from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import { type Client, NamespaceTerminatingError } from "@pintle/pintle/client";

/** Label of what is copied, with the value `true`; the same on a namespace that wants copies. */
export const SHARED = "examples.pintle.dev/shared";
/** Annotation of a copy: `namespace/name` of its source. Label of a copy: that it is one. */
export const SOURCE = "examples.pintle.dev/source", COPY = "examples.pintle.dev/copy";

const shares = ({ metadata }: { metadata?: { labels?: Record<string, string> } }) =>
  metadata?.labels?.[SHARED] === "true";

const isCopy = ({ metadata }: ConfigMapObject) => metadata?.labels?.[COPY] === "true";

/** Where the copies of each source are. */
const copies = new ObjectIndex("copies by source", (object: ConfigMapObject) => {
  const { metadata = {} } = object, source = isCopy(object) ? metadata.annotations?.[SOURCE] : undefined;
  return source === undefined ? [] : [[source, { namespace: metadata.namespace!, name: metadata.name! }]];
});

async function remove(client: Client, keys: readonly ObjectKey[]): Promise<void> {
  for (const key of keys) {
    await client.delete(ConfigMap, key).catch((error) => {
      if (!(error instanceof NotFoundError)) throw error;
    });
  }
}

/** A fresh operator. */
export function operator(): Operator {
  const made = new Operator("sharer");
  made.on(ConfigMap)
    .index(copies)
    .reconcile(async ({ object, namespace, name, apply, client, cached, index, events }) => {
      if (isCopy(object)) { // it can outlive its source: its write may have come late
        const [source] = sourceOf(object), there = source && await client.find<ConfigMapObject>(ConfigMap, source);
        if (!there || there.metadata?.deletionTimestamp || !shares(there)) await remove(client, [{ namespace, name }]);
        return;
      }
      const source = `${namespace}/${name}`, wanted = new Set<string>();
      const namespaces = shares(object) ? [...cached(Namespace).values()].filter(shares) : [];
      for (const { metadata, status } of namespaces) {
        const target = { namespace: metadata!.name!, name };
        if (target.namespace === namespace || status?.phase === "Terminating") continue;
        const there = cached(ConfigMap).get(target);
        if (there && there.metadata?.annotations?.[SOURCE] !== source) {
          events.warning("Taken", `there is another ${name} in ${target.namespace}`);
          continue;
        }
        wanted.add(target.namespace);
        const marks = { labels: { [COPY]: "true" }, annotations: { [SOURCE]: source } };
        const copy = { metadata: { ...target, ...marks }, data: object.data };
        await apply(ConfigMap, copy, { owned: false }).catch((error) => {
          if (!(error instanceof NamespaceTerminatingError || error instanceof NotFoundError)) throw error;
        });
      }
      await remove(client, index(copies).get(source).filter((copy) => !wanted.has(copy.namespace!)));
    }, {
      watches: [
        { resource: Namespace, map: ({ primaries }) => [...primaries].filter(shares).map(keyOf) },
        { resource: ConfigMap, labelSelector: `${COPY}=true`, map: ({ object }) => sourceOf(object) },
      ],
    })
    .delete(({ namespace, name, client, index }) => remove(client, index(copies).get(`${namespace}/${name}`)), {
      labels: { [SHARED]: "true" },
    });
  made.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["create", "patch", "delete"] });
  return made;
}

function sourceOf({ metadata }: ConfigMapObject): ObjectKey[] {
  const [namespace, name] = metadata?.annotations?.[SOURCE]?.split("/") ?? [];
  return namespace && name ? [{ namespace, name }] : [];
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
