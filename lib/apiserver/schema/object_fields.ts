import { isObject } from "../../base/mod.ts";

/** Fields of an object as a client sent it: readers never throw. */
export type Fields = Record<string, unknown>;

export function at(object: unknown, ...path: string[]): unknown {
  let current = object;
  for (const key of path) current = isObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  return current;
}

/** The objects of a list. */
export function listAt(object: unknown, ...path: string[]): Fields[] {
  const list = at(object, ...path);
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** 0 where absent. */
export function countAt(object: unknown, ...path: string[]): number {
  const count = at(object, ...path);
  return typeof count === "number" ? count : 0;
}

/** Empty where absent. */
export function stringAt(object: unknown, ...path: string[]): string {
  const found = at(object, ...path);
  return found === undefined || found === null ? "" : String(found);
}

/** `fallback` where absent or empty. */
export function textAt(object: unknown, path: readonly string[], fallback: string = "<none>"): string {
  return stringAt(object, ...path) || fallback;
}

/** The items of a list of texts. */
export function textsAt(object: unknown, ...path: string[]): string[] {
  const list = at(object, ...path);
  return Array.isArray(list) ? list.map(String) : [];
}

/** How many keys a map has. */
export function sizeAt(object: unknown, ...path: string[]): number {
  const found = at(object, ...path);
  return isObject(found) ? Object.keys(found).length : 0;
}

/** Whether a condition is True. */
export function hasCondition(object: unknown, type: string): boolean {
  return listAt(object, "status", "conditions").some((one) => one.type === type && one.status === "True");
}

/** `key=value` pairs in the order of their keys. */
export function pairsOf(labels: unknown): string {
  if (!isObject(labels)) return "<none>";
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`).join(
    ",",
  ) ||
    "<none>";
}

/** At most `max` items, and how many more there are. */
export function shortList(items: readonly string[], max: number, separator: string = ","): string {
  const shown = items.slice(0, max).join(separator);
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown;
}
