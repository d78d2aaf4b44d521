import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, jsonEqual } from "../../base/mod.ts";
import type { Schema, ValidationRule } from "../resource_type.ts";
import { celValue, type CompiledRule, compileRule } from "./cel.ts";
import { resolveSchema } from "./definitions.ts";
import { itemsByKeys } from "./list_validation.ts";
import { typeName } from "./value_validation.ts";

const hasRules = new WeakMap<Schema, boolean>();

/** `any`: the schema has rules. */
export function ruleCauses(value: unknown, schema: Schema, old: unknown): { any: boolean; causes(): StatusCause[] } {
  if (!containsRules(schema, 0)) return { any: false, causes: () => [] };
  return {
    any: true,
    causes: () => {
      const evaluation = new RuleEvaluation();
      evaluation.visit(value, schema, old, "");
      return evaluation.causes;
    },
  };
}

/** Exceeds any structural schema. Built-in definitions recurse but have no rules. */
const DEPTH_MAX = 64;

function containsRules(schema: Schema, depth: number): boolean {
  if (depth > DEPTH_MAX || schema.$ref !== undefined) return false;
  const known = hasRules.get(schema);
  if (known !== undefined) return known;
  const children = [...Object.values(schema.properties ?? {})];
  if (schema.items) children.push(schema.items);
  if (typeof schema.additionalProperties === "object") children.push(schema.additionalProperties);
  const found = (schema["x-kubernetes-validations"]?.length ?? 0) > 0 ||
    children.some((child) => containsRules(child, depth + 1));
  hasRules.set(schema, found);
  return found;
}

class RuleEvaluation {
  readonly causes: StatusCause[] = [];

  visit(value: unknown, schema: Schema, old: unknown, path: string): void {
    if (value === undefined || value === null || !containsRules(schema, 0)) return;
    const unchanged = old !== undefined && jsonEqual(value, old);
    for (const rule of schema["x-kubernetes-validations"] ?? []) {
      const compiled = compileRule(rule);
      if (compiled.transition ? old === undefined : unchanged) continue;
      const text = faultOf(rule, compiled, celValue(value, schema), celValue(old, schema));
      if (text !== undefined) this.causes.push(causeOf(rule, text, value, path));
    }
    if (Array.isArray(value)) this.#visitItems(value, schema, old, path);
    else if (isObject(value)) this.#visitFields(value, schema, old, path);
  }

  #visitItems(value: unknown[], schema: Schema, old: unknown, path: string): void {
    if (!schema.items) return;
    const items = resolveSchema(schema.items);
    const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
    // Only items with keys have an `oldSelf`.
    const formerOf = keys && itemsByKeys(Array.isArray(old) ? old : [], keys);
    value.forEach((item, index) => this.visit(item, items, formerOf?.(item), `${path}[${index}]`));
  }

  #visitFields(value: Record<string, unknown>, schema: Schema, old: unknown, path: string): void {
    const former = isObject(old) ? old : {};
    for (const [field, child] of Object.entries(value)) {
      const named = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
      const any = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
      const next = named ?? any;
      if (next) this.visit(child, resolveSchema(next), former[field], path === "" ? field : `${path}.${field}`);
    }
  }
}

function faultOf(rule: ValidationRule, compiled: CompiledRule, self: unknown, oldSelf: unknown): string | undefined {
  try {
    if (compiled.holds(self, oldSelf)) return undefined;
    return compiled.message(self, oldSelf) ?? rule.message?.trim() ?? `failed rule: ${rule.rule}`;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).split("\n")[0];
    return `${why} evaluating rule: ${rule.message ?? rule.rule}`;
  }
}

function causeOf(rule: ValidationRule, text: string, value: unknown, path: string): StatusCause {
  const field = `${path}${rule.fieldPath ?? ""}`.replace(/^\./, "") || "<nil>";
  const reason = rule.reason ?? "FieldValueInvalid";
  switch (reason) {
    case "FieldValueForbidden":
      return { reason, message: `Forbidden: ${text}`, field };
    case "FieldValueRequired":
      return { reason, message: `Required value: ${text}`, field };
    case "FieldValueDuplicate":
      return { reason, message: `Duplicate value: ${shown(value)}`, field };
    default:
      return { reason: "FieldValueInvalid", message: `Invalid value: ${prefix(value)}${text}`, field };
  }
}

/** Messages do not repeat objects and lists. */
function prefix(value: unknown): string {
  return isObject(value) || Array.isArray(value) ? "" : `${shown(value)}: `;
}

function shown(value: unknown): string {
  return isObject(value) || Array.isArray(value) ? `"${typeName(value)}"` : formatJson(value);
}
