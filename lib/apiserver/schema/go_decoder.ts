import { parseQuantity } from "../../apimachinery/mod.ts";
import { formatJson, isObject, ownValue } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { resolveSchema } from "./definitions.ts";

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const MICRO_TIME = /\.MicroTime$/;
const BASE64_QUANTUM = 4;

/** Where Go's decoder is: the struct that has the field, and the path from the root without indexes. */
interface Position {
  readonly struct: string;
  readonly path: string;
  readonly found: Found;
}

/**
 * The message of the first value that Go's decoder cannot read into the struct of a built-in kind, in document order;
 * undefined where there is none. Unknown fields and nulls are no faults. A type with a decoder of its own ends the
 * decoding; after other faults it goes on.
 */
export function decodingFault(object: unknown, reference: Schema): string | undefined {
  const found: Found = { first: undefined };
  const at = { struct: structName(reference), path: "", found };
  return structFault(object, reference, at) ?? found.first;
}

/** The first fault that does not end the decoding. */
interface Found {
  first: string | undefined;
}

function structName(reference: Schema): string {
  return reference.$ref?.split(".").at(-1) ?? "";
}

function structFault(value: unknown, reference: Schema, at: Position): string | undefined {
  const schema = resolveSchema(reference), struct = structName(reference) || at.struct;
  for (const [field, item] of Object.entries(value as Record<string, unknown>)) {
    const child = schema.properties && ownValue(schema.properties, field) as Schema | undefined;
    if (!child) continue;
    const go = child.go?.replace(/^\?*\*?/, "") ?? "";
    const path = at.path === "" ? field : `${at.path}.${field}`;
    const fault = fieldFault(item, child, go, { struct, path, found: at.found });
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function fieldFault(value: unknown, reference: Schema, go: string, at: Position): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (/\.(?:RawExtension|JSON|FieldsV1|JSONSchemaPropsOr\w+)$/.test(go)) return undefined;
  const custom = customFault(value, reference, go, at);
  if (custom !== undefined) return custom.fault;
  const schema = resolveSchema(reference);
  if (go === "[]uint8" || (schema.type === "string" && schema.format === "byte")) return bytesFault(value, at);
  if (schema.type === "array") return listFault(value, schema, go, at);
  if (schema.additionalProperties !== undefined) return mapFault(value, schema, go, at);
  if (schema.properties || schema.type === "object") {
    return isObject(value) ? structFault(value, reference, at) : mismatch(value, go, at);
  }
  return scalarFault(value, schema, go, at);
}

function listFault(value: unknown, schema: Schema, go: string, at: Position): string | undefined {
  if (!Array.isArray(value)) return mismatch(value, go, at);
  for (const item of value) {
    const fault = schema.items && fieldFault(item, schema.items, go.slice(2).replace(/^\*/, ""), at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function mapFault(value: unknown, schema: Schema, go: string, at: Position): string | undefined {
  if (!isObject(value)) return mismatch(value, go, at);
  const reference = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const type = go.replace(/^map\[\w[\w.]*\]/, "");
  for (const item of Object.values(value)) {
    const fault = reference && fieldFault(item, reference, type, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

function scalarFault(value: unknown, schema: Schema, go: string, at: Position): string | undefined {
  switch (schema.type) {
    case "string":
      return typeof value === "string" ? undefined : mismatch(value, go, at);
    case "boolean":
      return typeof value === "boolean" ? undefined : mismatch(value, go, at);
    case "integer": {
      if (typeof value !== "number" && typeof value !== "bigint") return mismatch(value, go, at);
      const [min, max] = INTEGERS[schema.format ?? "int64"] ?? INTEGERS.int64!;
      const isIn = (typeof value === "bigint" || Number.isInteger(value)) && BigInt(value) >= min &&
        BigInt(value) <= max;
      return isIn ? undefined : mismatch(value, go, at, ` ${formatJson(value)}`);
    }
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? undefined : mismatch(value, go, at);
    default:
      return undefined;
  }
}

function mismatch(value: unknown, go: string, { struct, path, found }: Position, literal: string = ""): undefined {
  const what = `${jsonType(value)}${literal}`;
  found.first ??= `json: cannot unmarshal ${what} into Go struct field ${struct}.${path} of type ${go}`;
}

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value === "bigint" ? "number" : typeof value;
}

/** Types with a decoder of their own, whose messages name no field. */
function customFault(
  value: unknown,
  reference: Schema,
  go: string,
  at: Position,
): { readonly fault: string | undefined } | undefined {
  if (reference.$ref === QUANTITY) return { fault: quantityFault(value) };
  if (/\.(?:Micro)?Time$/.test(go)) return { fault: timeFault(value, MICRO_TIME.test(go), at) };
  if (!resolveSchema(reference)["x-kubernetes-int-or-string"]) return undefined;
  if (typeof value === "string") return { fault: undefined };
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (isNumber && Number.isInteger(Number(value))) return { fault: undefined };
  const shown = isNumber ? `number ${formatJson(value)}` : jsonType(value);
  return { fault: `json: cannot unmarshal ${shown} into Go value of type int32` };
}

function quantityFault(value: unknown): string | undefined {
  const isText = typeof value === "string" || typeof value === "number";
  if (typeof value === "bigint" || (isText && parseQuantity(value) !== undefined)) return undefined;
  return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
}

function bytesFault(value: unknown, at: Position): string | undefined {
  if (typeof value !== "string") return mismatch(value, "[]uint8", at);
  const text = value.replaceAll(/[\r\n]/g, "");
  const wrong = /[^A-Za-z0-9+/]/.exec(text.replace(/={1,2}$/, ""));
  const rest = text.length % BASE64_QUANTUM, byte = wrong ? wrong.index : rest === 0 ? undefined : text.length - rest;
  if (byte !== undefined) at.found.first ??= `illegal base64 data at input byte ${byte}`;
  return undefined;
}

/** Parts of Go's layout for RFC 3339, and what each of them reads. */
const LAYOUT: readonly (readonly [string, RegExp])[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^(?:0[1-9]|1[0-2])/],
  ["-", /^-/],
  ["02", /^(?:0[1-9]|[12]\d|3[01])/],
  ["T", /^T/],
  ["15", /^(?:[01]\d|2[0-3])/],
  [":", /^:/],
  ["04", /^[0-5]\d/],
  [":", /^:/],
  ["05", /^[0-5]\d/],
];
const ZONE: readonly [string, RegExp] = ["Z07:00", /^(?:Z|[+-]\d\d:\d\d)/];

function timeFault(value: unknown, isMicro: boolean, at: Position): string | undefined {
  if (typeof value !== "string") {
    const { struct, path } = at;
    return `json: cannot unmarshal ${jsonType(value)} into Go struct field ${struct}.${path} of type string`;
  }
  const fraction: readonly [string, RegExp] = isMicro ? [".000000", /^\.\d{6}/] : ["", /^(?:\.\d+)?/];
  const layout = `2006-01-02T15:04:05${fraction[0]}Z07:00`;
  let rest = value;
  for (const [element, pattern] of [...LAYOUT, fraction, ZONE]) {
    const match = pattern.exec(rest);
    if (!match) {
      return `parsing time ${formatJson(value)} as "${layout}": cannot parse ${formatJson(rest)} as "${element}"`;
    }
    rest = rest.slice(match[0].length);
  }
  return rest === "" ? undefined : `parsing time ${formatJson(value)}: extra text: ${formatJson(rest)}`;
}
