import { Environment } from "@marcbachmann/cel-js";
import { formatJson, isObject, jsonEqual } from "../../base/mod.ts";
import type { Schema, ValidationRule } from "../resource_type.ts";
import { resolveSchema } from "./definitions.ts";

export interface CompiledRule {
  readonly rule: ValidationRule;
  /** It uses `oldSelf`, so it runs on updates only. */
  readonly transition: boolean;
  /** Throws evaluation errors, such as a missing key. */
  holds(self: unknown, oldSelf: unknown): boolean;
  /** `messageExpression`'s text; undefined where it is absent or fails. */
  message(self: unknown, oldSelf: unknown): string | undefined;
}

/** CEL's reserved words: rules write such a field as `__name__`. */
const RESERVED = new Set(
  ("as break const continue else for function if import let loop package namespace return var void while true false null in")
    .split(" "),
);

function environment(variables: readonly string[]): Environment {
  const env = new Environment({ enableOptionalTypes: false, homogeneousAggregateLiterals: false });
  for (const variable of variables) env.registerVariable(variable, "dyn");
  env.registerFunction(
    "list.indexOf(dyn): int",
    (list, item) => BigInt(asList(list).findIndex((one) => same(one, item))),
  );
  env.registerFunction(
    "list.lastIndexOf(dyn): int",
    (list, item) => BigInt(asList(list).findLastIndex((one) => same(one, item))),
  );
  env.registerFunction("list.isSorted(): bool", (list) => {
    const items = asList(list) as (string | bigint | number)[];
    return items.every((item, index) => index === 0 || items[index - 1]! <= item);
  });
  env.registerFunction("string.charAt(int): string", (text, index) => [...text][Number(index)] ?? "");
  env.registerFunction("string.replace(string, string): string", (text, from, to) => text.replaceAll(from, to));
  return env;
}

function asList(list: unknown): unknown[] {
  return Array.isArray(list) ? list : [...list as Iterable<unknown>];
}

function same(left: unknown, right: unknown): boolean {
  if (typeof left === "bigint" && typeof right === "number" || typeof left === "number" && typeof right === "bigint") {
    return Number(left) === Number(right);
  }
  return typeof left === "object" ? jsonEqual(left, right) : left === right;
}

let shared: Environment | undefined;
const compiled = new Map<string, CompiledRule>();
const COMPILED_MAX = 1_000;

/**
 * Compiles an `x-kubernetes-validations` rule (KEP-2876). Unlike in kube-apiserver, sets compare in order, costs are
 * not estimated, and `matches` uses JavaScript's regular expressions.
 *
 * @throws {RangeError} naming what the embedded server cannot evaluate.
 */
export function compileRule(rule: ValidationRule): CompiledRule {
  const key = formatJson(rule);
  const known = compiled.get(key);
  if (known) return known;
  if (rule.optionalOldSelf) throw new RangeError("the embedded server cannot evaluate this rule: optionalOldSelf");
  const run = compileExpression(rule.rule, "bool");
  const message = rule.messageExpression === undefined
    ? undefined
    : compileExpression(rule.messageExpression, "string");
  const result: CompiledRule = {
    rule,
    transition: /\boldSelf\b/.test(rule.rule),
    holds: (self, oldSelf) => run({ self, oldSelf }) === true,
    message: (self, oldSelf) => {
      try {
        const text: unknown = message?.({ self, oldSelf });
        return typeof text === "string" && text.trim() !== "" ? text : undefined;
      } catch {
        return undefined; // kube-apiserver, too, falls back to `message` where its expression fails
      }
    },
  };
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(key, result);
  return result;
}

const conditions = new Map<string, (context: Record<string, unknown>) => boolean>();
let requestEnvironment: Environment | undefined;

/**
 * Compiles a match condition (KEP-3716) over `object`, `oldObject` and `request`.
 *
 * @throws {RangeError} for what the embedded server cannot evaluate, such as `authorizer`.
 */
export function compileCondition(text: string): (context: Record<string, unknown>) => boolean {
  const known = conditions.get(text);
  if (known) return known;
  requestEnvironment ??= environment(["object", "oldObject", "request"]);
  const run = compileExpression(text, "bool", requestEnvironment);
  const holds = (context: Record<string, unknown>) => run(celValue(context, undefined) as typeof context) === true;
  if (conditions.size >= COMPILED_MAX) conditions.clear();
  conditions.set(text, holds);
  return holds;
}

function compileExpression(
  text: string,
  type: "bool" | "string",
  env: Environment = shared ??= environment(["self", "oldSelf"]),
): (context: Record<string, unknown>) => unknown {
  let why: string;
  try {
    const expression = env.parse(text);
    const { valid, error, type: found } = expression.check();
    if (valid && (found === type || found === "dyn")) return (context) => expression(context);
    why = valid ? `it gives ${String(found)}, not ${type}` : firstLine(error);
  } catch (error) {
    why = firstLine(error);
  }
  throw new RangeError(`the embedded server cannot evaluate this rule: ${why}`);
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}

/** Integers become int, `date-time` a timestamp; field names are escaped. */
export function celValue(value: unknown, schema: Schema | undefined): unknown {
  if (value === undefined) return undefined;
  if (schema?.["x-kubernetes-int-or-string"]) return typeof value === "number" ? BigInt(value) : value;
  if (typeof value === "bigint") return schema?.type === "number" ? Number(value) : value;
  if (typeof value === "number") {
    return schema?.type !== "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (typeof value === "string") return celText(value, schema?.format);
  if (Array.isArray(value)) {
    const items = schema?.items && resolveSchema(schema.items);
    return value.map((item) => celValue(item, items));
  }
  if (!isObject(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [field, child] of Object.entries(value)) {
    const named = schema?.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
    const any = typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const childSchema = named ?? any;
    result[named ? escaped(field) : field] = celValue(child, childSchema && resolveSchema(childSchema));
  }
  // The evaluator recognizes a map by `constructor`; such a field would hide it.
  return Object.hasOwn(result, "constructor") ? new Map(Object.entries(result)) : result;
}

function celText(text: string, format: string | undefined): unknown {
  if (format === "date-time" || format === "date") return new Date(text);
  if (format === "byte") return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (format !== "duration") return text;
  shared ??= environment(["self", "oldSelf"]);
  return shared.evaluate(`duration(${formatJson(text)})`);
}

function escaped(field: string): string {
  if (RESERVED.has(field)) return `__${field}__`;
  return field.replaceAll("__", "__underscores__").replaceAll(".", "__dot__").replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}
