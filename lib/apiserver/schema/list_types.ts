import type { StatusCause } from "../../apimachinery/mod.ts";
import { forbiddenField, invalidValue, notSupported, requiredValue } from "../api_error.ts";
import type { Schema } from "../resource_type.ts";

const LIST_TYPE = "x-kubernetes-list-type", MAP_TYPE = "x-kubernetes-map-type", KEYS = "x-kubernetes-list-map-keys";

/** What is wrong with a schema's list type, map keys and map type (KEP-1979). */
export function listTypeCauses(schema: Schema, path: string): StatusCause[] {
  const kind = schema[LIST_TYPE], causes: StatusCause[] = [...mapTypeCauses(schema, path)];
  const wrongType = (field: string, type: string | undefined, why: string) =>
    causes.push(type ? invalidValue(field, type, why) : requiredValue(field, why));
  if (kind !== undefined && schema.type !== "array") {
    wrongType(`${path}.type`, schema.type, "must be array if x-kubernetes-list-type is specified");
  }
  if (kind !== undefined && !["atomic", "set", "map"].includes(kind)) {
    causes.push(notSupported(`${path}.${LIST_TYPE}`, kind, ["atomic", "set", "map"]));
  }
  const keys = schema[KEYS] ?? [];
  if (keys.length > 0 && kind !== "map") {
    wrongType(`${path}.${LIST_TYPE}`, kind, "must be map if x-kubernetes-list-map-keys is non-empty");
  }
  if (kind === "map") causes.push(...mapListCauses(schema, keys, path));
  if (kind === "set") causes.push(...setCauses(schema, path));
  return causes;
}

function mapTypeCauses(schema: Schema, path: string): StatusCause[] {
  const kind = schema[MAP_TYPE];
  if (kind === undefined) return [];
  const causes: StatusCause[] = [], why = "must be object if x-kubernetes-map-type is specified";
  if (schema.type !== "object") {
    causes.push(schema.type ? invalidValue(`${path}.type`, schema.type, why) : requiredValue(`${path}.type`, why));
  }
  if (!["granular", "atomic"].includes(kind)) {
    causes.push(notSupported(`${path}.${MAP_TYPE}`, kind, ["atomic", "granular"]));
  }
  return causes;
}

function mapListCauses(schema: Schema, keys: readonly string[], path: string): StatusCause[] {
  const at = `${path}.${KEYS}`, items = schema.items;
  const causes: StatusCause[] = [];
  if (keys.length === 0) causes.push(requiredValue(at, "must not be empty if x-kubernetes-list-type is map"));
  if (!items) return [...causes, requiredValue(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")];
  if (items.type !== "object") {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    return [...causes, invalidValue(`${path}.items.type`, items.type ?? "", why)];
  }
  if (items.nullable) {
    causes.push(forbiddenField(`${path}.items.nullable`, "cannot be nullable when x-kubernetes-list-type is map"));
  }
  if (new Set(keys).size < keys.length) causes.push(invalidValue(at, keys, "must not contain duplicate entries"));
  const scalars = ["string", "integer", "number", "boolean"];
  for (const key of new Set(keys)) {
    const properties = items.properties ?? {}, child = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const place = `${path}.items.properties[${key}]`;
    if (!child) {
      causes.push(invalidValue(at, keys, "entries must all be names of item properties"));
      continue;
    }
    if (!scalars.includes(child.type ?? "")) {
      const why = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      causes.push(invalidValue(`${place}.type`, child.type ?? "", why));
    }
    if (child.default !== undefined || items.required?.includes(key)) {
      if (child.nullable) {
        const why = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
        causes.push(forbiddenField(`${place}.nullable`, why));
      }
      continue;
    }
    const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
    causes.push(requiredValue(`${place}.default`, why));
  }
  return causes;
}

function setCauses(schema: Schema, path: string): StatusCause[] {
  const { items } = schema, why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  if (!items) return [];
  const causes: StatusCause[] = [];
  if (items.nullable) {
    causes.push(forbiddenField(`${path}.items.nullable`, "cannot be nullable when x-kubernetes-list-type is set"));
  }
  if (items.type === "object" && items[MAP_TYPE] !== "atomic") {
    causes.push(invalidValue(`${path}.items.${MAP_TYPE}`, items[MAP_TYPE], why));
  }
  if (items.type === "array" && (items[LIST_TYPE] ?? "atomic") !== "atomic") {
    causes.push(invalidValue(`${path}.items.${LIST_TYPE}`, items[LIST_TYPE], why));
  }
  return causes;
}
