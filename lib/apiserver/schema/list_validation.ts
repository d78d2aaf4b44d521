import type { StatusCause } from "../../apimachinery/mod.ts";
import { canonicalJson, isObject, jsonEqual } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { resolveSchema } from "./definitions.ts";

/** Repeated items of sets and map lists (KEP-1979); skips unchanged lists. */
export function listCauses(value: unknown, schema: Schema, old: unknown, path: string = ""): StatusCause[] {
  if (old !== undefined && jsonEqual(value, old)) return [];
  const causes: StatusCause[] = [];
  if (Array.isArray(value)) {
    if (schema.items) {
      const items = resolveSchema(schema.items);
      value.forEach((item, index) => causes.push(...listCauses(item, items, undefined, `${path}[${index}]`)));
    }
    return [...repeats(value, schema, path), ...causes];
  }
  if (!isObject(value)) return [];
  const former = isObject(old) ? old : {};
  for (const [field, child] of Object.entries(value)) {
    const named = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
    const any = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const next = named ?? any;
    if (!next) continue;
    causes.push(...listCauses(child, resolveSchema(next), former[field], path === "" ? field : `${path}.${field}`));
  }
  return causes;
}

function repeats(list: unknown[], schema: Schema, path: string): StatusCause[] {
  const kind = schema["x-kubernetes-list-type"];
  if (kind !== "set" && kind !== "map") return [];
  const seen = new Set<string>(), reported = new Set<string>(), causes: StatusCause[] = [];
  list.forEach((item, index) => {
    const identity = kind === "set" ? item : keysOf(item, schema["x-kubernetes-list-map-keys"] ?? []);
    const text = canonicalJson(identity);
    if (seen.has(text) && !reported.has(text)) {
      reported.add(text);
      causes.push({ reason: "FieldValueDuplicate", message: `Duplicate value: ${text}`, field: `${path}[${index}]` });
    }
    seen.add(text);
  });
  return causes;
}

/** Finds an item with the same keys in constant time. */
export function itemsByKeys(list: readonly unknown[], keys: readonly string[]): (item: unknown) => unknown {
  const items = new Map<string, unknown>();
  for (const item of list) {
    const identity = canonicalJson(keysOf(item, keys));
    if (isObject(item) && !items.has(identity)) items.set(identity, item);
  }
  return (item) => isObject(item) ? items.get(canonicalJson(keysOf(item, keys))) : undefined;
}

function keysOf(item: unknown, keys: readonly string[]): Record<string, unknown> {
  const source = isObject(item) ? item : {};
  return Object.fromEntries(keys.filter((key) => source[key] !== undefined).map((key) => [key, source[key]]));
}
