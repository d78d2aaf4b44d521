import { ConfigMap, type Namespace, type ObjectOf, type ReconcileContext, type ResourceKind, Secret } from "../mod.ts";
import { type CopyRecord, projectCopy } from "./copy_record.ts";
import type { ReplicationObject, ReplicationSpec, ReplicationStatus } from "./replication.ts";

/**
 * The name of the operator: its field manager, which distinguishes copies from pasted manifests, and the end of its
 * finalizer.
 */
export const REPLICATOR_NAME = "pintle-replicator";
/** What is kept of a copy, or of any object that may be one. */
export const recordOf = projectCopy(REPLICATOR_NAME);

/** A Namespace, as it is watched. */
export type NamespaceObject = ObjectOf<typeof Namespace>;
/** What the handlers of a Replication are given. */
export type Context = ReconcileContext<ReplicationObject, ReplicationSpec, ReplicationStatus>;
/** A kind that is replicated, watched as metadata. */
export type CopyKind = ResourceKind<CopyRecord, unknown, object>;

/** The kinds that are replicated. */
export const KINDS: Readonly<Record<"Secret" | "ConfigMap", CopyKind>> = {
  Secret: Secret as unknown as CopyKind,
  ConfigMap: ConfigMap as unknown as CopyKind,
};
