import { isObject, ownValue, setKey } from "../../base/mod.ts";
import { elementOf, fieldType, itemsByElement, itemType, KeyingError, shapeOf, type TypeAt } from "./typed_value.ts";

/**
 * Merges by schema: maps by field, associative lists by item in applied order; replaces other values. Removes nothing.
 *
 * @throws {KeyingError} where `applied` repeats an item of an associative list.
 */
export function mergeTyped(live: unknown, applied: unknown, type: TypeAt, path: string = ""): unknown {
  if (applied === undefined) return live;
  const shape = shapeOf(applied, type);
  if (live === undefined || live === null || shape === "leaf" || shapeOf(live, type) !== shape) {
    if (shape === "set-list" || shape === "map-list") refuseRepeats(applied, type, path);
    if (shape !== "map" || !isObject(applied) || Object.keys(applied).length === 0) return clean(applied, type, path);
    return mergeMap({}, applied, type, path);
  }
  if (shape === "map") return mergeMap(live, applied, type, path);
  return mergeList(live as unknown[], applied, type, path);
}

function clean(applied: unknown, type: TypeAt, path: string): unknown {
  const shape = shapeOf(applied, type);
  if (shape === "map-list" && Array.isArray(applied)) {
    return applied.map((item) => mergeTyped(undefined, item, itemType(type), `${path}[]`));
  }
  return applied;
}

function mergeMap(live: unknown, applied: unknown, type: TypeAt, path: string): unknown {
  const before = isObject(live) ? live : {}, after = isObject(applied) ? applied : {};
  const merged: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = mergeTyped(
      ownValue(before, field),
      ownValue(after, field),
      fieldType(type, field),
      `${path}.${field}`,
    );
    if (value !== undefined) setKey(merged, field, value);
  }
  // Distinguishes an empty map from null.
  return Object.keys(merged).length > 0 ? merged : applied;
}

function mergeList(live: unknown[], applied: unknown, type: TypeAt, path: string): unknown {
  if (!Array.isArray(applied) || applied.length === 0) return live.length > 0 ? live : applied;
  refuseRepeats(applied, type, path);
  const liveItems = itemsByElement(live, type), appliedItems = itemsByElement(applied, type);
  const left = live.map((item) => elementOf(item, type)), right = applied.map((item) => elementOf(item, type));
  const shared = right.filter((element) => liveItems.has(element));
  const merged: unknown[] = [], done = new Set<string>();
  let nextShared = 0;
  const take = (element: string) => {
    const before = liveItems.get(element) ?? [];
    done.add(element);
    if (shared[nextShared] === element) nextShared++;
    // Repeated live items are replaced: none is the one to merge with.
    const base = before.length === 1 ? before[0] : undefined;
    merged.push(mergeTyped(base, appliedItems.get(element)![0], itemType(type), `${path}[]`));
  };
  let l = 0, r = 0;
  while (l < left.length || r < right.length) {
    const ours = left[l], theirs = right[r];
    if (ours !== undefined && ours === theirs) {
      take(ours);
      l++;
      r++;
    } else if (
      ours !== undefined && theirs !== undefined && appliedItems.has(ours) && shared[nextShared] &&
      shared[nextShared] !== ours
    ) {
      l++; // shared, but its turn comes where the applied order puts it
    } else if (ours !== undefined && !appliedItems.has(ours)) {
      merged.push(live[l]);
      l++;
    } else if (ours !== undefined && (done.has(ours) || theirs === undefined)) l++;
    else {
      if (!done.has(theirs!)) take(theirs!);
      r++;
    }
  }
  return merged;
}

function refuseRepeats(applied: unknown, type: TypeAt, path: string): void {
  for (const [element, items] of itemsByElement(applied, type)) {
    if (items.length > 1) throw new KeyingError(`${path}: duplicate entries for key [${element.slice(2)}]`);
  }
}
