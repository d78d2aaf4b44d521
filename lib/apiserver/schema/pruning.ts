import { isObject } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { fieldSchema, resolveSchema } from "./definitions.ts";

/**
 * Removes unknown fields in place; returns their paths (`spec.items[0].bar`). Fields of a wrong type stay for
 * validation. `metadata` of the root and embedded resources is ObjectMeta. Built-in kinds report in document order,
 * custom resources sorted (KEP-2885).
 */
export function pruneUnknown(object: unknown, schema: Schema): string[] {
  const unknown: string[] = [];
  prune(object, resolveSchema(schema), "", unknown);
  return schema.$ref === undefined ? unknown.sort() : unknown;
}

/** Removes nulls in place that a custom resource's schema neither allows nor replaces by a default. */
export function pruneNulls(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items) { for (const item of value) pruneNulls(item, schema.items); }
    return;
  }
  if (!isObject(value)) return;
  for (const [field, item] of Object.entries(value)) {
    const child = declared(schema, field);
    if (!child) continue;
    if (item === null && !child.nullable && child.default === undefined) delete value[field];
    else pruneNulls(item, child);
  }
}

function declared(schema: Schema, field: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, field)) return schema.properties[field];
  return isObject(schema.additionalProperties) ? schema.additionalProperties as Schema : undefined;
}

function prune(value: unknown, schema: Schema, path: string, unknown: string[]): void {
  if (Array.isArray(value)) {
    if (!schema.items) return;
    const items = resolveSchema(schema.items);
    value.forEach((item, index) => prune(item, items, `${path}[${index}]`, unknown));
    return;
  }
  if (!isObject(value)) return;
  const isWhole = path === "" || schema["x-kubernetes-embedded-resource"] === true;
  for (const field of Object.keys(value)) {
    const child = fieldSchema(schema, field, isWhole);
    const childPath = path === "" ? field : `${path}.${field}`;
    if (child) prune(value[field], child, childPath, unknown);
    else if (!schema["x-kubernetes-preserve-unknown-fields"] && schema.additionalProperties !== true) {
      delete value[field];
      unknown.push(childPath);
    }
  }
}
