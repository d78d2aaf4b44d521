import { jsonEqual } from "../base/mod.ts";
import type { KubeObject, ManagedFieldsEntry, ViewSpec } from "../apimachinery/mod.ts";

/** Sets of own fields shared between objects; those beyond are kept per object. */
const SHARED_SETS_MAX = 1_024;

/**
 * Keeps of `managedFields` only what this manager applied to the object and its status. That shows without a request
 * whether an apply would change anything, and which status fields are ours. Objects share equal sets, so ten thousand
 * cost hardly more than one.
 */
function keepOwnFields(fieldManager: string): (object: KubeObject) => KubeObject {
  const sets = new Map<string, Record<string, unknown>>();
  const share = (entry: ManagedFieldsEntry): ManagedFieldsEntry => {
    const { manager, operation, subresource, fieldsV1 = {} } = entry;
    const text = JSON.stringify(fieldsV1);
    const shared = sets.get(text) ?? fieldsV1;
    if (sets.size < SHARED_SETS_MAX) sets.set(text, shared);
    return { manager, operation, subresource, fieldsV1: shared };
  };
  return (object) => {
    const own = object.metadata?.managedFields?.filter((entry) => isOwn(entry, fieldManager)).map(share);
    return { ...object, metadata: { ...object.metadata, managedFields: own?.length ? own : undefined } };
  };
}

/** What a store keeps of an object, by the view of its kind. */
export type StoreTransform = (view: ViewSpec | undefined) => (object: KubeObject) => KubeObject;

/**
 * {@linkcode keepOwnFields} for whole objects and views. A view cannot remove what the engine compares before it
 * writes: metadata and status. The same function for the same view, since stores are shared by it.
 */
export function storeTransform(fieldManager: string): StoreTransform {
  const whole = keepOwnFields(fieldManager), ofViews = new WeakMap<ViewSpec, (object: KubeObject) => KubeObject>();
  return (view) => {
    const { transform: ofView } = view ?? {};
    if (!view || !ofView) return whole;
    const known = ofViews.get(view);
    if (known) return known;
    const transform = (object: KubeObject) => {
      const { apiVersion, kind, metadata } = whole(object), status = statusOf(object);
      const kept = { ...ofView(object), metadata, ...(status !== undefined && { status }) };
      return apiVersion ? { apiVersion, kind, ...kept } : kept;
    };
    ofViews.set(view, transform);
    return transform;
  };
}

/** The fields that `fieldManager` applied to `object` or its status, as FieldsV1 (KEP-555). */
export function ownFields(
  object: KubeObject,
  fieldManager: string,
  subresource?: "status",
): Record<string, unknown> | undefined {
  const own = object.metadata?.managedFields?.find((entry) =>
    isOwn(entry, fieldManager) && (entry.subresource || undefined) === subresource
  );
  return own?.fieldsV1;
}

function isOwn(entry: ManagedFieldsEntry, fieldManager: string): boolean {
  return entry.manager === fieldManager && entry.operation === "Apply" &&
    (!entry.subresource || entry.subresource === "status");
}

/**
 * Whether `after`, the answer to our write, differs from `before` in nothing that a handler reads but status: only then
 * may its echo be skipped.
 */
export function sameInput(before: KubeObject, after: KubeObject): boolean {
  const a = before.metadata ?? {}, b = after.metadata ?? {};
  return a.uid === b.uid && a.generation !== undefined && a.generation === b.generation &&
    a.deletionTimestamp === b.deletionTimestamp && jsonEqual(a.labels ?? {}, b.labels ?? {}) &&
    jsonEqual(a.annotations ?? {}, b.annotations ?? {}) && jsonEqual(a.finalizers ?? [], b.finalizers ?? []) &&
    jsonEqual(a.ownerReferences ?? [], b.ownerReferences ?? []);
}

export function statusOf(object: KubeObject): unknown {
  return (object as { status?: unknown }).status;
}
