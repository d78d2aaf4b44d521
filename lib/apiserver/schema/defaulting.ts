import { canonicalQuantity } from "../../apimachinery/mod.ts";
import { isObject, jsonClone } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { builtinDefaults } from "./builtin_defaults.ts";
import { resolveSchema } from "./definitions.ts";

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/**
 * Fills in defaults in place, idempotently. A forbidden null counts as absent, as in CRDs. Built-in kinds also get
 * `builtin_defaults.ts` and canonical quantities, and lose empty maps and lists that Go omits.
 */
export function applyDefaults(object: unknown, schema: Schema): void {
  visit(object, schema, schema.$ref !== undefined);
}

/** Structs and zeros that Go always writes; the creator did not add them. Empty for a custom resource. */
export function zeroObject(schema: Schema): Record<string, unknown> {
  const zero: Record<string, unknown> = {};
  if (schema.$ref !== undefined) fillZero(zero, resolveSchema(schema));
  return zero;
}

function fillZero(value: Record<string, unknown>, schema: Schema): void {
  for (const [field, reference] of Object.entries(schema.properties ?? {})) {
    const child = resolveSchema(reference);
    // A slice without `omitempty`.
    if (child.type === "array" && schema.required?.includes(field)) value[field] = null;
    if (child.default === undefined) continue;
    value[field] = jsonClone(child.default);
    if (isObject(value[field])) fillZero(value[field], child);
  }
}

function visit(value: unknown, reference: Schema, builtin: boolean): void {
  const schema = resolveSchema(reference);
  if (Array.isArray(value)) {
    if (schema.items) visitItems(value, schema.items, builtin);
    return;
  }
  if (!isObject(value)) return;
  if (builtin && reference.$ref !== undefined) builtinDefaults(reference.$ref, value);
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    visitField(value, field, child, builtin);
    if (builtin) encodeField(value, field, child, schema.required?.includes(field) ?? false);
  }
  if (typeof schema.additionalProperties !== "object") return;
  for (const field of Object.keys(value)) {
    if (schema.properties && Object.hasOwn(schema.properties, field)) continue;
    visitField(value, field, schema.additionalProperties, builtin);
    if (builtin) encodeField(value, field, schema.additionalProperties, true);
  }
}

function visitItems(items: unknown[], reference: Schema, builtin: boolean): void {
  const schema = resolveSchema(reference);
  items.forEach((item, index) => {
    if (item === null && schema.default !== undefined && !schema.nullable) items[index] = jsonClone(schema.default);
    visit(items[index], reference, builtin);
  });
}

function visitField(parent: Record<string, unknown>, field: string, reference: Schema, builtin: boolean): void {
  const schema = resolveSchema(reference);
  const present = Object.hasOwn(parent, field) && parent[field] !== undefined;
  if (!present || (parent[field] === null && !schema.nullable && !isOpen(schema))) {
    if (schema.default !== undefined) parent[field] = jsonClone(schema.default);
    else if (present) delete parent[field];
    else return;
  }
  visit(parent[field], reference, builtin);
}

/** As Go encodes a field: no empty collections, canonical quantities. */
function encodeField(parent: Record<string, unknown>, field: string, reference: Schema, required: boolean): void {
  if (!required && isEmptyCollection(parent[field], resolveSchema(reference))) delete parent[field];
  else if (reference.$ref === QUANTITY) {
    const text = parent[field];
    if (typeof text === "string" || typeof text === "number") parent[field] = canonicalQuantity(text) ?? text;
  }
}

/** `omitempty` drops empty maps and lists, not structs (`emptyDir: {}`). */
function isEmptyCollection(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return value.length === 0 && schema.type === "array";
  return isObject(value) && schema.additionalProperties !== undefined && Object.keys(value).length === 0;
}

function isOpen(schema: Schema): boolean {
  return schema["x-kubernetes-preserve-unknown-fields"] === true && schema.type === undefined;
}
