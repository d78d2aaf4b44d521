import { canonicalQuantity } from "../../apimachinery/mod.ts";
import { isObject, jsonClone } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { builtinDefaults } from "./builtin_defaults.ts";
import { resolveSchema } from "./definitions.ts";
import { encodeField, goField, removeZeros } from "./go_field.ts";

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/**
 * Fills in defaults in place, idempotently. A forbidden null counts as absent, as in CRDs. Built-in kinds also get
 * `builtin_defaults.ts` and what Go's encoder makes of them.
 */
export function applyDefaults(object: unknown, schema: Schema): void {
  if (schema.$ref !== undefined) removeZeros(object, schema);
  visit(object, schema, schema.$ref !== undefined);
}

/** What Go writes of a struct without content; the creator did not add it. Empty for a custom resource. */
export function zeroObject(schema: Schema): Record<string, unknown> {
  const zero: Record<string, unknown> = {};
  if (schema.$ref !== undefined) fillZero(zero, resolveSchema(schema));
  return zero;
}

function fillZero(value: Record<string, unknown>, schema: Schema): void {
  for (const [field, reference] of Object.entries(schema.properties ?? {})) {
    const go = goField(reference);
    if (go) encodeField(value, field, go);
    if (isObject(value[field])) fillZero(value[field], resolveSchema(reference));
  }
}

function visit(value: unknown, reference: Schema, builtin: boolean): void {
  const schema = resolveSchema(reference);
  if (Array.isArray(value)) {
    if (schema.items) visitItems(value, schema.items, builtin);
    return;
  }
  if (!isObject(value)) return;
  if (builtin) { for (const field of structFields(schema)) value[field] ??= {}; }
  if (builtin && reference.$ref !== undefined) builtinDefaults(reference.$ref, value);
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    const go = builtin ? goField(child) : undefined;
    visitField(value, field, child, builtin);
    if (go) encodeField(value, field, go);
    if (builtin) encodeQuantity(value, field, child);
  }
  if (typeof schema.additionalProperties === "object") visitEntries(value, schema, builtin);
}

const structs = new WeakMap<Schema, readonly string[]>();

/** Fields that are structs by value: Go always has them. */
function structFields(schema: Schema): readonly string[] {
  let fields = structs.get(schema);
  if (!fields) {
    fields = Object.entries(schema.properties ?? {}).filter(([, child]) => {
      const go = goField(child);
      return go?.shape === "struct" && !go.isPointer && !go.isOmitted;
    }).map(([field]) => field);
    structs.set(schema, fields);
  }
  return fields;
}

function visitEntries(value: Record<string, unknown>, schema: Schema, builtin: boolean): void {
  const reference = schema.additionalProperties as Schema;
  for (const field of Object.keys(value)) {
    if (schema.properties && Object.hasOwn(schema.properties, field)) continue;
    // Go decodes null to the zero value of a map's values.
    if (builtin && value[field] === null && resolveSchema(reference).type === "string") value[field] = "";
    visitField(value, field, reference, builtin);
    if (!builtin || reference.$ref !== QUANTITY) continue;
    encodeQuantity(value, field, reference);
    // As core's SetDefaults_ResourceList: nothing is finer than a thousandth.
    const text = value[field];
    if (typeof text === "string" && /[un]$/.test(text)) value[field] = canonicalQuantity(roundedToMilli(text)) ?? text;
  }
}

function roundedToMilli(text: string): string {
  return `${Math.ceil(Number.parseFloat(text) / (text.endsWith("u") ? 1e3 : 1e6))}m`;
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
  if (!present || (parent[field] === null && !schema.nullable)) {
    if (schema.default !== undefined && !isGoZero(schema.default, reference)) parent[field] = jsonClone(schema.default);
    else if (present && builtin) delete parent[field];
    else return;
  }
  visit(parent[field], reference, builtin);
}

/** The encoder writes it, or omits it. */
function isGoZero(value: unknown, reference: Schema): boolean {
  return reference.go !== undefined && (isObject(value) || value === goField(reference)!.zero);
}

/** Canonical, as Go encodes it. */
function encodeQuantity(parent: Record<string, unknown>, field: string, reference: Schema): void {
  if (reference.$ref !== QUANTITY) return;
  const text = parent[field];
  if (typeof text === "string" || typeof text === "number") parent[field] = canonicalQuantity(text) ?? text;
}
