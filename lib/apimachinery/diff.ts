import { isObject, jsonEqual } from "../base/mod.ts";

export interface DiffItem {
  /** `add` where the key was absent, `remove` where it is absent now. */
  readonly operation: "add" | "change" | "remove";
  /** Keys from the root; empty where the values as a whole differ. */
  readonly path: string[];
  readonly old?: unknown;
  readonly next?: unknown;
}

/**
 * The differences, in order of keys. Lists are one value, because an index is no identity. Undefined counts as absent,
 * null is a value.
 */
export function diff(old: unknown, next: unknown): DiffItem[] {
  const items: DiffItem[] = [];
  walk(old, next, [], items);
  return items;
}

function walk(old: unknown, next: unknown, path: string[], items: DiffItem[]): void {
  if (isObject(old) && isObject(next)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(next)]);
    for (const key of [...keys].sort()) {
      walk(
        Object.hasOwn(old, key) ? old[key] : undefined,
        Object.hasOwn(next, key) ? next[key] : undefined,
        [...path, key],
        items,
      );
    }
    return;
  }
  if (old === undefined && next === undefined) return;
  if (old === undefined) items.push({ operation: "add", path, next });
  else if (next === undefined) items.push({ operation: "remove", path, old });
  else if (!jsonEqual(old, next)) items.push({ operation: "change", path, old, next });
}
