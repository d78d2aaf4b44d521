import type { ObjectMeta, StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, ownValue } from "../../base/mod.ts";
import { invalidValue } from "../api_error.ts";
import { annotationCauses, labelCauses } from "../metadata_rules.ts";
import type { Schema } from "../resource_type.ts";
import { OBJECT_META } from "./definitions.ts";
import { decodingFault } from "./go_decoder.ts";

/** Why Go cannot read the metadata of an embedded resource in a custom resource; undefined where it can. */
export function embeddedFault(value: unknown, schema: Schema, path: string = ""): string | undefined {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = schema.items && embeddedFault(item, schema.items, `${path}[${index}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (!isObject(value)) return undefined;
  if (schema["x-kubernetes-embedded-resource"] === true && value.metadata !== undefined && value.metadata !== null) {
    const why = isObject(value.metadata)
      ? decodingFault(value.metadata, { $ref: OBJECT_META })
      : `json: cannot unmarshal ${goType(value.metadata)} into Go value of type v1.ObjectMeta`;
    if (why !== undefined) return `${path}.metadata: Invalid value: ${formatJson(value.metadata)}: ${why}`;
  }
  for (const [field, item] of Object.entries(value)) {
    const any = isObject(schema.additionalProperties) ? schema.additionalProperties as Schema : undefined;
    const child = (schema.properties && ownValue(schema.properties, field) as Schema | undefined) ?? any;
    const fault = child && embeddedFault(item, child, path === "" ? field : `${path}.${field}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** What is wrong with the kind, version and metadata of an embedded resource, beyond their absence. */
export function resourceCauses(
  { kind, apiVersion, metadata }: Readonly<Record<string, unknown>>,
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  if (kind === "") causes.push(invalidValue(`${path}.kind`, kind, "must not be empty"));
  if (apiVersion === "") causes.push(invalidValue(`${path}.apiVersion`, apiVersion, "must not be empty"));
  else if (typeof apiVersion === "string" && apiVersion.split("/").length > 2) {
    causes.push(invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
  if (!isObject(metadata)) return causes;
  const { labels = {}, annotations = {} } = metadata as ObjectMeta;
  const found = [...labelCauses(labels ?? {}), ...annotationCauses(annotations ?? {})];
  return [...causes, ...found.map((cause) => ({ ...cause, field: `${path}.${cause.field}` }))];
}
