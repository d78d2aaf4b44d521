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

/** Fields that are another one, or one of two, by kind. */
const OWN_ALIASES: Readonly<Record<string, readonly string[]>> = {
  "Pod spec.host": ["spec.nodeName"],
  "Event source": ["source.component", "reportingComponent"],
  "Job status.successful": ["status.succeeded"],
};
/** What an absent field counts as. */
const ABSENT: Readonly<Record<string, string>> = {
  "Pod spec.hostNetwork": "false",
  "Node spec.unschedulable": "false",
  "Job status.successful": "0",
  "ReplicationController status.replicas": "0",
};

function selectedText(object: DynamicObject, { kind }: ResourceType, path: string): string {
  const key = `${kind} ${path}`;
  const paths = Object.hasOwn(OWN_ALIASES, key)
    ? OWN_ALIASES[key]!
    : [Object.hasOwn(ALIASES, path) ? ALIASES[path]! : path];
  const text = paths.map((one) => fieldText(object, one)).find((one) => one !== "") ?? "";
  return text === "" && Object.hasOwn(ABSENT, key) ? ABSENT[key]! : text;
}

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
    if (Object.hasOwn(OWN_ALIASES, `${type.kind} ${path}`)) continue;
    // kube-apiserver words it differently for kinds with own selectable fields.
    if (type.kind === "Job" && type.builtin) throw badRequest(`field label "${path}" not supported for Job`);
    if (!type.builtin || known.length > 0) throw badRequest(`field label not supported: ${path}`);
    const list = COMMON_FIELDS.map((field) => `"${field}"`).join(", ");
    throw badRequest(`"${path}" is not a known field selector: only ${list}`);
  }
  const wanted = name === undefined ? fields : [...fields, { path: "metadata.name", equals: true, value: name }];
  if (labels.length === 0 && wanted.length === 0) return { matches: () => true, all: true };
  const matches = (object: DynamicObject) =>
    matchesLabels(labels, object.metadata?.labels) &&
    wanted.every(({ path, equals, value }) => (selectedText(object, type, path) === value) === equals);
  return { matches, all: false };
}
