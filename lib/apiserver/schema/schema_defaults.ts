import type { StatusCause } from "../../apimachinery/mod.ts";
import { isObject, jsonClone, jsonEqual } from "../../base/mod.ts";
import { invalidValue, requiredValue } from "../api_error.ts";
import type { Schema } from "../resource_type.ts";
import { pruneUnknown } from "./pruning.ts";
import { validateDefault } from "./validation.ts";

const EMBEDDED = "x-kubernetes-embedded-resource";

/** Defaults that the schema itself refuses. Follows no additionalProperties, as in apiextensions. */
export function defaultCauses(schema: Schema, path: string, isRoot: boolean = true): StatusCause[] {
  const own = schema.default === undefined || schema.default === null
    ? []
    : ownCauses(schema, `${path}.default`, isRoot || schema[EMBEDDED] === true);
  const causes = [...own];
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    if (isObject(child)) causes.push(...defaultCauses(child, `${path}.properties[${field}]`, false));
  }
  if (isObject(schema.items)) causes.push(...defaultCauses(schema.items, `${path}.items`, false));
  return causes;
}

function ownCauses(schema: Schema, path: string, isWhole: boolean): StatusCause[] {
  const value = schema.default, pruned = jsonClone(value), causes: StatusCause[] = [];
  // Only embedded resources have fields that no schema names.
  const holder = { type: "object", properties: { default: schema } } as Schema;
  pruneUnknown({ default: pruned }, holder);
  if (!jsonEqual(pruned, value)) causes.push(invalidValue(path, value, "must not have unknown fields"));
  const absent = isWhole && isObject(value) ? ["apiVersion", "kind"].filter((field) => !value[field]) : [];
  causes.push(...absent.map((field) => requiredValue(`${path}.${field}`)));
  // Lists are not searched for repeated items here, as in apiextensions.
  const found = validateDefault(value, schema, isWhole).filter(({ reason }) => reason !== "FieldValueDuplicate");
  return [...causes, ...found.map((cause) => ({ ...cause, field: at(path, cause.field ?? "") }))];
}

function at(path: string, field: string): string {
  return field === "" || field === "<nil>" ? path : `${path}.${field}`;
}
