import type { DynamicObject } from "../../apimachinery/mod.ts";
import { canonicalJson, formatJson, isObject, jsonClone, type JsonObject, ownValue, setKey } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { fieldSchema, resolveSchema } from "./definitions.ts";

type Fields = Record<string, unknown>;

const PATCH = "$patch",
  RETAIN_KEYS = "$retainKeys",
  DELETE_PREFIX = "$deleteFromPrimitiveList/",
  ORDER_PREFIX = "$setElementOrder/";

/** In kube-apiserver's words where it has some. */
export class StrategicMergeError extends Error {
  override readonly name = "StrategicMergeError";
}

/**
 * Merges maps and, by merge key, lists with the patch strategy `merge`; replaces other lists; null deletes (Kubernetes,
 * "Update API objects in place"). Obeys `$patch`, `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder`.
 * Does not edit inputs.
 *
 * @throws {StrategicMergeError} for an item without its merge key or an invalid directive.
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
    if (value === undefined || key === PATCH || key === RETAIN_KEYS) continue;
    if (key.startsWith(DELETE_PREFIX)) deletePrimitives(merged, key.slice(DELETE_PREFIX.length), value);
    else if (key.startsWith(ORDER_PREFIX)) continue; // after the lists are merged
    else if (value === null) delete merged[key];
    else setKey(merged, key, mergeField(merged, key, value, schema && fieldSchema(schema, key, whole)));
    if (ownValue(merged, key) === undefined) delete merged[key];
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue;
    const field = key.slice(ORDER_PREFIX.length);
    if (!Array.isArray(order)) throw new StrategicMergeError(`$setElementOrder/${field} must be a list`);
    const list = merged[field], before = Array.isArray(live[field]) ? live[field] : [];
    const mergeKey = schema && fieldSchema(schema, field, whole)?.["x-kubernetes-patch-merge-key"];
    if (Array.isArray(list)) merged[field] = ordered(list, order, before, mergeKey);
  }
  return merged;
}

function mergeField(parent: Fields, key: string, value: unknown, schema: Schema | undefined): unknown {
  const live = ownValue(parent, key);
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
  const present = new Set(live.map(canonicalJson));
  const added = patch.filter((item) => !present.has(canonicalJson(item)));
  return ordered([...live, ...added], patch, live, undefined);
}

function mergeItems(live: unknown[], patch: unknown[], mergeKey: string, schema: Schema): unknown[] {
  const items = patch.map((item) => {
    if (isObject(item)) return item;
    throw new StrategicMergeError(
      `unable to merge list: an item is not an object, though it is merged by "${mergeKey}"`,
    );
  });
  if (items.some((item) => item[PATCH] === "replace")) {
    return items.filter((item) => item[PATCH] !== "replace").map((item) => stripped(item));
  }
  // Holes for deleted items keep other positions.
  const merged: unknown[] = [...live], positions = positionsOf(live, mergeKey);
  for (const item of items) {
    const key = item[mergeKey];
    if (key === undefined) {
      throw new StrategicMergeError(`map: ${formatJson(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const identity = canonicalJson(key), [index, ...repeated] = positions.get(identity) ?? [];
    if (item[PATCH] === "delete") {
      for (const at of positions.get(identity) ?? []) merged[at] = undefined;
      positions.delete(identity);
      continue;
    }
    const before = index === undefined ? {} : merged[index] as Fields;
    const after = mergeMap(before, item, schema.items && resolveSchema(schema.items), false);
    positions.set(identity, [index ?? merged.length, ...repeated]);
    merged[index ?? merged.length] = after;
  }
  return ordered(merged.filter((item) => item !== undefined), items, live, mergeKey);
}

function deletePrimitives(merged: Fields, field: string, values: unknown): void {
  const list = merged[field];
  if (!Array.isArray(values)) throw new StrategicMergeError(`$deleteFromPrimitiveList/${field} must be a list`);
  const deleted = new Set(values.map(canonicalJson));
  if (Array.isArray(list)) setKey(merged, field, list.filter((item) => !deleted.has(canonicalJson(item))));
}

/**
 * Named items take the patch's order. Other items stay before the first named item that followed them; new named items
 * precede them.
 */
function ordered(list: unknown[], named: unknown[], before: unknown[], mergeKey: string | undefined): unknown[] {
  const inPatch = positionsOf(named, mergeKey), inLive = positionsOf(before, mergeKey);
  const placed = list.map((item) => {
    const identity = identityOf(item, mergeKey);
    return { item, named: inPatch.get(identity)?.[0], before: inLive.get(identity)?.[0] ?? -1 };
  });
  const ours = placed.filter((each) => each.named !== undefined).sort((a, b) => a.named! - b.named!);
  const others = placed.filter((each) => each.named === undefined).sort((a, b) => a.before - b.before);
  const result: unknown[] = [];
  let o = 0, t = 0;
  while (o < ours.length && t < others.length) {
    const left = others[t]!.before, right = ours[o]!.before;
    result.push(left >= 0 && right >= 0 && left < right ? others[t++]!.item : ours[o++]!.item);
  }
  return [...result, ...ours.slice(o).map(({ item }) => item), ...others.slice(t).map(({ item }) => item)];
}

/** The merge key, or the whole item. */
function identityOf(item: unknown, mergeKey: string | undefined): string {
  return canonicalJson(mergeKey !== undefined && isObject(item) ? item[mergeKey] ?? null : item);
}

function positionsOf(list: readonly unknown[], mergeKey: string | undefined): Map<string, number[]> {
  const positions = new Map<string, number[]>();
  list.forEach((item, index) => {
    const identity = identityOf(item, mergeKey), known = positions.get(identity);
    if (known) known.push(index);
    else positions.set(identity, [index]);
  });
  return positions;
}

function stripped<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.filter((item) => !isObject(item) || item[PATCH] !== "delete").map(stripped) as T;
  }
  if (!isObject(value)) return value;
  const kept: Fields = {};
  for (const [key, item] of Object.entries(value)) {
    if (!key.startsWith("$") && item !== null) setKey(kept, key, stripped(item));
  }
  return kept as T;
}
