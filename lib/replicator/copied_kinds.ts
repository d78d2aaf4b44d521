import { ConfigMap, type Namespace, type ObjectOf, type ReconcileContext, type ResourceKind, Secret } from "../mod.ts";
import { type CopyRecord, projectCopy } from "./copy_record.ts";
import type { ReplicationObject, ReplicationSpec, ReplicationStatus } from "./replication.ts";

/** The operator's name: its field manager, which tells copies from pasted manifests, and its finalizer's end. */
export const REPLICATOR_NAME = "pintle-replicator";
/** What is kept of a copy, or an object that may be one. */
export const recordOf = projectCopy(REPLICATOR_NAME);

export type NamespaceObject = ObjectOf<typeof Namespace>;
export type Context = ReconcileContext<ReplicationObject, ReplicationSpec, ReplicationStatus>;
export type CopyKind = ResourceKind<CopyRecord, unknown, object>;

export const KINDS: Readonly<Record<"Secret" | "ConfigMap", CopyKind>> = {
  Secret: Secret as unknown as CopyKind,
  ConfigMap: ConfigMap as unknown as CopyKind,
};
