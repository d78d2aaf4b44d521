import { isObject } from "../base/mod.ts";
import { unionAsObject } from "./discriminated_union.ts";
import { re2Problem } from "./re2.ts";
import type { SchemaNode } from "./schema_node.ts";

/** The discriminator of a union until its conversion. */
export const DISCRIMINATOR = "x-discriminator";

/** Keywords with the same meaning in both dialects. */
const KEPT = new Set([
  "description",
  "type",
  "format",
  "enum",
  "default",
  "nullable",
  "minimum",
  "maximum",
  "multipleOf",
  "minLength",
  "maxLength",
  "pattern",
  "minItems",
  "maxItems",
  "minProperties",
  "maxProperties",
  "required",
  "title",
]);

/** Keywords without meaning for an API server, or consumed below. */
const DROPPED = new Set(["$schema", "$id", "id", "propertyNames", "readOnly", "examples", "deprecated"]);

/**
 * Turns zod's JSON Schema into a CRD's structural schema (apiextensions.k8s.io/v1; KEP-1979).
 *
 * `x-kubernetes-*` keywords of `.meta()` pass through. Literals and their unions become `enum`, a union of integer and
 * string `x-kubernetes-int-or-string`, one with null `nullable`, a discriminated union one object with CEL rules.
 *
 * @throws {RangeError} naming the field, for what it cannot express (other unions, tuples, look-around).
 */
export function structuralSchema(node: SchemaNode, path: string = "spec"): SchemaNode {
  const out: SchemaNode = {};
  const source = withoutUnion(node, path, out);
  for (const [keyword, value] of Object.entries(source)) {
    if (keyword.startsWith("x-kubernetes-") || KEPT.has(keyword)) out[keyword] ??= value;
    else if (!DROPPED.has(keyword)) convert(out, keyword, value, path);
  }
  typeEnum(out, path);
  boundInteger(out);
  if (out.type === "null") throw unsupported(path, "a field that is always null");
  checkPattern(out, path);
  const shapeless = out.type === undefined && !out["x-kubernetes-int-or-string"];
  if (shapeless) out["x-kubernetes-preserve-unknown-fields"] = true;
  return out;
}

function convert(out: SchemaNode, keyword: string, value: unknown, path: string): void {
  switch (keyword) {
    case "properties":
      out.properties = Object.fromEntries(
        Object.entries(value as Record<string, SchemaNode>)
          .map(([name, child]) => [name, structuralSchema(child, `${path}.${name}`)]),
      );
      return;
    case "items":
      if (!isObject(value)) throw unsupported(path, "tuples");
      out.items = structuralSchema(value, `${path}[]`);
      return;
    case "additionalProperties":
      if (value === false) return; // unknown fields are pruned anyway, and the keyword may not stand beside properties
      if (value === true || (isObject(value) && Object.keys(value).length === 0)) {
        out["x-kubernetes-preserve-unknown-fields"] = true;
      } else out.additionalProperties = structuralSchema(value as SchemaNode, `${path}.*`);
      return;
    case "const":
      out.enum = [value];
      return;
    case "exclusiveMinimum":
      out.minimum = value;
      out.exclusiveMinimum = true;
      return;
    case "exclusiveMaximum":
      out.maximum = value;
      out.exclusiveMaximum = true;
      return;
    default:
      throw unsupported(path, `"${keyword}"`);
  }
}

/** Replaces a union that can be expressed; returns the rest of the node. */
function withoutUnion(node: SchemaNode, path: string, out: SchemaNode): SchemaNode {
  const { [DISCRIMINATOR]: discriminator, ...plain } = node;
  if (typeof discriminator === "string") {
    const { oneOf: cases, anyOf: _none, ...rest } = plain;
    return { ...unionAsObject(cases as SchemaNode[], discriminator, path), ...rest };
  }
  const all = choicesOf(node);
  if (!all) return node;
  const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = node;
  if (Array.isArray(rest.type)) delete rest.type;
  const choices = all.filter((choice) => choice.type !== "null");
  if (choices.length < all.length) out.nullable = true;
  if (choices.length === 1) return withoutUnion({ ...choices[0], ...rest }, path, out);
  const values = choices.flatMap((choice) =>
    "const" in choice ? [choice.const] : (choice.enum as unknown[]) ?? [undefined]
  );
  if (!values.includes(undefined)) return { ...rest, enum: values };
  const kinds = choices.map((choice) => choice.type).sort().join("|");
  if (kinds === "number|string") throw unsupported(path, "a fraction or a string", "use z.int() beside z.string()");
  if (kinds !== "integer|string") throw unsupported(path, "this union", "use z.discriminatedUnion(…) of objects");
  out["x-kubernetes-int-or-string"] = true;
  return rest;
}

/** A node's alternatives, nested unions and lists of types included; undefined if it is no union. */
function choicesOf(node: SchemaNode): SchemaNode[] | undefined {
  if (Array.isArray(node.type)) return node.type.map((type) => ({ type }));
  const choices = (DISCRIMINATOR in node ? undefined : node.anyOf ?? node.oneOf) as SchemaNode[] | undefined;
  return choices?.flatMap((choice) => choicesOf(choice) ?? [choice]);
}

/** An enum has one type and no null: a server refuses null there, even if the enum or `nullable` allows it. */
function typeEnum(out: SchemaNode, path: string): void {
  if (!Array.isArray(out.enum)) return;
  if (out.nullable || out.enum.includes(null)) throw unsupported(path, "a choice that may be null", "make it optional");
  const types = new Set(out.enum.map((value) => typeof value));
  if (types.size !== 1) throw unsupported(path, "an enum of several types");
  out.type ??= [...types][0];
}

/** zod bounds integers by a double's range: for an API server an int64. */
function boundInteger(out: SchemaNode): void {
  if (out.type !== "integer") return;
  if (out.minimum === Number.MIN_SAFE_INTEGER) delete out.minimum;
  if (out.maximum === Number.MAX_SAFE_INTEGER) delete out.maximum;
  out.format ??= "int64";
}

/** An API server compiles patterns with RE2. */
function checkPattern(out: SchemaNode, path: string): void {
  const problem = typeof out.pattern === "string" ? re2Problem({ source: out.pattern, flags: "" }) : undefined;
  if (!problem) return;
  // zod adds a pattern to its own formats; the format is enough, and parsing checks the rest.
  if (typeof out.format !== "string") {
    throw unsupported(path, `the pattern ${out.pattern}: ${problem.what}`, problem.instead);
  }
  delete out.pattern;
}

function unsupported(path: string, what: string, instead: string = "use an object with optional fields"): RangeError {
  return new RangeError(`${path}: a CRD's structural schema cannot hold ${what}; ${instead}`);
}
