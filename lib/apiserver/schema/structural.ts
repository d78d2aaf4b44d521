import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject } from "../../base/mod.ts";
import { forbiddenField as forbidden, invalidValue as invalid, notSupported, requiredValue } from "../api_error.ts";
import type { Schema } from "../resource_type.ts";
import { expressionCauses, ruleFieldCauses } from "./rule_schema.ts";
import { re2Fault } from "./re2_syntax.ts";
import { defaultCauses } from "./schema_defaults.ts";
import { listTypeCauses } from "./list_types.ts";

/** Deeper schemas that fit in 1.5 MB only exhaust the stack. */
const DEPTH_MAX = 64;

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const EMBEDDED = "x-kubernetes-embedded-resource", PRESERVE = "x-kubernetes-preserve-unknown-fields";

/** Where a schema is in another. */
type Level = "root" | "item" | "field";

/** Why a schema is not structural (apiextensions; KEP-1979 for lists), or why its defaults are invalid. */
export function structuralCauses(schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (schema.nullable) causes.push(forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  visit(schema, path, { depth: 0, level: "root", isMeta: false, defaults: true }, causes);
  completenessCauses(schema, path, { schema, path }, causes);
  if (causes.length > 0) return causes;
  const found = defaultCauses(schema, path);
  return found.length > 0 ? found : expressionCauses(schema, path);
}

interface Place {
  readonly depth: number;
  readonly level: Level;
  /** In metadata, apiVersion or kind. */
  readonly isMeta: boolean;
  /** Whether a default is allowed: false in additionalProperties. */
  readonly defaults: boolean;
}

function visit(schema: Schema, path: string, place: Place, causes: StatusCause[]): void {
  if (place.depth > DEPTH_MAX) {
    causes.push(forbidden(path, `schemas nest at most ${DEPTH_MAX} levels deep`));
    return;
  }
  typeCauses(schema, path, place, causes);
  unsupportedCauses(schema, path, place, causes);
  resourceCauses(schema, path, place.level === "root", causes);
  causes.push(...listTypeCauses(schema, path));
  (schema["x-kubernetes-validations"] ?? []).forEach((rule, index) =>
    causes.push(...ruleFieldCauses(rule, `${path}.x-kubernetes-validations[${index}]`, schema))
  );
  branchCauses(schema, path, causes);
  const next: Place = { ...place, depth: place.depth + 1, level: "field" };
  const isWhole = place.level === "root" || schema[EMBEDDED] === true;
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    const isMeta = place.isMeta || (isWhole && ["metadata", "apiVersion", "kind"].includes(field));
    visit(child ?? {}, `${path}.properties[${field}]`, { ...next, isMeta }, causes);
  }
  if (isObject(schema.additionalProperties)) {
    const at = `${path}.additionalProperties`;
    visit(schema.additionalProperties as Schema, at, { ...next, defaults: !place.isMeta }, causes);
  }
  if (isObject(schema.items)) {
    visit(schema.items, `${path}.items`, { ...next, level: "item" }, causes);
  }
}

const MISSING: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function typeCauses(schema: Schema, path: string, { level }: Place, causes: StatusCause[]): void {
  const isEmbedded = schema[EMBEDDED] === true, { type } = schema, at = `${path}.type`;
  const isOpen = schema["x-kubernetes-int-or-string"] || schema[PRESERVE];
  if (isEmbedded && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    causes.push(type ? invalid(at, type, why) : requiredValue(at, why));
  } else if (!type && !isOpen && schema.$ref === undefined) causes.push(requiredValue(at, MISSING[level]));
  if (type && level === "root" && type !== "object") causes.push(invalid(at, type, "must be object at the root"));
  if (type as string === "null") {
    causes.push(forbidden(at, "type cannot be set to null, use nullable as an alternative"));
  }
  if (type && !TYPES.includes(type)) causes.push(notSupported(at, type, TYPES));
  if (type === "array" && !schema.items) causes.push(requiredValue(`${path}.items`, "must be specified"));
  if (Array.isArray(schema.items)) {
    causes.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
  }
}

/** What JSON Schema has and CRDs do not. */
const UNSUPPORTED = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

function unsupportedCauses(schema: Schema, path: string, place: Place, causes: StatusCause[]): void {
  for (const field of UNSUPPORTED) {
    const value = (schema as Readonly<Record<string, unknown>>)[field];
    const isEmpty = value === undefined || value === null || value === "" ||
      (isObject(value) && field !== "dependencies" && Object.keys(value).length === 0);
    if (!isEmpty) causes.push(forbidden(`${path}.${field}`, `${field} is not supported`));
  }
  if (schema.uniqueItems) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    causes.push(forbidden(`${path}.uniqueItems`, why));
  }
  if (schema.additionalProperties !== undefined) {
    const at = `${path}.additionalProperties`;
    if (place.level === "root") causes.push(forbidden(at, "must not be used at the root"));
    if (schema[EMBEDDED]) causes.push(forbidden(at, "must not be used if x-kubernetes-embedded-resource is set"));
    if (schema.properties && Object.keys(schema.properties).length > 0 && schema.additionalProperties !== false) {
      causes.push(forbidden(at, "additionalProperties and properties are mutual exclusive"));
    }
  }
  if (schema[PRESERVE] === false) causes.push(invalid(`${path}.${PRESERVE}`, false, "must be true or undefined"));
  for (const field of schema["x-kubernetes-int-or-string"] ? [PRESERVE, EMBEDDED] as const : []) {
    if (schema[field]) {
      causes.push(invalid(`${path}.${field}`, true, "must be false if x-kubernetes-int-or-string is true"));
    }
  }
  if (schema[EMBEDDED] && place.isMeta) {
    causes.push(forbidden(`${path}.${EMBEDDED}`, "must not be used inside of resource meta"));
  }
  if (schema.default === undefined || schema.default === null || place.defaults) return;
  causes.push(forbidden(`${path}.default`, "must not be set inside additionalProperties applying to object metadata"));
}

/** apiVersion, kind and metadata of the whole object and of embedded resources. */
function resourceCauses(schema: Schema, path: string, isRoot: boolean, causes: StatusCause[]): void {
  if (!isRoot && !schema[EMBEDDED]) return;
  for (const [field, type] of [["apiVersion", "string"], ["kind", "string"], ["metadata", "object"]] as const) {
    const child = schema.properties?.[field], at = `${path}.properties[${field}]`;
    if (!child) continue;
    if (child.type !== type) causes.push(invalid(`${at}.type`, child.type ?? "", `must be ${type}`));
    if (isRoot && child.default !== undefined) {
      causes.push(forbidden(`${at}.default`, `must not be set in top-level ${field}`));
    }
    if (!isRoot || field !== "metadata") continue;
    const { type: _type, default: _default, description: _description, properties = {}, ...more } = child;
    if (Object.keys(more).length === 0 && Object.keys(properties).every((name) => META_NAMES.includes(name))) continue;
    const why = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    causes.push(forbidden(at, why));
  }
  if (schema[EMBEDDED] && !schema[PRESERVE] && Object.keys(schema.properties ?? {}).length === 0) {
    const why =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    causes.push(requiredValue(`${path}.properties`, why));
  }
}

const META_NAMES = ["name", "generateName"];

type Branch = readonly [schema: Schema, path: string];

function branchesOf(schema: Schema, path: string): Branch[] {
  const branches: Branch[] = [];
  for (const word of ["allOf", "anyOf", "oneOf"] as const) {
    (schema[word] ?? []).forEach((branch, index) => branches.push([branch, `${path}.${word}[${index}]`]));
  }
  return schema.not ? [...branches, [schema.not, `${path}.not`]] : branches;
}

const INT_OR_STRING = formatJson([{ type: "integer" }, { type: "string" }]);

/**
 * allOf, anyOf, oneOf and not only narrow values, without structure or defaults. An anyOf of integer and text may
 * restate `x-kubernetes-int-or-string`, in the structure itself or in its first allOf.
 */
function branchCauses(schema: Schema, path: string, causes: StatusCause[], mayRestate: boolean = true): void {
  if (schema.pattern) {
    const fault = re2Fault(schema.pattern);
    const why = `must be a valid regular expression, but isn't: ${fault}`;
    if (fault) causes.push(invalid(`${path}.pattern`, schema.pattern, why));
  }
  const restates = mayRestate && formatJson(schema.anyOf ?? null) === INT_OR_STRING;
  for (const [branch, at] of branchesOf(schema, path)) {
    if (restates && at.startsWith(`${path}.anyOf[`)) continue;
    nestedCauses(branch, at, causes, at === `${path}.allOf[0]`);
  }
}

/** What a branch may not say, and in which words. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  type: "empty",
  additionalProperties: "undefined",
  default: "undefined",
  title: "empty",
  description: "empty",
  nullable: "false",
  "x-kubernetes-preserve-unknown-fields": "false",
  "x-kubernetes-embedded-resource": "false",
  "x-kubernetes-int-or-string": "false",
  "x-kubernetes-list-map-keys": "empty",
  "x-kubernetes-list-type": "undefined",
  "x-kubernetes-map-type": "undefined",
  "x-kubernetes-validations": "empty",
};

function nestedCauses(branch: Schema, path: string, causes: StatusCause[], mayRestate: boolean = false): void {
  branchCauses(branch, path, causes, mayRestate);
  causes.push(...listTypeCauses(branch, path));
  for (const [field, wanted] of Object.entries(FORBIDDEN)) {
    const value = (branch as Readonly<Record<string, unknown>>)[field];
    const isAbsent = value === undefined || value === null ||
      (wanted !== "undefined" && (value === false || value === ""));
    if (!isAbsent) causes.push(forbidden(`${path}.${field}`, `must be ${wanted} to be structural`));
  }
  if (isObject(branch.items)) nestedCauses(branch.items, `${path}.items`, causes);
  for (const [field, child] of Object.entries(branch.properties ?? {})) {
    nestedCauses(child, `${path}.properties[${field}]`, causes);
  }
  if (branch.properties && Object.hasOwn(branch.properties, "metadata")) {
    causes.push(forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
  }
}

/** A schema, and its path. */
interface Located {
  readonly schema: Schema | undefined;
  readonly path: string;
}

/** What the root's branches restrict has to be in its structure. */
function completenessCauses(branch: Schema, from: string, structure: Located, causes: StatusCause[]): void {
  const { schema, path } = structure;
  if (!schema) {
    causes.push(requiredValue(path, `because it is defined in ${from}`));
    return;
  }
  for (const [inner, at] of branchesOf(branch, from)) {
    completenessCauses(inner, at, structure, causes);
    if (isObject(inner.items)) {
      completenessCauses(inner.items, `${at}.items`, { schema: schema.items, path: `${path}.items` }, causes);
    }
    for (const [field, child] of Object.entries(inner.properties ?? {})) {
      const place = `properties[${field}]`;
      const inside = { schema: schema.properties?.[field], path: `${path}.${place}` };
      completenessCauses(child, `${at}.${place}`, inside, causes);
    }
  }
}
