import {
  ConfigMap,
  type KubeObject,
  Namespace,
  type NamespaceObject,
  type ObjectKey,
  Operator,
  Secret,
  type WatchedChange,
  type WatchOptions,
} from "../operator/mod.ts";
import { CLAIM_LABEL, claimOf } from "./claim.ts";
import { type CopyRecord, projectCopy } from "./copy_record.ts";
import { BY_REPLICATION, ReplicationReconciler, type ReplicatorOptions } from "./reconcile.ts";
import { Replication, type ReplicationObject } from "./replication.ts";
import { copyName, type TargetMatcher, targetMatcher } from "./targets.ts";

/** What holds unless somebody says otherwise. */
export const REPLICATOR_DEFAULTS: ReplicatorOptions = { protectedNamespaces: ["kube-*"], copiesAtOnceMax: 16 };

/** Name of the shipped operator: its field manager and the last part of its finalizer. */
export const REPLICATOR_NAME = "pintle-replicator";

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
        { resource: Namespace, map: (change) => whoseTargetsChanged(change, options), project: projectNamespace },
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

  function copies(kind: "Secret" | "ConfigMap"): WatchOptions<ReplicationObject, CopyRecord> {
    return {
      resource: kind === "Secret" ? Secret : ConfigMap,
      labelSelector: CLAIM_LABEL,
      metadataOnly: true,
      project: projectCopy(REPLICATOR_NAME),
      indexes: { [BY_REPLICATION]: (copy) => [copy.metadata?.labels?.[CLAIM_LABEL] ?? ""] },
      map: (change) => whoseCopyChanged(change, kind, options),
    };
  }
}

/** Of a namespace, matching needs only this. */
function projectNamespace({ metadata = {}, status }: NamespaceObject): NamespaceObject {
  const { name, uid, resourceVersion, labels, deletionTimestamp } = metadata;
  return { metadata: { name, uid, resourceVersion, labels, deletionTimestamp }, status: { phase: status?.phase } };
}

/** Replications for which a namespace became a target, stopped being one, or must be counted anew. */
function* whoseTargetsChanged(
  { object, before, deleted, primaries }: WatchedChange<ReplicationObject, NamespaceObject>,
  options: ReplicatorOptions,
): Iterable<ObjectKey> {
  for (const replication of primaries) {
    const matches = matcherOf(replication, options);
    if (!matches) continue;
    const was = before ? matches(before) : deleted && matches(object), is = !deleted && matches(object);
    if (was !== is) yield keyOf(replication);
  }
}

/** The Replication that a copy claims, or claimed; and when a copy goes, all that want something in its place. */
function* whoseCopyChanged(
  { object, before, deleted, primaries }: WatchedChange<ReplicationObject, CopyRecord>,
  kind: string,
  options: ReplicatorOptions,
): Iterable<ObjectKey> {
  for (const claim of new Set([claimOf(object), before && claimOf(before)])) {
    const slash = claim?.indexOf("/") ?? -1;
    if (claim && slash > 0) yield { namespace: claim.slice(0, slash), name: claim.slice(slash + 1) };
  }
  if (!deleted) return;
  const { name, namespace } = object.metadata ?? {};
  for (const replication of primaries) {
    const { source, targets } = replication.spec;
    if (source?.kind !== kind || (targets?.name ?? source.name) !== name) continue;
    if (matcherOf(replication, options)?.({ metadata: { name: namespace } }) !== false || targets.selector) {
      yield keyOf(replication);
    }
  }
}

/** The matcher of a Replication as it is stored, or undefined where its spec cannot be used. */
function matcherOf(replication: ReplicationObject, options: ReplicatorOptions): TargetMatcher | undefined {
  try {
    const spec = Replication.parseSpec(replication);
    return copyName(spec)
      ? targetMatcher(spec, replication.metadata.namespace ?? "", options.protectedNamespaces)
      : undefined;
  } catch {
    return undefined; // its own reconcile says what is wrong with it
  }
}

function keyOf({ metadata }: KubeObject): ObjectKey {
  return { namespace: metadata?.namespace, name: metadata?.name ?? "" };
}
