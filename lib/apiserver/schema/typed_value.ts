import { formatJson, isObject, jsonEqual, ownValue, setKey } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { fieldSchema, resolveSchema } from "./definitions.ts";
import { emptyTrie, type FieldTrie, insertPath, isEmptyTrie, keyElement } from "./field_trie.ts";

/**
 * Server-side apply's values (KEP-555, structured-merge-diff). Scalars, atomic lists and maps have one owner; others
 * are owned part by part.
 */

/** Without a schema, the value shows its shape. */
export type TypeAt = { readonly schema: Schema | undefined; readonly whole: boolean };

export type Shape = "leaf" | "map" | "set-list" | "map-list";

export function rootType(schema: Schema): TypeAt {
  return { schema: resolveSchema(schema), whole: true };
}

/** Null takes its schema's shape. */
export function shapeOf(value: unknown, type: TypeAt): Shape {
  const { schema } = type;
  if (schema === undefined || (schema.type === undefined && !schema.properties)) {
    return isObject(value) ? "map" : "leaf";
  }
  if (schema.type === "array") {
    if (!Array.isArray(value) && value !== null) return "leaf";
    if (schema["x-kubernetes-list-type"] === "set") return "set-list";
    return schema["x-kubernetes-list-type"] === "map" ? "map-list" : "leaf";
  }
  if (schema.type !== undefined && schema.type !== "object") return "leaf";
  if (!isObject(value) && value !== null) return "leaf";
  return schema["x-kubernetes-map-type"] === "atomic" || isRaw(schema) ? "leaf" : "map";
}

/** JSON of any shape, such as a ControllerRevision's data, has one owner. */
function isRaw({ go }: Schema): boolean {
  return go?.endsWith(".RawExtension") === true;
}

export function fieldType(type: TypeAt, field: string): TypeAt {
  const schema = type.schema && fieldSchema(type.schema, field, type.whole);
  return { schema, whole: schema?.["x-kubernetes-embedded-resource"] === true };
}

export function itemType(type: TypeAt): TypeAt {
  const schema = type.schema?.items && resolveSchema(type.schema.items);
  return { schema, whole: schema?.["x-kubernetes-embedded-resource"] === true };
}

/** False for a field that the schema only allows. */
export function isNamedField(type: TypeAt, field: string): boolean {
  if (type.whole && (field === "apiVersion" || field === "kind" || field === "metadata")) return true;
  return type.schema?.properties !== undefined && Object.hasOwn(type.schema.properties, field);
}

/** An associative list without valid keys, which apply refuses. */
export class KeyingError extends Error {
  override readonly name = "KeyingError";
}

/** @throws {KeyingError} where a map list's item lacks a key without default. */
export function elementOf(item: unknown, type: TypeAt): string {
  if (shapeOf([], type) === "set-list") return `v:${formatJson(item)}`;
  const keys: Record<string, unknown> = {}, of = itemType(type);
  for (const key of type.schema!["x-kubernetes-list-map-keys"] ?? []) {
    const value = isObject(item) && Object.hasOwn(item, key) ? item[key] : undefined;
    const filled = value ?? fieldType(of, key).schema?.default;
    if (filled !== undefined) keys[key] = filled;
  }
  if (Object.keys(keys).length === 0) {
    const names = type.schema!["x-kubernetes-list-map-keys"]?.join(", ");
    throw new KeyingError(`associative list with keys has an element that omits key field "${names}"`);
  }
  return keyElement(keys);
}

/** A repeated element holds several items. */
export function itemsByElement(list: unknown, type: TypeAt): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return items;
  for (const item of list) {
    const element = elementOf(item, type);
    const same = items.get(element);
    if (same) same.push(item);
    else items.set(element, [item]);
  }
  return items;
}

/** Every path that applying `value` owns. */
export function ownedFields(value: unknown, type: TypeAt): FieldTrie {
  const owned = emptyTrie();
  collect(value, type, [], owned);
  return owned;
}

function collect(value: unknown, type: TypeAt, path: string[], owned: FieldTrie): void {
  const shape = shapeOf(value, type);
  switch (shape) {
    case "leaf":
      insertPath(owned, path);
      return;
    case "map":
      if (!isObject(value)) return;
      for (const [field, child] of Object.entries(value)) {
        if (child === undefined) continue;
        const childPath = [...path, `f:${field}`];
        collect(child, fieldType(type, field), childPath, owned);
        const empty = child === null || (isObject(child) && Object.keys(child).length === 0);
        if (empty || !isNamedField(type, field)) insertPath(owned, childPath);
      }
      return;
    case "set-list":
    case "map-list":
      for (const [element, items] of itemsByElement(value, type)) {
        if (items.length === 1) collect(items[0], itemType(type), [...path, element], owned);
        insertPath(owned, [...path, element]);
      }
      return;
    default:
      shape satisfies never;
  }
}

/** Adds every named field with owned parts, so that a field without remaining parts is removed too. */
export function withNamedFields(set: FieldTrie, type: TypeAt): FieldTrie {
  const children = new Map<string, FieldTrie>();
  for (const [element, child] of set.children) {
    const field = element.startsWith("f:") ? element.slice(2) : undefined;
    const childType = field === undefined ? itemType(type) : fieldType(type, field);
    const filled = withNamedFields(child, childType);
    if (field !== undefined && child.children.size > 0 && isNamedField(type, field)) filled.self = true;
    children.set(element, filled);
  }
  return { self: set.self, children };
}

/**
 * `value` without the paths of `set`. An emptied map or list becomes null, as in structured-merge-diff: the schema of a
 * custom resource then has to allow it.
 */
export function withoutFields(value: unknown, set: FieldTrie, type: TypeAt): unknown {
  const shape = shapeOf(value, type);
  if (shape === "leaf" || value === null) return value;
  if (shape === "map") {
    const kept: Record<string, unknown> = {};
    for (const [field, child] of Object.entries(value as Record<string, unknown>)) {
      const removal = set.children.get(`f:${field}`);
      if (removal?.self || child === undefined) continue;
      const rest = removal && !isEmptyTrie(removal) ? withoutFields(child, removal, fieldType(type, field)) : child;
      setKey(kept, field, rest);
    }
    return Object.keys(kept).length > 0 ? kept : null;
  }
  const kept: unknown[] = [];
  for (const item of value as unknown[]) {
    const removal = set.children.get(elementOf(item, type));
    if (removal?.self) continue;
    kept.push(removal && !isEmptyTrie(removal) ? withoutFields(item, removal, itemType(type)) : item);
  }
  return kept.length > 0 ? kept : null;
}

export function compareTyped(left: unknown, right: unknown, type: TypeAt): Comparison {
  const comparison = new Comparison();
  comparison.compare(left, right, type, []);
  return comparison;
}

class Comparison {
  readonly added: FieldTrie = emptyTrie();
  readonly removed: FieldTrie = emptyTrie();
  readonly modified: FieldTrie = emptyTrie();

  compare(left: unknown, right: unknown, type: TypeAt, path: string[]): void {
    if (left === undefined && right === undefined) return;
    const shape = shapeOf(right === undefined ? left : right, type);
    const sameShape = left === undefined || right === undefined || shapeOf(left, type) === shape;
    if (!sameShape) {
      insertPath(this.modified, path);
      this.#compareParts(left, undefined, type, path);
      this.#compareParts(undefined, right, type, path);
      return;
    }
    if (shape === "leaf" || (isEmptyOrNull(left) && isEmptyOrNull(right))) {
      if (left === undefined) insertPath(this.added, path);
      else if (right === undefined) insertPath(this.removed, path);
      else if (!jsonEqual(left, right)) insertPath(this.modified, path);
      return;
    }
    this.#compareParts(left, right, type, path);
    if (left === undefined) insertPath(this.added, path);
    else if (right === undefined) insertPath(this.removed, path);
  }

  #compareParts(left: unknown, right: unknown, type: TypeAt, path: string[]): void {
    const shape = shapeOf(right === undefined ? left : right, type);
    if (shape === "leaf") return;
    if (shape === "map") {
      const a = isObject(left) ? left : {}, b = isObject(right) ? right : {};
      for (const field of new Set([...Object.keys(a), ...Object.keys(b)])) {
        this.compare(ownValue(a, field), ownValue(b, field), fieldType(type, field), [...path, `f:${field}`]);
      }
      return;
    }
    const a = itemsByElement(left, type), b = itemsByElement(right, type);
    for (const element of new Set([...a.keys(), ...b.keys()])) {
      const before = a.get(element) ?? [], after = b.get(element) ?? [];
      const itemPath = [...path, element];
      if (before.length <= 1 && after.length <= 1) this.compare(before[0], after[0], itemType(type), itemPath);
      else if (before.length === after.length) {
        if (!jsonEqual(before, after)) insertPath(this.modified, itemPath);
      } else if (before.length > 1) {
        if (after.length > 0) this.compare(undefined, after[0], itemType(type), itemPath);
        insertPath(this.removed, itemPath);
      } else {
        if (before.length > 0) this.compare(before[0], undefined, itemType(type), itemPath);
        insertPath(this.added, itemPath);
      }
    }
  }
}

/** Absent, null or empty: two such values differ only as leaves. */
function isEmptyOrNull(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
