import { isObject } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { resolveSchema } from "./definitions.ts";

/** What encoding/json does with a field of a built-in kind. */
export interface GoField {
  /** `int32`, `v1.PullPolicy`, `[]v1.Container`, `map[string]string`. */
  readonly type: string;
  readonly isPointer: boolean;
  readonly shape: "scalar" | "struct" | "collection" | "time" | "raw";
  /** A zero value is left out. */
  readonly isOmitted: boolean;
  /** Of the field, where it is not a pointer. */
  readonly zero: unknown;
}

const known = new WeakMap<Schema, GoField | undefined>();

/** Of a field's schema as the struct refers to it; undefined for what is no field of a Go struct. */
export function goField(reference: Schema): GoField | undefined {
  if (!known.has(reference)) known.set(reference, reference.go === undefined ? undefined : read(reference));
  return known.get(reference);
}

function read(reference: Schema): GoField {
  const [, omits = "", pointer, type = ""] = /^(\?*)(\*?)(.*)$/.exec(reference.go!)!;
  const isPointer = pointer === "*", shape = shapeOf(reference, type);
  // Without omitzero a struct, and a time, is always written.
  const isEmpty = shape === "collection" || (shape === "scalar" && !isStructOfText(reference, type));
  const isOmitted = omits === "??" || (omits === "?" && (isPointer || isEmpty));
  return { type, isPointer, shape, isOmitted, zero: zeroOf(reference, type, shape) };
}

/** A struct that is written as a text or number, which is never empty for Go. */
function isStructOfText(reference: Schema, type: string): boolean {
  return /\.Quantity$/.test(type) || resolveSchema(reference)["x-kubernetes-int-or-string"] === true;
}

function shapeOf(reference: Schema, type: string): GoField["shape"] {
  if (/^(?:\[\]|map\[)/.test(type)) return "collection";
  if (/\.(?:Micro)?Time$/.test(type)) return "time";
  if (/\.(?:RawExtension|JSON|FieldsV1)$/.test(type)) return "raw";
  const schema = resolveSchema(reference);
  return schema.type === "object" || schema.properties
    ? schema.additionalProperties ? "collection" : "struct"
    : "scalar";
}

function zeroOf(reference: Schema, type: string, shape: GoField["shape"]): unknown {
  if (shape !== "scalar") return shape === "struct" ? {} : null;
  if (/\.Quantity$/.test(type)) return "0";
  const schema = resolveSchema(reference);
  if (schema["x-kubernetes-int-or-string"]) return 0;
  return schema.type === "boolean" ? false : schema.type === "string" ? "" : 0;
}

/**
 * Removes what Go's decoder cannot tell from an absent field: nulls, and zero scalars of fields that are no pointers.
 * Defaults follow.
 */
export function removeZeros(value: unknown, reference: Schema): void {
  const schema = resolveSchema(reference);
  if (Array.isArray(value)) value.forEach((item) => schema.items && removeZeros(item, schema.items));
  if (!isObject(value) || Array.isArray(value)) return;
  for (const [field, item] of Object.entries(value)) {
    const own = schema.properties && Object.hasOwn(schema.properties, field);
    const child = own ? schema.properties![field]! : schema.additionalProperties;
    if (typeof child !== "object") continue;
    const go = goField(child);
    if (go?.shape === "raw") continue;
    if (go && (item === null || (!go.isPointer && go.shape === "scalar" && item === go.zero))) delete value[field];
    else removeZeros(item, child);
  }
}

/** Makes a field what Go's encoder writes: zero values of what is not omitted, no empty collection where it is. */
export function encodeField(parent: Record<string, unknown>, field: string, go: GoField): void {
  const value = parent[field];
  if (value === undefined || value === null) {
    if (go.isOmitted) delete parent[field];
    else parent[field] = go.isPointer ? null : structuredClone(go.zero);
  } else if (go.isOmitted && !go.isPointer && isZero(value, go)) delete parent[field];
}

function isZero(value: unknown, go: GoField): boolean {
  if (go.shape === "scalar") return value === go.zero;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Fields of features that are not enabled, by definition. A server drops them. */
const DISABLED: Readonly<Record<string, readonly string[]>> = {
  "io.k8s.api.coordination.v1.LeaseSpec": ["strategy", "preferredHolder"],
  "io.k8s.api.core.v1.PodSpec": ["schedulingGroup", "evictionResponders"],
};

const changes = new WeakMap<Schema, boolean>();

/** Whether the storage form of a struct differs from its JSON. */
function hasStorageForm(reference: Schema): boolean {
  const schema = resolveSchema(reference), known = changes.get(schema);
  if (known !== undefined) return known;
  changes.set(schema, false); // definitions recurse
  const children = [...Object.values(schema.properties ?? {}), schema.items, schema.additionalProperties];
  const found = Object.hasOwn(DISABLED, reference.$ref ?? "") ||
    children.some((child) => typeof child === "object" && (isWrittenList(child) || hasStorageForm(child)));
  changes.set(schema, found);
  return found;
}

function isWrittenList(reference: Schema): boolean {
  const go = goField(reference);
  return go !== undefined && go.shape === "collection" && !go.isPointer && !go.isOmitted;
}

/**
 * Makes of an object of a built-in kind what a server stores: fields of disabled features are dropped, and empty lists
 * that are written become null, because the storage format has none.
 */
export function toStorageForm(value: unknown, reference: Schema): void {
  if (!hasStorageForm(reference)) return;
  const schema = resolveSchema(reference);
  if (Array.isArray(value)) value.forEach((item) => schema.items && toStorageForm(item, schema.items));
  if (!isObject(value) || Array.isArray(value)) return;
  for (const field of DISABLED[reference.$ref ?? ""] ?? []) delete value[field];
  for (const [field, item] of Object.entries(value)) {
    const child = schema.properties?.[field] ?? schema.additionalProperties;
    if (typeof child !== "object") continue;
    if (isWrittenList(child) && isZero(item, goField(child)!)) value[field] = null;
    else toStorageForm(item, child);
  }
}
