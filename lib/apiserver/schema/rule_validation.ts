import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, jsonEqual } from "../../base/mod.ts";
import { CelError, CostLimitError, Optional, type Value, type Variables } from "../cel/mod.ts";
import type { Schema, ValidationRule } from "../resource_type.ts";
import { rootSchema } from "./cel_types.ts";
import { schemaValue } from "./cel_values.ts";
import { type CompiledRule, compiledRules } from "./compiled_rules.ts";
import { resolveSchema } from "./definitions.ts";
import { itemsByKeys } from "./list_validation.ts";
import { typeName } from "./value_validation.ts";

/** Cost units of one run of a rule, and of all rules of one object. */
const RUN_COST_MAX = 1_000_000, OBJECT_COST_MAX = 10_000_000;

const MESSAGE_BYTES_MAX = 5 * 1024;

const hasRules = new WeakMap<Schema, boolean>();

/**
 * `any`: the schema has rules. A rule that fails for an unchanged value becomes a warning (ratcheting, KEP-4008), if
 * `warnings` takes them.
 */
export function ruleCauses(
  value: unknown,
  schema: Schema,
  old: unknown,
  warnings: string[] = [],
): { any: boolean; causes(): StatusCause[] } {
  if (!containsRules(schema, 0)) return { any: false, causes: () => [] };
  return {
    any: true,
    causes: () => {
      const evaluation = new RuleEvaluation(warnings);
      try {
        evaluation.visit(schema, { value, old, path: "", root: true, unchanged: false });
      } catch (error) {
        if (!(error instanceof BudgetSpent)) throw error;
      }
      return evaluation.causes;
    },
  };
}

/** No more rules run for this object. */
class BudgetSpent extends Error {}

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

interface Place {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
  readonly root: boolean;
  /** The nearest value around it that an update can match to an old one is the same as before. */
  readonly unchanged: boolean;
}

class RuleEvaluation {
  readonly causes: StatusCause[] = [];
  readonly #warnings: string[];
  #budget = OBJECT_COST_MAX;

  constructor(warnings: string[]) {
    this.#warnings = warnings;
  }

  visit(schema: Schema, at: Place): void {
    const { value, old } = at;
    if (value === undefined || value === null || !containsRules(schema, 0)) return;
    const unchanged = old === undefined ? at.unchanged : jsonEqual(value, old);
    const place = { ...at, unchanged };
    if (schema["x-kubernetes-validations"]?.length) this.#runRules(schema, place);
    if (Array.isArray(value)) this.#visitItems(value, schema, place);
    else if (isObject(value)) this.#visitFields(value, schema, place);
  }

  #visitItems(value: unknown[], schema: Schema, at: Place): void {
    if (!schema.items) return;
    const items = resolveSchema(schema.items);
    const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
    // Only items with keys have an `oldSelf`.
    const formerOf = keys && itemsByKeys(Array.isArray(at.old) ? at.old : [], keys);
    value.forEach((item, index) =>
      this.visit(items, {
        value: item,
        old: formerOf?.(item),
        path: `${at.path}[${index}]`,
        root: false,
        unchanged: keys ? false : at.unchanged,
      })
    );
  }

  #visitFields(value: Record<string, unknown>, schema: Schema, at: Place): void {
    const former = isObject(at.old) ? at.old : {};
    for (const [field, child] of Object.entries(value)) {
      const named = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
      const any = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
      const next = named ?? any;
      if (!next) continue;
      const path = named ? at.path === "" ? field : `${at.path}.${field}` : `${at.path}[${field}]`;
      const old = Object.hasOwn(former, field) ? former[field] : undefined;
      this.visit(resolveSchema(next), { value: child, old, path, root: false, unchanged: false });
    }
  }

  #runRules(schema: Schema, at: Place): void {
    const root = at.root || schema["x-kubernetes-embedded-resource"] === true;
    const compiled = compiledRules(schema, root);
    if (!compiled) return;
    const shape = root ? rootSchema(schema) : schema;
    const self = converted(at.value, shape), oldSelf = at.old === undefined ? undefined : converted(at.old, shape);
    for (const rule of compiled.rules) {
      if (rule.transition && oldSelf === undefined && !rule.rule.optionalOldSelf) continue;
      this.#runRule(rule, { self, oldSelf }, schema, at);
    }
  }

  #runRule(compiled: CompiledRule, plain: Variables, schema: Schema, at: Place): void {
    const { rule, expression } = compiled, type = schema.type ?? "";
    if (!expression) {
      this.#fail(at, `"${type}": rule compile error: ${compiled.error}`);
      return;
    }
    const { oldSelf } = plain;
    const variables = rule.optionalOldSelf
      ? { ...plain, oldSelf: oldSelf === undefined ? Optional.none : Optional.of(oldSelf) }
      : plain;
    const { value, error, cost } = expression.run(variables, RUN_COST_MAX);
    if (cost > this.#budget) {
      this.#fail(
        at,
        `"${type}": validation failed due to running out of cost budget, no further validation rules ` +
          "will be run",
      );
      throw new BudgetSpent();
    }
    this.#budget -= cost;
    if (error) this.#failedRun(at, type, rule, error);
    else if (value !== true) this.#violated(compiled, variables, schema, at);
  }

  #failedRun(at: Place, type: string, rule: ValidationRule, error: Error): void {
    const shown = rule.message?.trim() || rule.rule.trim(), why = error.message;
    if (error instanceof CostLimitError) {
      this.#fail(
        at,
        `"${type}": '${why}': no further validation rules will be run due to call cost exceeds limit ` +
          `for rule: ${shown}`,
      );
      throw new BudgetSpent();
    }
    this.#fail(
      at,
      why.startsWith("no such overload")
        ? `"${type}": '${why}': call arguments did not match a supported operator, function or macro signature for ` +
          `rule: ${shown}`
        : `"${type}": ${why} evaluating rule: ${shown}`,
    );
  }

  #violated(compiled: CompiledRule, variables: Variables, schema: Schema, at: Place): void {
    const { rule } = compiled;
    const text = this.#messageOf(compiled, variables, schema, at) ??
      (rule.message?.trim() || `failed rule: ${rule.rule.trim()}`);
    const cause = causeOf(rule, text, at.value, compiled.fieldPath ? joined(at.path, compiled.fieldPath) : at.path);
    if (!compiled.transition && at.unchanged) this.#warnings.push(`${cause.field}: ${cause.message}`);
    else this.causes.push(cause);
  }

  /** `messageExpression`'s text; undefined where it is absent or fails. */
  #messageOf(compiled: CompiledRule, variables: Variables, schema: Schema, at: Place): string | undefined {
    if (!compiled.message) return undefined;
    const { value, error, cost } = compiled.message.run(variables, RUN_COST_MAX);
    const spent = cost > this.#budget, type = schema.type ?? "";
    if (spent || error instanceof CostLimitError) {
      const source = formatJson(compiled.rule.messageExpression);
      this.#fail(
        at,
        spent
          ? `"${type}": messageExpression evaluation failed due to running out of cost budget, no further validation ` +
            "rules will be run"
          : `"${type}": no further validation rules will be run due to call cost exceeds limit for ` +
            `messageExpression: ${source}`,
      );
      throw new BudgetSpent();
    }
    this.#budget -= cost;
    const text = typeof value === "string" ? value.trim() : "";
    const unusable = text === "" || text.includes("\n") || new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX;
    return unusable ? undefined : text;
  }

  #fail(at: Place, text: string): void {
    this.causes.push({ reason: "FieldValueInvalid", message: `Invalid value: ${text}`, field: at.path || "<nil>" });
  }
}

/** Undefined for a value that has not the schema's type, so that reading it fails. */
function converted(value: unknown, schema: Schema): Value | undefined {
  try {
    return schemaValue(value, schema);
  } catch (error) {
    if (error instanceof CelError) return undefined;
    throw error;
  }
}

function joined(path: string, below: string): string {
  return path === "" ? below : `${path}.${below}`;
}

function causeOf(rule: ValidationRule, text: string, value: unknown, path: string): StatusCause {
  const field = path || "<nil>";
  const reason = rule.reason ?? "FieldValueInvalid";
  switch (reason) {
    case "FieldValueForbidden":
      return { reason, message: `Forbidden: ${text}`, field };
    case "FieldValueRequired":
      return { reason, message: `Required value: ${text}`, field };
    case "FieldValueDuplicate":
      return {
        reason,
        message: isObject(value) || Array.isArray(value) ? "Duplicate value" : `Duplicate value: ${formatJson(value)}`,
        field,
      };
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
