import { isObject, jsonEqual } from "../base/mod.ts";

/** One difference between two JSON values, at a path of object keys. */
export interface DiffItem {
  /** `add` where the key was absent, `remove` where it is absent now. */
  readonly operation: "add" | "change" | "remove";
  /** Keys from the root; empty where the values as a whole differ. */
  readonly path: string[];
  /** Absent for `add`. */
  readonly old?: unknown;
  /** Absent for `remove`. */
  readonly next?: unknown;
}

/**
 * The differences from `old` to `next`, in order of keys. Objects are compared field by field; lists are one value,
 * because an index is no identity. An undefined key counts as absent, null is a value.
 *
 * @example
 * ```ts
 * import { diff } from "./diff.ts";
 * const [only] = diff({ spec: { size: 1 } }, { spec: { size: 2 } });
 * if (only?.path.join(".") !== "spec.size") throw new Error("the changed field");
 * ```
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
