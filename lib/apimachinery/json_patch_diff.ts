import { isObject, jsonEqual } from "../base/mod.ts";
import type { JsonPatchOperation } from "./json_patch.ts";

/**
 * The JSON patch (RFC 6902) from `old` to `next`, key by key. A list with new items at its end gets those; any other
 * list that differs is replaced, because an index is no identity.
 */
export function jsonPatchBetween(old: unknown, next: unknown): JsonPatchOperation[] {
  const operations: JsonPatchOperation[] = [];
  walk(old, next, "", operations);
  return operations;
}

function walk(old: unknown, next: unknown, path: string, operations: JsonPatchOperation[]): void {
  if (jsonEqual(old, next)) return;
  if (isObject(old) && isObject(next)) return walkObject(old, next, path, operations);
  if (Array.isArray(old) && Array.isArray(next) && next.length > old.length) {
    if (old.every((item, index) => jsonEqual(item, next[index]))) {
      for (const value of next.slice(old.length)) operations.push({ op: "add", path: `${path}/-`, value });
      return;
    }
  }
  operations.push({ op: "replace", path, value: next });
}

function walkObject(
  old: Record<string, unknown>,
  next: Record<string, unknown>,
  path: string,
  operations: JsonPatchOperation[],
): void {
  const has = (object: Record<string, unknown>, key: string) => Object.hasOwn(object, key) && object[key] !== undefined;
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    const at = `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (!has(next, key)) {
      if (has(old, key)) operations.push({ op: "remove", path: at });
    } else if (!has(old, key)) operations.push({ op: "add", path: at, value: next[key] });
    else walk(old[key], next[key], at, operations);
  }
}
