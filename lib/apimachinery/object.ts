/** kubectl's client-side apply keeps the applied manifest here, including data. */
export const LAST_APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";

/** A managedFields entry of server-side apply. */
export interface ManagedFieldsEntry {
  /** The request's `fieldManager`. */
  manager?: string;
  /** `Apply` for server-side apply, `Update` for every other write. */
  operation?: "Apply" | "Update" | string;
  /** The version that names the fields. */
  apiVersion?: string;
  /** RFC 3339: the last change of these fields. */
  time?: string;
  /** Always `FieldsV1`. */
  fieldsType?: string;
  /** Nested keys: `f:name`, `k:{…}` and `v:…` for list items, `.` for the item itself. */
  fieldsV1?: Record<string, unknown>;
  /** As `status`; absent for the object itself. */
  subresource?: string;
}

export interface OwnerReference {
  /** Any served version of the group is accepted. */
  apiVersion: string;
  kind: string;
  /** In the same namespace, or cluster-scoped. */
  name: string;
  /** Another object of that name does not match. */
  uid: string;
  /** Whether this owner manages the object; at most one does. */
  controller?: boolean;
  /** Whether the owner's foreground deletion waits for this object. */
  blockOwnerDeletion?: boolean;
}

/** `metadata` of an object; times are RFC 3339 strings. */
export interface ObjectMeta {
  /** Unique in its resource and namespace; never changes. */
  name?: string;
  /** On create the server appends a random suffix, where `name` is absent. */
  generateName?: string;
  /** Absent for cluster-scoped objects. */
  namespace?: string;
  /** Set by the server: a new object of the same name has another one. */
  uid?: string;
  /** Changes with every write; a replacement that contains it fails after another write. */
  resourceVersion?: string;
  /** Counts changes of the desired state; mostly not of status and metadata. */
  generation?: number;
  /** Set by the server. */
  creationTimestamp?: string;
  /** Set by a deletion request: the object is removed once its finalizers are gone. */
  deletionTimestamp?: string;
  /** Seconds of its deletion's grace period. */
  deletionGracePeriodSeconds?: number;
  /** Short values by which objects are selected. */
  labels?: Record<string, string>;
  /** Values of any form; 256 KiB in all. */
  annotations?: Record<string, string>;
  /** Each blocks the deletion until its owner removes it. */
  finalizers?: string[];
  /** The garbage collector deletes the object when the last of them is gone. */
  ownerReferences?: OwnerReference[];
  /** Which manager owns which fields. */
  managedFields?: ManagedFieldsEntry[];
  /** Former URL; servers since 1.20 leave it out. */
  selfLink?: string;
}

/** The fields of every Kubernetes object; kinds add their own. */
export interface KubeObject {
  /** `group/version`, or `v1` in the core group; absent in a list's items. */
  apiVersion?: string;
  /** CamelCase singular, as `ConfigMap`; absent in a list's items. */
  kind?: string;
  /** Name, identity, version and more. */
  metadata?: ObjectMeta;
}

/** An object of an unknown kind. */
export type DynamicObject = KubeObject & { [field: string]: unknown };

/** A list from the API. */
export interface KubeList<T = KubeObject> {
  /** Also of its items. */
  apiVersion?: string;
  /** The items' kind and `List`. */
  kind?: string;
  /** The version from which a watch continues; for a page the token and (estimated) number of remaining objects. */
  metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  /** All, or those of one page. */
  items: T[];
}

/** The name of an object in its resource. */
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

/** Names hold no slash, so it is unambiguous. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** Negative, zero or positive, for decimal integers of any length (KEP-5504, comparable resource versions). */
export function compareResourceVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
