import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, jsonEqual } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { matchesFormat } from "./formats.ts";

const patterns = new Map<string, RegExp | undefined>();
const PATTERNS_MAX = 1_000;

/** In kube-apiserver's words. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return "integer";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** Undefined where JavaScript cannot read RE2 (`(?i)`, `\z`, `\A`). */
function readPattern(pattern: string): RegExp | undefined {
  if (patterns.has(pattern)) return patterns.get(pattern);
  if (patterns.size >= PATTERNS_MAX) patterns.clear();
  let read: RegExp | undefined;
  try {
    const flags = /^\(\?([is]+)\)/.exec(pattern);
    const source = pattern.slice(flags?.[0].length ?? 0).replaceAll("\\A", "^").replaceAll("\\z", "$")
      .replaceAll("(?P<", "(?<");
    read = new RegExp(source, flags?.[1] ?? "");
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  patterns.set(pattern, read);
  return read;
}

/** Bounds, lengths, enum, pattern and, unless a decoder checks them, `formats` of a value of the right type. */
export function scalarCauses(value: unknown, schema: Schema, path: string, formats: boolean): StatusCause[] {
  const causes: StatusCause[] = [];
  if (typeof value === "number" || typeof value === "bigint") numberCauses(value, schema, path, causes);
  else if (typeof value === "string") {
    textCauses(value, schema, path, causes);
    if (formats) causes.push(...formatCauses(value, schema, path));
  } else if (Array.isArray(value) || isObject(value)) sizeCauses(value, schema, path, causes);
  causes.push(...enumCauses(value, schema, path));
  return causes;
}

export function enumCauses(value: unknown, schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (schema.enum && !schema.enum.some((allowed) => jsonEqual(allowed, value))) {
    const allowed = schema.enum.map((one) => formatJson(typeof one === "string" ? one : formatJson(one))).join(", ");
    causes.push({
      reason: "FieldValueNotSupported",
      message: `Unsupported value: ${formatJson(value)}: supported values: ${allowed}`,
      field: path,
    });
  }
  return causes;
}

function invalid(value: unknown, path: string, text: string): StatusCause {
  return {
    reason: "FieldValueInvalid",
    message: `Invalid value: ${formatJson(value)}: ${path} in body should ${text}`,
    field: path,
  };
}

function numberCauses(value: number | bigint, schema: Schema, path: string, causes: StatusCause[]): void {
  const { minimum, maximum, multipleOf } = schema;
  if (maximum !== undefined && (schema.exclusiveMaximum ? value >= maximum : value > maximum)) {
    causes.push(invalid(value, path, `be less than ${schema.exclusiveMaximum ? "" : "or equal to "}${maximum}`));
  }
  if (minimum !== undefined && (schema.exclusiveMinimum ? value <= minimum : value < minimum)) {
    causes.push(invalid(value, path, `be greater than ${schema.exclusiveMinimum ? "" : "or equal to "}${minimum}`));
  }
  if (multipleOf === undefined) return;
  // Go divides integers by integers.
  const factor = isInteger(value) ? Math.trunc(multipleOf) : multipleOf;
  if (factor <= 0) {
    const message = `Invalid value: ${factor}: factor MultipleOf declared for ${path} must be positive: ${factor}`;
    causes.push({ reason: "FieldValueInvalid", message, field: path });
  } else if (!isMultiple(value, factor)) causes.push(invalid(value, path, `be a multiple of ${factor}`));
}

const INT64_MAX = 2 ** 63, INT32_MIN = -(2 ** 31), INT32_MAX = 2 ** 31 - 1, FLOAT_MAX = 3.4028234663852886e38;

/** What Go reads as an int64. */
function isInteger(value: unknown): boolean {
  return typeof value === "bigint" || (Number.isInteger(value) && Math.abs(value as number) < INT64_MAX);
}

/** A number of a custom resource that its type or its format cannot hold. */
export function rangeCauses(value: unknown, schema: Schema, path: string): StatusCause[] {
  const { type, format } = schema, isNumber = typeof value === "number" || typeof value === "bigint";
  if (!isNumber || (type !== "integer" && type !== "number")) return [];
  const known = type === "integer" ? ["int32", "int64"] : ["float", "double"];
  const kept = format !== undefined && known.includes(format) ? format : undefined;
  const number = Number(value), isWhole = type === "number" || isInteger(value);
  const isIn = kept === "int32"
    ? number >= INT32_MIN && number <= INT32_MAX
    : kept !== "float" || Math.abs(number) <= FLOAT_MAX;
  if (isWhole && isIn) return [];
  const as = kept === undefined ? "(default format)" : `with format ${kept}`;
  const message = `Invalid value: "": Checked value must be of type ${type} ${as} in ${path}`;
  const causes: StatusCause[] = [{ reason: "FieldValueInvalid", message, field: "<nil>" }];
  if (isWhole) return causes;
  const found = kept === undefined ? "number" : "float64", wanted = kept ?? type;
  const wrong = `Invalid value: "${found}": ${path} in body must be of type ${wanted}: "${found}"`;
  return [...causes, { reason: "FieldValueTypeInvalid", message: wrong, field: path }];
}

function isMultiple(value: number | bigint, of: number): boolean {
  if (typeof value === "bigint" && Number.isSafeInteger(of)) return value % BigInt(of) === 0n;
  const quotient = Number(value) / Number(of); // 0.3 / 0.1 is not 3 in floating point
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 * Math.max(1, Math.abs(quotient));
}

function textCauses(value: string, schema: Schema, path: string, causes: StatusCause[]): void {
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${schema.maxLength} bytes`,
      field: path,
    });
  }
  if (schema.minLength !== undefined && length < schema.minLength) {
    causes.push(invalid(value, path, `be at least ${schema.minLength} chars long`));
  }
  if (schema.pattern !== undefined && readPattern(schema.pattern)?.test(value) === false) {
    causes.push(invalid(value, path, `match '${schema.pattern}'`));
  }
}

function formatCauses(value: string, { format }: Schema, path: string): StatusCause[] {
  if (format === undefined || matchesFormat(value, format)) return [];
  const shown = formatJson(value),
    message = `Invalid value: ${shown}: ${path} in body must be of type ${format}: ${shown}`;
  return [{ reason: "FieldValueTypeInvalid", message, field: path }];
}

function sizeCauses(value: unknown[] | Record<string, unknown>, schema: Schema, path: string, causes: StatusCause[]) {
  const [size, least, most, noun] = Array.isArray(value)
    ? [value.length, schema.minItems, schema.maxItems, "items"]
    : [Object.keys(value).length, schema.minProperties, schema.maxProperties, "properties"];
  if (least !== undefined && size < least) causes.push(invalid(size, path, `have at least ${least} ${noun}`));
  if (most !== undefined && size > most) {
    causes.push({
      reason: "FieldValueTooMany",
      message: `Too many: ${size}: must have at most ${most} items`,
      field: path,
    });
  }
}
