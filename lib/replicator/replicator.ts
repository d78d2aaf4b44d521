import { ConfigMap, keyOf, Namespace, type ObjectKey, Operator, Secret, type WatchedChange } from "../mod.ts";
import { claimOf, REPLICATION_LABEL } from "./claim.ts";
import { type NamespaceObject, recordOf, REPLICATOR_NAME } from "./copied_kinds.ts";
import type { CopyRecord } from "./copy_record.ts";
import { BY_REPLICATION, ReplicationReconciler, type ReplicatorOptions } from "./reconcile.ts";
import { Replication, type ReplicationObject } from "./replication.ts";
import { compileTargets, copyName, type Targets } from "./targets.ts";
import { ACCEPT_ANNOTATION } from "./trust.ts";

export const REPLICATOR_DEFAULTS: ReplicatorOptions = {
  protectedNamespaces: ["kube-*"],
  trustedNamespaces: [],
  operatorNamespace: "pintle-system",
  copiesAtOnceMax: 16,
};

/**
 * The shipped operator: converges every Replication.
 *
 * @example
 * ```ts
 * import { replicator } from "./replicator.ts";
 * if (replicator().name !== "pintle-replicator") throw new Error("its field manager");
 * ```
 */
export function replicator(overrides: Partial<ReplicatorOptions> = {}): Operator {
  const options = { ...REPLICATOR_DEFAULTS, ...overrides };
  const reconciler = new ReplicationReconciler(options);
  const operator = new Operator(REPLICATOR_NAME);
  operator.on(Replication)
    .reconcile((context) => reconciler.reconcile(context), {
      watches: [
        {
          resource: Namespace,
          transform: projectNamespace,
          map: (change: WatchedChange<ReplicationObject, NamespaceObject>) => whoseTargetsChanged(change, options),
        },
        copies("Secret"),
        copies("ConfigMap"),
      ],
    })
    .delete((context) => reconciler.remove(context));
  return operator.permissions({
    apiGroups: [""],
    resources: ["secrets", "configmaps"],
    verbs: ["create", "patch", "delete"],
  });

  function copies(kind: "Secret" | "ConfigMap") {
    return {
      resource: kind === "Secret" ? Secret : ConfigMap,
      labelSelector: REPLICATION_LABEL,
      metadataOnly: true,
      transform: recordOf,
      indexes: { [BY_REPLICATION]: (copy: CopyRecord) => [copy.metadata?.labels?.[REPLICATION_LABEL] ?? ""] },
      map: (change: WatchedChange<ReplicationObject, CopyRecord>) => whoseCopyChanged(change, kind, options),
    };
  }
}

/** What matching and trust need of a namespace. */
function projectNamespace({ metadata = {}, status }: NamespaceObject): NamespaceObject {
  const { name, uid, resourceVersion, labels, annotations = {}, deletionTimestamp } = metadata;
  const accepted = Object.hasOwn(annotations, ACCEPT_ANNOTATION)
    ? { annotations: { [ACCEPT_ANNOTATION]: annotations[ACCEPT_ANNOTATION]! } }
    : {};
  const phase = status?.phase;
  return { metadata: { name, uid, resourceVersion, labels, deletionTimestamp, ...accepted }, status: { phase } };
}

/** Replications for which a namespace became or stopped being a target, or changed its trust. */
function* whoseTargetsChanged(
  { object, before, deleted, primaries }: WatchedChange<ReplicationObject, NamespaceObject>,
  options: ReplicatorOptions,
): Iterable<ObjectKey> {
  for (const replication of primaries) {
    const targets = targetsOf(replication, options);
    if (!targets) continue;
    const was = before ? targets.verdict(before) : deleted ? targets.verdict(object) : "none";
    if (was !== (deleted ? "none" : targets.verdict(object))) yield keyOf(replication);
  }
}

/** The Replication that a copy claims or claimed; for a deleted copy, all whose copy may take its name. */
function* whoseCopyChanged(
  { object, before, deleted, primaries }: WatchedChange<ReplicationObject, CopyRecord>,
  kind: string,
  options: ReplicatorOptions,
): Iterable<ObjectKey> {
  for (const claim of [claimOf(object), before && claimOf(before)]) {
    if (claim) yield { namespace: claim.namespace, name: claim.name };
  }
  if (!deleted) return;
  const { name, namespace } = object.metadata ?? {};
  for (const replication of primaries) {
    const { source, targets } = replication.spec;
    if (source?.kind !== kind || (targets?.name ?? source.name) !== name) continue;
    if (targetsOf(replication, options)?.verdict({ metadata: { name: namespace } }) !== "none" || targets.selector) {
      yield keyOf(replication);
    }
  }
}

function targetsOf(replication: ReplicationObject, options: ReplicatorOptions): Targets | undefined {
  try {
    const spec = Replication.parseSpec(replication);
    return copyName(spec) ? compileTargets(spec, replication.metadata.namespace ?? "", options) : undefined;
  } catch {
    return undefined; // its own reconcile reports the error
  }
}
