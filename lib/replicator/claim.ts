import { createHash } from "node:crypto";
import type { ObjectKey } from "../mod.ts";
import { LABEL_VALUE_LENGTH_MAX } from "../client.ts";
import type { CopyRecord } from "./copy_record.ts";

/** Label of every copy, by which the watch selects. Its value distinguishes the copies of one Replication. */
export const REPLICATION_LABEL = "pintle.dev/replication";
/** Annotation of every copy: `namespace/name` of its Replication, for people. */
export const REPLICATION_ANNOTATION = "pintle.dev/replication";
/** Annotation of every copy: the claim, bound to the Replication's uid and the copy's namespace and name. */
export const CLAIM_ANNOTATION = "pintle.dev/claim";
/** Annotation of every copy: the source's resourceVersion that it shows. */
export const VERSION_ANNOTATION = "pintle.dev/source-version";
/** Annotation of an orphan (`deletionPolicy: Orphan`): `namespace/name` of its Replication. */
export const ORPHAN_ANNOTATION = "pintle.dev/orphaned-by";

export interface ReplicationIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** The {@linkcode CLAIM_ANNOTATION} of the copy at `copy`. */
export function claimText(replication: ReplicationIdentity, copy: ObjectKey): string {
  return `${replication.uid} ${copy.namespace}/${copy.name}`;
}

export function replicationText({ namespace, name }: ObjectKey): string {
  return `${namespace}/${name}`;
}

/**
 * The Replication that an object is a copy of, if any.
 *
 * Guarantees: no pasted manifest is a copy. The claim names its place, and counts only if the operator's field manager
 * owns it by a write not older than the object. API servers give a field to the manager that changes it, even on a
 * create whose body has `managedFields` (KEP-555). Only the server knows whether the Replication still exists.
 */
export function claimOf(record: CopyRecord): ReplicationIdentity | undefined {
  const { namespace, name } = record.metadata ?? {};
  const replication = keyOfText(ownAnnotation(record, REPLICATION_ANNOTATION));
  const [uid, place, ...rest] = (ownAnnotation(record, CLAIM_ANNOTATION) ?? "").split(" ");
  if (!replication || !uid || rest.length > 0 || place !== `${namespace}/${name}`) return undefined;
  return { ...replication, uid };
}

export function isCopyOf(record: CopyRecord, replication: ReplicationIdentity): boolean {
  return claimOf(record)?.uid === replication.uid;
}

/**
 * `namespace/name` of the Replication that wrote an object and no longer claims it, if all content is as written. It
 * was orphaned, or its Replication was deleted by force, or restored from a backup with another uid.
 */
export function leftBehindBy(record: CopyRecord): string | undefined {
  if (record.foreign) return undefined;
  return ownAnnotation(record, ORPHAN_ANNOTATION) ?? ownAnnotation(record, REPLICATION_ANNOTATION);
}

/** A Replication's label value: readable if it fits, else shortened with a digest of the names (not of any secret). */
export function replicationLabel(replication: ObjectKey): string {
  const text = `${replication.namespace}.${replication.name}`;
  if (text.length <= LABEL_VALUE_LENGTH_MAX) return text;
  const digest = createHash("sha256").update(replicationText(replication)).digest("hex").slice(0, 12);
  return `${text.slice(0, LABEL_VALUE_LENGTH_MAX - digest.length - 1)}-${digest}`;
}

function ownAnnotation({ metadata, ownAnnotations = [] }: CopyRecord, name: string): string | undefined {
  const annotations = metadata?.annotations ?? {};
  return ownAnnotations.includes(name) && Object.hasOwn(annotations, name) ? annotations[name] : undefined;
}

function keyOfText(text: string | undefined): { namespace: string; name: string } | undefined {
  const [namespace, name, ...rest] = (text ?? "").split("/");
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}
