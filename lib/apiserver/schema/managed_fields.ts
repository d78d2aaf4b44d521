import { type DynamicObject, formatTime, type ManagedFieldsEntry } from "../../apimachinery/mod.ts";
import { isObject, jsonClone, jsonEqual } from "../../base/mod.ts";
import type { ConversionSteps } from "../conversion_steps.ts";
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

/** A decoded managedFields entry. */
interface Owner {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string | undefined;
  apiVersion: string;
  time: string | undefined;
  fields: FieldTrie;
}

export interface ApplyConflict {
  manager: string;
  /** As kube-apiserver prints it: `"kubectl-edit" using apps/v1`. */
  description: string;
  fields: string[];
}

type ApplyResult =
  | { kind: "applied"; object: DynamicObject }
  | { kind: "conflict"; conflicts: ApplyConflict[] };

/** kube-apiserver merges older Update entries into `ancient-changes`. */
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

interface Request {
  manager: string;
  schema: Schema;
  apiVersion: string;
  /**
   * Each version's schema where a webhook converts: managers' fields are compared in their versions. Absent where all
   * versions name fields alike.
   */
  schemas?: ReadonlyMap<string, Schema>;
  subresource?: string;
  nowMs: number;
}

/**
 * Server-side apply (KEP-555): merges `applied` over `live` and removes what this manager applied before and no other
 * owns. Records it in `metadata.managedFields`.
 *
 * Guarantees: inputs are not edited; an apply without changes returns an equal object. Only a changed value conflicts;
 * `force` takes the field. Other versions' fields are compared and removed in those versions, after conversion. Assumes
 * that `applied` has the type's `apiVersion` and no field that the endpoint resets (`status` on the main one).
 *
 * @throws {KeyingError} where an associative list in `applied` repeats an item or lacks keys.
 */
export function* applyServerSide(
  input: Request & { live?: DynamicObject; applied: DynamicObject; force: boolean },
): ConversionSteps<ApplyResult> {
  const type = rootType(input.schema);
  const applied = withoutManagedFields(input.applied), live = withoutManagedFields(input.live ?? {});
  let owners = ownersOf(input.live);
  if (owners.length === 0 && input.live?.metadata?.uid) owners = firstOwners(live, input, type);
  const self = owners.find((owner) => owner.operation === "Apply" && isOwnedBy(owner, input));
  const others = owners.filter((owner) => owner !== self);
  const fields = ownedFields(applied, type);
  let next = mergeTyped(live, applied, type);
  if (self) next = yield* withoutAbandoned(next as DynamicObject, self, [{ ...input, fields }, ...others], input);
  const changes = yield* changesByVersion(live, next as DynamicObject, others, input);
  const conflicts = others.flatMap((owner) => conflictWith(owner, changes.of(owner).changed));
  if (conflicts.length > 0 && !input.force) return { kind: "conflict", conflicts };
  const unchanged = jsonEqual(live, next);
  for (const owner of others) owner.fields = differenceOf(owner.fields, changes.of(owner).lost);
  others.push({
    manager: input.manager,
    operation: "Apply",
    subresource: input.subresource,
    apiVersion: input.apiVersion,
    time: unchanged ? self?.time : formatTime(input.nowMs),
    fields: differenceOf(fields, UNTRACKED),
  });
  return { kind: "applied", object: withEntries(jsonClone(next) as DynamicObject, entriesOf(others)) };
}

/**
 * managedFields after a create, update or patch: the manager owns what it changed, others lose it. Entries of `after`
 * win over those of `before`, since a client may send them. An empty list, or one empty entry, resets them.
 */
export function* trackUpdate(
  input: Request & { before?: DynamicObject; after: DynamicObject },
): ConversionSteps<ManagedFieldsEntry[]> {
  const sent = input.after.metadata?.managedFields;
  const reset = sent !== undefined && (sent.length === 0 || (sent.length === 1 && Object.keys(sent[0]!).length === 0));
  let owners = sent?.length && !input.subresource && areReadable(sent) ? ownersOf(input.after) : ownersOf(input.before);
  if (reset && !input.subresource) owners = [];
  if (owners.length === 0 && input.before?.metadata?.uid) return [];
  const before = withoutManagedFields(input.before ?? zeroObject(input.schema)),
    after = withoutManagedFields(input.after);
  // Managers sent with a create are dropped: the creator owns all.
  if (!input.before) owners = owners.filter(({ apiVersion }) => isNative(apiVersion, input));
  const changes = yield* changesByVersion(before, after, owners, input);
  return entriesOf(mergeOldUpdates(updated(owners, changes, input)));
}

function updated(owners: Owner[], changes: Changes, request: Request): Owner[] {
  const { changed } = changes.own;
  for (const owner of owners) owner.fields = differenceOf(owner.fields, changes.of(owner).lost);
  const taken = withoutStrategyFields(differenceOf(changed, UNTRACKED), request);
  if (isEmptyTrie(taken)) return owners;
  const self = owners.find((owner) =>
    owner.operation === "Update" && owner.apiVersion === request.apiVersion && isOwnedBy(owner, request)
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

/** Status of built-in kinds is set after managers are recorded. */
function withoutStrategyFields(fields: FieldTrie, request: Request): FieldTrie {
  if (request.schema.$ref === undefined || request.subresource) return fields;
  const children = new Map([...fields.children].filter(([element]) => element !== "f:status"));
  return { self: fields.self, children };
}

/** From the first apply on, "before-first-apply" owns an untracked object. */
function firstOwners(live: DynamicObject, request: Request, type: TypeAt): Owner[] {
  const own = changeBetween(zeroObject(request.schema), live, type);
  return updated([], { own, of: () => own }, { ...request, manager: "before-first-apply", subresource: undefined });
}

/** A write's changed fields in one version. */
interface Change {
  readonly changed: FieldTrie;
  readonly lost: FieldTrie;
}

/** By manager, in its version. */
interface Changes {
  readonly own: Change;
  of(owner: Owner): Change;
}

function changeBetween(before: unknown, after: unknown, type: TypeAt): Change {
  const { added, modified, removed } = compareTyped(before, after, type), changed = unionOf(added, modified);
  return { changed, lost: unionOf(changed, removed) };
}

/** Whether a version names fields as the request's does. */
function isNative(apiVersion: string, { schemas, apiVersion: own }: Request): boolean {
  return schemas === undefined || apiVersion === own;
}

function* changesByVersion(
  before: DynamicObject,
  after: DynamicObject,
  owners: readonly Owner[],
  request: Request,
): ConversionSteps<Changes> {
  const own = changeBetween(before, after, rootType(request.schema)), others = new Map<string, Change>();
  for (const { apiVersion } of owners) {
    if (isNative(apiVersion, request) || others.has(apiVersion)) continue;
    const from = yield* asVersion(before, apiVersion), to = yield* asVersion(after, apiVersion);
    others.set(apiVersion, changeBetween(from, to, typeIn(apiVersion, request)));
  }
  return { own, of: ({ apiVersion }) => others.get(apiVersion) ?? own };
}

function* asVersion(object: DynamicObject, apiVersion: string): ConversionSteps<DynamicObject> {
  return object.apiVersion === apiVersion ? object : withoutManagedFields(yield { object, apiVersion });
}

/** A removed version has no schema and no conversion. */
function typeIn(apiVersion: string, { schemas, schema }: Request): TypeAt {
  return rootType(schemas?.get(apiVersion) ?? schema);
}

/**
 * Removes fields that were applied before, are not applied now and have no owner. A removed item may hold fields that
 * others own: they are restored, version by version, before this manager's are removed.
 */
function* withoutAbandoned(
  merged: DynamicObject,
  last: Owner,
  owners: readonly Pick<Owner, "apiVersion" | "fields">[],
  request: Request,
): ConversionSteps<DynamicObject> {
  const version = isNative(last.apiVersion, request) ? request.apiVersion : last.apiVersion;
  const type = typeIn(version, request), before = yield* asOwnVersion(merged, version, request);
  const whole = (set: FieldTrie) => withNamedFields(set, type);
  let kept = withoutFields(before, whole(last.fields), type) as DynamicObject ?? {};
  for (const [at, fields] of ownedByVersion(owners, version, request)) {
    const there = typeIn(at, request), all = yield* asOwnVersion(before, at, request);
    kept = yield* asOwnVersion(kept, at, request);
    const named = (set: FieldTrie) => withNamedFields(set, there);
    const wanted = unionOf(named(ownedFields(kept, there)), named(fields));
    kept = withoutFields(all, differenceOf(named(ownedFields(all, there)), wanted), there) as DynamicObject ?? {};
  }
  kept = yield* asOwnVersion(kept, version, request);
  const gone = differenceOf(whole(ownedFields(before, type)), whole(ownedFields(kept, type)));
  const rest = withoutFields(before, intersectionOf(gone, whole(last.fields)), type) as DynamicObject ?? {};
  return yield* asOwnVersion(rest, request.apiVersion, request);
}

/** Owned fields by version. `first` goes first: conversion may need what it lacks. */
function ownedByVersion(
  owners: readonly Pick<Owner, "apiVersion" | "fields">[],
  first: string,
  request: Request,
): Map<string, FieldTrie> {
  const sets = new Map([[first, emptyTrie()]]);
  for (const { apiVersion, fields } of owners) {
    const version = isNative(apiVersion, request) ? request.apiVersion : apiVersion;
    sets.set(version, unionOf(sets.get(version) ?? emptyTrie(), fields));
  }
  return sets;
}

/** Converts through the request's version, as kube-apiserver does. */
function* asOwnVersion(object: DynamicObject, apiVersion: string, request: Request): ConversionSteps<DynamicObject> {
  if (request.schemas === undefined || object.apiVersion === apiVersion) return object;
  const near = yield* asVersion(object, request.apiVersion);
  return yield* asVersion(near, apiVersion);
}

function conflictWith(owner: Owner, changed: FieldTrie): ApplyConflict[] {
  const fields = pathsOf(intersectionOf(owner.fields, changed)).map(formatPath);
  if (fields.length === 0) return [];
  const via = owner.subresource ? ` with subresource "${owner.subresource}"` : "";
  const using = owner.operation === "Update" ? ` using ${owner.apiVersion}` : "";
  return [{ manager: owner.manager, description: `"${owner.manager}"${via}${using}`, fields }];
}

function isOwnedBy(owner: Owner, request: Request): boolean {
  return owner.manager === request.manager && (owner.subresource ?? "") === (request.subresource ?? "");
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

/** Merges the oldest Update entries. */
function mergeOldUpdates(owners: Owner[]): Owner[] {
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

/** kube-apiserver's order: Apply first, then by time, manager, version, subresource. */
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
