import { type DynamicObject, formatTime, type ManagedFieldsEntry } from "../../apimachinery/mod.ts";
import { isObject, jsonClone, jsonEqual } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { zeroObject } from "./defaulting.ts";
import {
  differenceOf,
  emptyTrie,
  type FieldTrie,
  formatPath,
  fromFieldsV1,
  insertPath,
  intersectionOf,
  isEmptyTrie,
  pathsOf,
  toFieldsV1,
  unionOf,
} from "./field_trie.ts";
import { mergeTyped } from "./typed_merge.ts";
import { compareTyped, ownedFields, rootType, type TypeAt, withNamedFields, withoutFields } from "./typed_value.ts";

/** Who owns which fields: one managedFields entry, opened. */
interface Owner {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string | undefined;
  apiVersion: string;
  time: string | undefined;
  fields: FieldTrie;
}

/** Fields that an apply would change and another manager owns. */
export interface ApplyConflict {
  /** The other manager's name. */
  manager: string;
  /** The other manager as kube-apiserver prints it: `"kubectl-edit" using apps/v1`. */
  description: string;
  /** Paths such as `.spec.containers[name="a"].image`. */
  fields: string[];
}

/** What server-side apply comes to. */
export type ApplyResult =
  | { kind: "applied"; object: DynamicObject }
  | { kind: "conflict"; conflicts: ApplyConflict[] };

/** As many Update entries as kube-apiserver keeps apart; older ones become one, `ancient-changes`. */
const UPDATE_MANAGERS_MAX = 10;

const UNTRACKED = emptyTrie();
for (const path of [["apiVersion"], ["kind"], ["metadata"]]) insertPath(UNTRACKED, path.map((field) => `f:${field}`));
for (
  const field of [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
  ]
) insertPath(UNTRACKED, ["f:metadata", `f:${field}`]);

/** The request behind a change. */
interface Request {
  manager: string;
  schema: Schema;
  apiVersion: string;
  subresource?: string;
  nowMs: number;
}

/**
 * Server-side apply (KEP-555): merges `applied` over `live` by schema, removes what this manager applied before and nobody else
 * owns, and keeps account of it in `metadata.managedFields`.
 *
 * Guarantees: inputs are not edited; an apply that changes nothing returns an object equal to `live`. Conflicts arise only
 * where the value would change; `force` takes the fields from their owners. Assumes that `applied` has the type's
 * `apiVersion` and no field that the endpoint resets (`status` on the main one).
 *
 * @throws {KeyingError} where `applied` repeats an item of an associative list, or leaves out its keys.
 */
export function applyServerSide(
  input: Request & { live?: DynamicObject; applied: DynamicObject; force: boolean },
): ApplyResult {
  const type = rootType(input.schema);
  const applied = withoutManagedFields(input.applied), live = withoutManagedFields(input.live ?? {});
  let owners = ownersOf(input.live);
  if (owners.length === 0 && input.live?.metadata?.uid) owners = firstOwners(live, input, type);
  const self = owners.find((owner) => owner.operation === "Apply" && isOf(owner, input));
  const others = owners.filter((owner) => owner !== self);
  const fields = ownedFields(applied, type);
  const last = self?.fields;
  let next = mergeTyped(live, applied, type);
  if (last) next = withoutAbandoned(next, last, unionAll([fields, ...others.map((owner) => owner.fields)]), type);
  const comparison = compareTyped(live, next, type);
  const changed = unionOf(comparison.added, comparison.modified);
  const conflicts = others.flatMap((owner) => conflictWith(owner, changed));
  if (conflicts.length > 0 && !input.force) return { kind: "conflict", conflicts };
  const unchanged = jsonEqual(live, next);
  const lost = unionOf(changed, comparison.removed);
  for (const owner of others) owner.fields = differenceOf(owner.fields, lost);
  others.push({
    manager: input.manager,
    operation: "Apply",
    subresource: input.subresource,
    apiVersion: input.apiVersion,
    time: unchanged && self ? self.time : formatTime(input.nowMs),
    fields: differenceOf(fields, UNTRACKED),
  });
  return { kind: "applied", object: withEntries(jsonClone(next) as DynamicObject, entriesOf(others)) };
}

/**
 * The managedFields after a create, update or patch: the manager owns what it changed, others lose it. Entries of `after` (a
 * client may send them) count, else those of `before`; an empty list, or one empty entry, resets them.
 */
export function trackUpdate(
  input: Request & { before?: DynamicObject; after: DynamicObject },
): ManagedFieldsEntry[] {
  const sent = input.after.metadata?.managedFields;
  const reset = sent !== undefined && (sent.length === 0 || (sent.length === 1 && Object.keys(sent[0]!).length === 0));
  let owners = sent?.length && !input.subresource && areReadable(sent) ? ownersOf(input.after) : ownersOf(input.before);
  if (reset && !input.subresource) owners = [];
  if (owners.length === 0 && input.before?.metadata?.uid) return [];
  const type = rootType(input.schema);
  const before = withoutManagedFields(input.before ?? zeroObject(input.schema)),
    after = withoutManagedFields(input.after);
  return entriesOf(capped(updated(owners, before, after, input, type)));
}

function updated(owners: Owner[], before: unknown, after: unknown, request: Request, type: TypeAt): Owner[] {
  const comparison = compareTyped(before, after, type);
  const changed = unionOf(comparison.added, comparison.modified);
  const lost = unionOf(changed, comparison.removed);
  for (const owner of owners) owner.fields = differenceOf(owner.fields, lost);
  const taken = withoutStrategyFields(differenceOf(changed, UNTRACKED), request);
  if (isEmptyTrie(taken)) return owners;
  const self = owners.find((owner) =>
    owner.operation === "Update" && owner.apiVersion === request.apiVersion && isOf(owner, request)
  );
  const time = formatTime(request.nowMs);
  if (self) {
    self.fields = unionOf(self.fields, taken);
    self.time = time;
    return owners;
  }
  const { manager, subresource, apiVersion } = request;
  return [...owners, { manager, operation: "Update", subresource, apiVersion, time, fields: taken }];
}

const NAMESPACE_FINALIZERS = emptyTrie();
insertPath(NAMESPACE_FINALIZERS, ["f:spec", "f:finalizers"]);

/** Built-in kinds fill in status, and a namespace its finalizer, after the account was made. */
function withoutStrategyFields(fields: FieldTrie, request: Request): FieldTrie {
  if (request.schema.$ref === undefined || request.subresource) return fields;
  const children = new Map([...fields.children].filter(([element]) => element !== "f:status"));
  const rest = { self: fields.self, children };
  return request.schema.$ref.endsWith(".v1.Namespace") ? differenceOf(rest, NAMESPACE_FINALIZERS) : rest;
}

/** An object that nobody tracked is owned by "before-first-apply" from its first apply on. */
function firstOwners(live: DynamicObject, request: Request, type: TypeAt): Owner[] {
  return updated([], zeroObject(request.schema), live, {
    ...request,
    manager: "before-first-apply",
    subresource: undefined,
  }, type);
}

/**
 * Removes what was applied before, is not applied now and is owned by nobody. Three steps, because removing an item also
 * removes parts of it that others own: those come back, and then only what the manager itself abandoned goes.
 */
function withoutAbandoned(merged: unknown, last: FieldTrie, owned: FieldTrie, type: TypeAt): unknown {
  const whole = (set: FieldTrie) => withNamedFields(set, type);
  const mergedSet = whole(ownedFields(merged, type));
  const firstPruned = withoutFields(merged, whole(last), type) ?? {};
  const wanted = unionOf(whole(ownedFields(firstPruned, type)), whole(owned));
  const pruned = withoutFields(merged, differenceOf(mergedSet, wanted), type) ?? {};
  const gone = differenceOf(mergedSet, whole(ownedFields(pruned, type)));
  return withoutFields(merged, intersectionOf(gone, whole(last)), type) ?? {};
}

function conflictWith(owner: Owner, changed: FieldTrie): ApplyConflict[] {
  const fields = pathsOf(intersectionOf(owner.fields, changed)).map(formatPath);
  if (fields.length === 0) return [];
  const via = owner.subresource ? ` with subresource "${owner.subresource}"` : "";
  const using = owner.operation === "Update" ? ` using ${owner.apiVersion}` : "";
  return [{ manager: owner.manager, description: `"${owner.manager}"${via}${using}`, fields }];
}

function isOf(owner: Owner, request: Request): boolean {
  return owner.manager === request.manager && (owner.subresource ?? "") === (request.subresource ?? "");
}

function unionAll(sets: FieldTrie[]): FieldTrie {
  return sets.reduce(unionOf, emptyTrie());
}

function areReadable(entries: ManagedFieldsEntry[]): boolean {
  return entries.every((entry) =>
    (entry.operation === "Apply" || entry.operation === "Update") && entry.fieldsType === "FieldsV1" && entry.apiVersion
  );
}

function ownersOf(object: DynamicObject | undefined): Owner[] {
  return (object?.metadata?.managedFields ?? []).map((entry) => ({
    manager: entry.manager ?? "",
    operation: entry.operation ?? "Update",
    subresource: entry.subresource || undefined,
    apiVersion: entry.apiVersion ?? "",
    time: entry.time,
    fields: fromFieldsV1(entry.fieldsV1),
  }));
}

/** Keeps the number of Update entries bounded: the oldest become one. */
function capped(owners: Owner[]): Owner[] {
  const updates = owners.filter((owner) => owner.operation === "Update" && !isEmptyTrie(owner.fields));
  let excess = updates.length - UPDATE_MANAGERS_MAX;
  if (excess <= 0) return owners;
  const buckets = new Map<string, Owner>();
  const oldest = updates.toSorted((a, b) => (a.time ?? "") < (b.time ?? "") ? -1 : 1);
  const kept = new Set(owners);
  for (const owner of oldest) {
    if (excess <= 0) break;
    kept.delete(owner);
    const bucket = buckets.get(owner.apiVersion);
    if (bucket) {
      bucket.fields = unionOf(bucket.fields, owner.fields);
      bucket.time = owner.time;
      excess--;
    } else {
      const ancient = { ...owner, manager: "ancient-changes", subresource: undefined };
      buckets.set(owner.apiVersion, ancient);
    }
  }
  return [...kept, ...buckets.values()];
}

/** Entries in kube-apiserver's order: Apply before Update, then by time, manager, version, subresource. */
function entriesOf(owners: Owner[]): ManagedFieldsEntry[] {
  return owners.filter((owner) => !isEmptyTrie(owner.fields))
    .toSorted((a, b) => {
      const left = sortKeys(a), right = sortKeys(b);
      const index = left.findIndex((text, position) => text !== right[position]);
      return index < 0 ? 0 : left[index]! < right[index]! ? -1 : 1;
    })
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time === undefined ? {} : { time: owner.time }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(owner.fields),
      ...(owner.subresource ? { subresource: owner.subresource } : {}),
    }));
}

function sortKeys(owner: Owner): string[] {
  return [owner.operation, owner.time ?? "", owner.manager, owner.apiVersion, owner.subresource ?? ""];
}

function withoutManagedFields(object: DynamicObject): DynamicObject {
  if (!isObject(object.metadata) || !Object.hasOwn(object.metadata, "managedFields")) return object;
  const { managedFields: _entries, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withEntries(object: DynamicObject, entries: ManagedFieldsEntry[]): DynamicObject {
  if (entries.length === 0) return object;
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}
