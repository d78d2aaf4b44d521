import type { DynamicObject } from "../../apimachinery/mod.ts";
import { isObject, isUnsafeKey, jsonClone, jsonEqual, type JsonObject } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { fieldSchema, resolveSchema } from "./definitions.ts";

type Fields = Record<string, unknown>;

const PATCH = "$patch",
  RETAIN_KEYS = "$retainKeys",
  DELETE_PREFIX = "$deleteFromPrimitiveList/",
  ORDER_PREFIX = "$setElementOrder/";

/** A strategic merge patch that cannot be carried out; the message is kube-apiserver's where it has one. */
export class StrategicMergeError extends Error {
  override readonly name = "StrategicMergeError";
}

/**
 * The object after a strategic merge patch (Kubernetes, "Update API objects in place"): maps merge, null deletes, lists with the
 * patch strategy `merge` merge by their merge key, others are replaced; the directives `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList` and `$setElementOrder` are obeyed. Inputs are not edited.
 *
 * @throws {StrategicMergeError} for an item without its merge key or a directive that makes no sense.
 */
export function strategicMerge(live: DynamicObject, patch: JsonObject, schema: Schema): DynamicObject {
  return mergeMap(jsonClone(live), patch, resolveSchema(schema), true) as DynamicObject;
}

function mergeMap(live: Fields, patch: Fields, schema: Schema | undefined, whole: boolean): Fields {
  const directive = patch[PATCH];
  if (directive === "replace") return stripped(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw new StrategicMergeError(`Unrecognized patch type: ${String(directive)} in map`);
  }
  const merged = retained(live, patch);
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined || key === PATCH || key === RETAIN_KEYS || isUnsafeKey(key)) continue;
    if (key.startsWith(DELETE_PREFIX)) deletePrimitives(merged, key.slice(DELETE_PREFIX.length), value);
    else if (key.startsWith(ORDER_PREFIX)) continue; // after the lists are merged
    else if (value === null) delete merged[key];
    else merged[key] = mergeField(merged, key, value, schema && fieldSchema(schema, key, whole));
    if (merged[key] === undefined) delete merged[key];
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue;
    const field = key.slice(ORDER_PREFIX.length);
    setOrder(merged, live, field, order, schema && fieldSchema(schema, field, whole));
  }
  return merged;
}

function mergeField(parent: Fields, key: string, value: unknown, schema: Schema | undefined): unknown {
  const live = Object.hasOwn(parent, key) ? parent[key] : undefined;
  if (isObject(value)) {
    const replaces = strategies(schema).includes("replace");
    if (value[PATCH] === "delete") return undefined;
    return mergeMap(isObject(live) && !replaces ? live : {}, value, schema, false);
  }
  if (!Array.isArray(value)) return value;
  if (!strategies(schema).includes("merge")) return stripped(value);
  const before = Array.isArray(live) ? live : [];
  const mergeKey = schema!["x-kubernetes-patch-merge-key"];
  return mergeKey === undefined ? mergePrimitives(before, value) : mergeItems(before, value, mergeKey, schema!);
}

function strategies(schema: Schema | undefined): string[] {
  return schema?.["x-kubernetes-patch-strategy"]?.split(",") ?? [];
}

function retained(live: Fields, patch: Fields): Fields {
  const keys = patch[RETAIN_KEYS];
  if (keys === undefined) return { ...live };
  if (!Array.isArray(keys)) throw new StrategicMergeError("$retainKeys must be a list of field names");
  const extra = Object.keys(patch).find((key) => !key.startsWith("$") && patch[key] !== null && !keys.includes(key));
  if (extra !== undefined) {
    throw new StrategicMergeError(`$retainKeys list does not contain the field "${extra}" that the patch sets`);
  }
  return Object.fromEntries(Object.entries(live).filter(([key]) => keys.includes(key)));
}

function mergePrimitives(live: unknown[], patch: unknown[]): unknown[] {
  const added = patch.filter((item) => !live.some((other) => jsonEqual(item, other)));
  return ordered([...live, ...added], patch, live, undefined);
}

function mergeItems(live: unknown[], patch: unknown[], mergeKey: string, schema: Schema): unknown[] {
  const items = patch.map((item) => {
    if (isObject(item)) return item;
    throw new StrategicMergeError(`unable to merge list: an item is no object, though it is merged by "${mergeKey}"`);
  });
  if (items.some((item) => item[PATCH] === "replace")) {
    return items.filter((item) => item[PATCH] !== "replace").map((item) => stripped(item));
  }
  let merged = [...live];
  for (const item of items) {
    const key = item[mergeKey];
    if (key === undefined) {
      throw new StrategicMergeError(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const same = (other: unknown) => isObject(other) && jsonEqual(other[mergeKey], key);
    if (item[PATCH] === "delete") {
      merged = merged.filter((other) => !same(other));
      continue;
    }
    const index = merged.findIndex(same);
    const before = index < 0 ? {} : merged[index] as Fields;
    const after = mergeMap(before, item, schema.items && resolveSchema(schema.items), false);
    if (index < 0) merged.push(after);
    else merged[index] = after;
  }
  return ordered(merged, items, live, mergeKey);
}

function deletePrimitives(merged: Fields, field: string, values: unknown): void {
  const list = merged[field];
  if (!Array.isArray(values)) throw new StrategicMergeError(`$deleteFromPrimitiveList/${field} must be a list`);
  if (Array.isArray(list)) merged[field] = list.filter((item) => !values.some((value) => jsonEqual(item, value)));
}

function setOrder(merged: Fields, live: Fields, field: string, order: unknown, schema: Schema | undefined): void {
  const list = merged[field];
  if (!Array.isArray(order)) throw new StrategicMergeError(`$setElementOrder/${field} must be a list`);
  if (!Array.isArray(list)) return;
  const before = Array.isArray(live[field]) ? live[field] : [];
  merged[field] = ordered(list, order, before, schema?.["x-kubernetes-patch-merge-key"]);
}

/**
 * Items that the patch names in its order; among them the others, each before the first named item that it preceded. A named
 * item that is new goes before any other.
 */
function ordered(list: unknown[], named: unknown[], before: unknown[], mergeKey: string | undefined): unknown[] {
  const keyOf = (item: unknown) => mergeKey !== undefined && isObject(item) ? item[mergeKey] : item;
  const position = (among: unknown[], item: unknown) =>
    among.findIndex((other) => jsonEqual(keyOf(other), keyOf(item)));
  const ours = list.filter((item) => position(named, item) >= 0)
    .toSorted((a, b) => position(named, a) - position(named, b));
  const others = list.filter((item) => position(named, item) < 0)
    .toSorted((a, b) => position(before, a) - position(before, b));
  const result: unknown[] = [];
  while (ours.length > 0 && others.length > 0) {
    const left = position(before, others[0]), right = position(before, ours[0]);
    result.push(left >= 0 && right >= 0 && left < right ? others.shift() : ours.shift());
  }
  return [...result, ...ours, ...others];
}

/** What a patch adds, without its directives. */
function stripped<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.filter((item) => !isObject(item) || item[PATCH] !== "delete").map(stripped) as T;
  }
  if (!isObject(value)) return value;
  const kept: Fields = {};
  for (const [key, item] of Object.entries(value)) {
    if (!key.startsWith("$") && item !== null && !isUnsafeKey(key)) kept[key] = stripped(item);
  }
  return kept as T;
}
