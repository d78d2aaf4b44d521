import { ConfigMap, keyOf, Namespace, type ObjectKey, Operator, Secret, type WatchedChange } from "../mod.ts";
import { claimOf, REPLICATION_LABEL } from "./claim.ts";
import { type NamespaceObject, recordOf, REPLICATOR_NAME } from "./copied_kinds.ts";
import type { CopyRecord } from "./copy_record.ts";
import { BY_REPLICATION, ReplicationReconciler, type ReplicatorOptions } from "./reconcile.ts";
import { Replication, type ReplicationObject } from "./replication.ts";
import { compileTargets, copyName, type Targets } from "./targets.ts";
import { ACCEPT_ANNOTATION } from "./trust.ts";

/** What holds where nothing else is set. */
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
          project: projectNamespace,
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
      project: recordOf,
      indexes: { [BY_REPLICATION]: (copy: CopyRecord) => [copy.metadata?.labels?.[REPLICATION_LABEL] ?? ""] },
      map: (change: WatchedChange<ReplicationObject, CopyRecord>) => whoseCopyChanged(change, kind, options),
    };
  }
}

/** Of a namespace, matching and trust need only this. */
function projectNamespace({ metadata = {}, status }: NamespaceObject): NamespaceObject {
  const { name, uid, resourceVersion, labels, annotations = {}, deletionTimestamp } = metadata;
  const accepted = Object.hasOwn(annotations, ACCEPT_ANNOTATION)
    ? { annotations: { [ACCEPT_ANNOTATION]: annotations[ACCEPT_ANNOTATION]! } }
    : {};
  const phase = status?.phase;
  return { metadata: { name, uid, resourceVersion, labels, deletionTimestamp, ...accepted }, status: { phase } };
}

/** Replications for which a namespace became a target, stopped being one, or began or ceased to trust theirs. */
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

/** The Replication that a copy claims, or claimed; and when a copy is deleted, all whose copy may take its name. */
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

/** The targets of a Replication as it is stored, or undefined where its spec cannot be used. */
function targetsOf(replication: ReplicationObject, options: ReplicatorOptions): Targets | undefined {
  try {
    const spec = Replication.parseSpec(replication);
    return copyName(spec) ? compileTargets(spec, replication.metadata.namespace ?? "", options) : undefined;
  } catch {
    return undefined; // its own reconcile reports the error
  }
}
