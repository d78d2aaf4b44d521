import {
  type DynamicObject,
  type FieldRequirement,
  type LabelRequirement,
  matchesLabels,
} from "../apimachinery/mod.ts";
import { badRequest } from "./api_error.ts";
import { fieldText } from "./conversion.ts";
import type { ResourceType } from "./resource_type.ts";

export type ObjectFilter = (object: DynamicObject) => boolean;

/** Field selectors that are not the field's path. */
const ALIASES: Readonly<Record<string, string>> = { name: "metadata.name" };
const COMMON_FIELDS = ["metadata.name", "metadata.namespace"];

/** @throws {ApiError} 400 for an unsupported field. */
export function objectFilter(
  type: ResourceType,
  labels: readonly LabelRequirement[],
  fields: readonly FieldRequirement[],
  name?: string,
): { matches: ObjectFilter; all: boolean } {
  const known = type.selectableFields.map((field) => field.replace(/^\./, ""));
  for (const { path } of fields) {
    if (COMMON_FIELDS.includes(path) || known.includes(path)) continue;
    // kube-apiserver words it differently for kinds with own selectable fields.
    if (!type.builtin || known.length > 0) throw badRequest(`field label not supported: ${path}`);
    const list = COMMON_FIELDS.map((field) => `"${field}"`).join(", ");
    throw badRequest(`"${path}" is not a known field selector: only ${list}`);
  }
  const wanted = name === undefined ? fields : [...fields, { path: "metadata.name", equals: true, value: name }];
  if (labels.length === 0 && wanted.length === 0) return { matches: () => true, all: true };
  const matches = (object: DynamicObject) =>
    matchesLabels(labels, object.metadata?.labels) &&
    wanted.every(({ path, equals, value }) =>
      (fieldText(object, Object.hasOwn(ALIASES, path) ? ALIASES[path]! : path) === value) === equals
    );
  return { matches, all: false };
}
