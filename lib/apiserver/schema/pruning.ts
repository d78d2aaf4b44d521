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
