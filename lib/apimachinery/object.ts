/** The annotation in which kubectl's client-side apply keeps the applied manifest, including data. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** A managedFields entry (server-side apply's bookkeeping). */
export interface ManagedFieldsEntry {
  /** The writer of the fields: the `fieldManager` of the request. */
  manager?: string;
  /** `Apply` for server-side apply, `Update` for every other write. */
  operation?: "Apply" | "Update" | string;
  /** The version in which the fields are named. */
  apiVersion?: string;
  /** RFC 3339: when the manager last changed its set of fields or one of their values. */
  time?: string;
  /** The format of `fieldsV1`; `FieldsV1` is the only one. */
  fieldsType?: string;
  /** The fields as nested keys: `f:name`, `k:{…}` and `v:…` for list items, `.` for the item itself. */
  fieldsV1?: Record<string, unknown>;
  /** The subresource through which they were written, as `status`; absent for the object itself. */
  subresource?: string;
}

/** An owner reference, as `metadata.ownerReferences` holds it. */
export interface OwnerReference {
  /** Group and version of the owner; any served version of the group is accepted. */
  apiVersion: string;
  /** Kind of the owner. */
  kind: string;
  /** The owner is in the same namespace, or cluster-scoped. */
  name: string;
  /** Identity of the owner: another object of that name does not match. */
  uid: string;
  /** Whether this owner manages the object; at most one does. */
  controller?: boolean;
  /** Whether foreground deletion of the owner waits until this object is gone. */
  blockOwnerDeletion?: boolean;
}

/** `metadata` of an object; times are RFC 3339 strings. */
export interface ObjectMeta {
  /** Unique among the objects of its resource and namespace; never changes. */
  name?: string;
  /** Prefix to which the server adds a random suffix where `name` is absent on create. */
  generateName?: string;
  /** Absent for cluster-scoped objects. */
  namespace?: string;
  /** Identity, given by the server: a new object of the same name has another one. */
  uid?: string;
  /** Changes with every write; a replacement that contains it fails after another write. */
  resourceVersion?: string;
  /** Counts changes of the desired state; for most kinds not those of status and metadata. */
  generation?: number;
  /** When the server created it. */
  creationTimestamp?: string;
  /** Set by a deletion request: the object is removed once its finalizers are gone. */
  deletionTimestamp?: string;
  /** Seconds of its deletion's grace period. */
  deletionGracePeriodSeconds?: number;
  /** Short values by which objects are selected. */
  labels?: Record<string, string>;
  /** Values of any form, without selectors; 256 KiB in all. */
  annotations?: Record<string, string>;
  /** Each blocks the object's deletion until its owner removes it. */
  finalizers?: string[];
  /** Owners: the garbage collector deletes the object when the last of them is gone. */
  ownerReferences?: OwnerReference[];
  /** Which manager owns which fields. */
  managedFields?: ManagedFieldsEntry[];
  /** Former URL of the object; servers since 1.20 leave it out. */
  selfLink?: string;
}

/** The fields of every Kubernetes object; kinds add their own. */
export interface KubeObject {
  /** `group/version`, or `v1` in the core group; absent in the items of a list. */
  apiVersion?: string;
  /** CamelCase singular, as `ConfigMap`; absent in the items of a list, too. */
  kind?: string;
  /** Name, identity, version and more. */
  metadata?: ObjectMeta;
}

/** An object of an unknown kind. */
export type DynamicObject = KubeObject & { [field: string]: unknown };

/** A list from the API. */
export interface KubeList<T = KubeObject> {
  /** Group and version of the list and of its items. */
  apiVersion?: string;
  /** The items' kind followed by `List`. */
  kind?: string;
  /** The version from which a watch continues; for a page the token and (estimated) number of the remaining objects. */
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  /** The objects, or those of one page. */
  items: T[];
}

/** Name and namespace of an object; the namespace is absent for cluster-scoped ones. */
export interface ObjectKey {
  /** Absent for cluster-scoped objects. */
  readonly namespace?: string;
  /** As in `metadata.name`. */
  readonly name: string;
}

/** The key of an object that a server returned. */
export function keyOf(object: KubeObject): ObjectKey {
  const { name = "", namespace } = object.metadata ?? {};
  return namespace ? { namespace, name } : { name };
}

/** `namespace/name`, or `name` for cluster-scoped objects: unique within one resource. */
export function formatKey(key: ObjectKey): string {
  return key.namespace ? `${key.namespace}/${key.name}` : key.name;
}

/** The inverse of {@linkcode formatKey}. Names hold no slash, so it is unambiguous. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/**
 * Compares two resourceVersions of one resource: negative, zero or positive. They are decimal integers of any length
 * (KEP-5504, comparable resource versions).
 */
export function compareResourceVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
