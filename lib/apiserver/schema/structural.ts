import type { StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject } from "../../base/mod.ts";
import type { Schema } from "../resource_type.ts";
import { expressionCauses, ruleFieldCauses } from "./rule_schema.ts";
import { readPattern } from "./value_validation.ts";

/** Deeper schemas that fit in 1.5 MB only exhaust the stack. */
const DEPTH_MAX = 64;

const TYPES = ["object", "array", "string", "integer", "number", "boolean"];

/** Why a schema is not structural (apiextensions; KEP-1979 for lists). */
export function structuralCauses(schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (schema.type !== "object") {
    const message = `Invalid value: ${formatJson(schema.type ?? "")}: must be object at the root`;
    causes.push({ reason: "FieldValueInvalid", message, field: `${path}.type` });
  }
  visit(schema, path, 0, causes);
  return causes.length > 0 ? causes : expressionCauses(schema, path);
}

function visit(schema: Schema, path: string, depth: number, causes: StatusCause[]): void {
  if (depth > DEPTH_MAX) {
    causes.push(forbidden(path, `schemas nest at most ${DEPTH_MAX} levels deep`));
    return;
  }
  ownCauses(schema, path, causes);
  listTypeCauses(schema, path, causes);
  (schema["x-kubernetes-validations"] ?? []).forEach((rule, index) =>
    causes.push(...ruleFieldCauses(rule, `${path}.x-kubernetes-validations[${index}]`, schema))
  );
  branchCauses(schema, path, causes);
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    visit(child, `${path}.properties[${field}]`, depth + 1, causes);
  }
  if (isObject(schema.additionalProperties)) {
    visit(schema.additionalProperties as Schema, `${path}.additionalProperties`, depth + 1, causes);
  }
  if (schema.items) visit(schema.items, `${path}.items`, depth + 1, causes);
}

function ownCauses(schema: Schema, path: string, causes: StatusCause[]): void {
  const open = schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (schema.type === undefined) {
    if (!open) {
      causes.push({
        reason: "FieldValueRequired",
        message: "Required value: must not be empty for specified object fields",
        field: `${path}.type`,
      });
    }
  } else if (!TYPES.includes(schema.type)) {
    const supported = TYPES.map((type) => formatJson(type)).sort().join(", ");
    const message = `Unsupported value: ${formatJson(schema.type)}: supported values: ${supported}`;
    causes.push({ reason: "FieldValueNotSupported", message, field: `${path}.type` });
  }
  if (schema.$ref !== undefined) causes.push(forbidden(`${path}.$ref`, "$ref is not supported"));
  if (schema.uniqueItems) {
    causes.push(
      forbidden(
        `${path}.uniqueItems`,
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
      ),
    );
  }
  if (schema.additionalProperties === false) {
    causes.push(forbidden(`${path}.additionalProperties`, "additionalProperties cannot be set to false"));
  }
  if (schema.properties && schema.additionalProperties !== undefined) {
    causes.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
  }
  if (schema.type === "array" && !schema.items) {
    causes.push({ reason: "FieldValueRequired", message: "Required value: must be specified", field: `${path}.items` });
  }
  if (schema.pattern !== undefined && !readPattern(schema.pattern)) {
    causes.push(
      invalid(`${path}.pattern`, schema.pattern, "must be a regular expression that the embedded server can read"),
    );
  }
  if (schema.type === "object" && schema["x-kubernetes-int-or-string"]) {
    causes.push(invalid(`${path}.type`, schema.type, "must be empty if x-kubernetes-int-or-string is true"));
  }
}

function listTypeCauses(schema: Schema, path: string, causes: StatusCause[]): void {
  const kind = schema["x-kubernetes-list-type"], keys = schema["x-kubernetes-list-map-keys"];
  if (kind !== undefined && schema.type !== "array") {
    causes.push(invalid(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"));
  }
  if (kind === "map") {
    if (!keys?.length) {
      const message = "Required value: must not be empty if x-kubernetes-list-type is map";
      causes.push({ reason: "FieldValueRequired", message, field: `${path}.x-kubernetes-list-map-keys` });
    }
    if (schema.items?.type !== "object") {
      causes.push(
        invalid(
          `${path}.items.type`,
          schema.items?.type ?? "",
          "must be object if parent array's x-kubernetes-list-type is map",
        ),
      );
    }
    for (const key of keys ?? []) {
      const properties = schema.items?.properties ?? {},
        child = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (!child) {
        causes.push(invalid(`${path}.x-kubernetes-list-map-keys`, key, "entries must all be names of item properties"));
      } else if (child.default === undefined && !schema.items?.required?.includes(key)) {
        const message =
          `Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`;
        causes.push({ reason: "FieldValueRequired", message, field: `${path}.items.properties[${key}].default` });
      }
    }
  } else if (keys?.length) {
    causes.push(
      invalid(`${path}.x-kubernetes-list-map-keys`, keys, "must be empty if x-kubernetes-list-type is not map"),
    );
  }
  if (kind === "set" && schema.items?.type === "object" && schema.items["x-kubernetes-map-type"] !== "atomic") {
    causes.push(
      invalid(
        `${path}.items.x-kubernetes-map-type`,
        schema.items["x-kubernetes-map-type"] ?? "",
        "must be atomic as item of a list with x-kubernetes-list-type=set",
      ),
    );
  }
}

/** allOf, anyOf, oneOf and not only narrow values, without structure or defaults. */
function branchCauses(schema: Schema, path: string, causes: StatusCause[]): void {
  const branches: [Schema, string][] = [];
  for (const word of ["allOf", "anyOf", "oneOf"] as const) {
    (schema[word] ?? []).forEach((branch, index) => branches.push([branch, `${path}.${word}[${index}]`]));
  }
  if (schema.not) branches.push([schema.not, `${path}.not`]);
  const intOrString = schema["x-kubernetes-int-or-string"] === true;
  for (const [branch, at] of branches) {
    if (branch.type !== undefined && !intOrString) {
      causes.push(forbidden(`${at}.type`, "must be empty to be structural"));
    }
    for (const word of ["description", "default", "nullable", "additionalProperties"] as const) {
      if (branch[word] !== undefined) causes.push(forbidden(`${at}.${word}`, "must be undefined to be structural"));
    }
    for (const word of Object.keys(branch).filter((key) => key.startsWith("x-kubernetes-"))) {
      causes.push(forbidden(`${at}.${word}`, "must be undefined to be structural"));
    }
    for (const field of Object.keys(branch.properties ?? {})) {
      if (schema.properties && Object.hasOwn(schema.properties, field)) continue;
      const message = `Required value: because it is defined in ${at}.properties[${field}]`;
      causes.push({ reason: "FieldValueRequired", message, field: `${path}.properties[${field}]` });
    }
  }
}

function forbidden(field: string, why: string): StatusCause {
  return { reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field };
}

function invalid(field: string, value: unknown, why: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${formatJson(value)}: ${why}`, field };
}
