import { type DynamicObject, isDnsLabel, isDnsSubdomain, type StatusCause } from "../../apimachinery/mod.ts";
import { formatJson, isObject, jsonEqual } from "../../base/mod.ts";
import type { PrinterColumn, ResourceType, Schema } from "../resource_type.ts";
import { conversionCauses, kindVersions } from "./crd_conversion.ts";
import { parseJsonPath } from "./json_path.ts";
import { structuralCauses } from "./structural.ts";

type Fields = Record<string, unknown>;

const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
const VERSION = /^v[1-9]\d*(?:(?:alpha|beta)[1-9]\d*)?$/;

/**
 * A CRD's types, one per served version, and its causes. Types with causes must not be served. Unsupported CEL rules
 * are causes too.
 */
export function resourceTypesOf(crd: DynamicObject): { types: ResourceType[]; causes: StatusCause[] } {
  const causes: StatusCause[] = [];
  const spec = isObject(crd.spec) ? crd.spec : {};
  const names = isObject(spec.names) ? spec.names : {};
  const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : [];
  nameCauses(crd, spec, names, causes);
  versionCauses(versions, causes);
  if (spec.preserveUnknownFields === true) {
    const why = "must be false in order to use defaults in the schema";
    causes.push(invalid("spec.preserveUnknownFields", true, why));
  }
  causes.push(...conversionCauses(spec.conversion, spec.preserveUnknownFields === true));
  const all = versions.map((version, index) => typeOf(spec, version, `spec.versions[${index}]`, causes));
  causes.push(...schemaCauses(versions));
  const storage = all[versions.findIndex((version) => version.storage === true)];
  if (!storage) return { types: [], causes };
  const family = kindVersions(all, storage, spec.conversion);
  const served = all.filter((_type, index) => versions[index]!.served === true);
  return { types: served.map((type) => ({ ...type, versions: family })), causes };
}

function nameCauses(crd: DynamicObject, spec: Fields, names: Fields, causes: StatusCause[]): void {
  const group = text(spec.group), plural = text(names.plural), kind = text(names.kind);
  if (group === "") causes.push(required("spec.group"));
  else if (!isDnsSubdomain(group) || !group.includes(".")) {
    causes.push(invalid("spec.group", group, "should be a domain with at least one dot"));
  }
  if (crd.metadata?.name !== `${plural}.${group}`) {
    causes.push(invalid("metadata.name", crd.metadata?.name ?? "", `must be spec.names.plural+"."+spec.group`));
  }
  if (spec.scope !== "Namespaced" && spec.scope !== "Cluster") {
    if (text(spec.scope) === "") causes.push(required("spec.scope"));
    else {
      const message = `Unsupported value: ${formatJson(spec.scope)}: supported values: "Cluster", "Namespaced"`;
      causes.push({ reason: "FieldValueNotSupported", message, field: "spec.scope" });
    }
  }
  if (plural === "") causes.push(required("spec.names.plural"));
  if (kind === "") causes.push(required("spec.names.kind"));
  const label = "a lowercase RFC 1035 label must consist of lower case alphanumeric characters or '-', start with an " +
    "alphabetic character, and end with an alphanumeric character";
  for (const [field, value] of [["plural", plural], ["singular", text(names.singular)], ["kind", kind.toLowerCase()]]) {
    if (value && (!isDnsLabel(value) || /^\d/.test(value))) causes.push(invalid(`spec.names.${field}`, value, label));
  }
  if (kind !== "" && names.listKind === kind) {
    causes.push(invalid("spec.names.listKind", kind, "kind and listKind may not be the same"));
  }
}

function versionCauses(versions: Fields[], causes: StatusCause[]): void {
  if (versions.filter((version) => version.storage === true).length !== 1) {
    causes.push(invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
  }
  const seen = new Set<unknown>();
  versions.forEach((version, index) => {
    const field = `spec.versions[${index}].name`;
    if (typeof version.name !== "string" || !isDnsLabel(version.name) || /^\d/.test(version.name)) {
      causes.push(invalid(field, version.name ?? "", "must be a DNS label that starts with a letter"));
    }
    if (seen.has(version.name)) {
      causes.push(invalid("spec.versions", version.name, "must contain unique version names"));
    }
    seen.add(version.name);
    if (typeof version.served !== "boolean") causes.push(required(`spec.versions[${index}].served`));
    if (typeof version.storage !== "boolean") causes.push(required(`spec.versions[${index}].storage`));
  });
}

/** A schema that all versions share has one place in kube-apiserver's internal version, which names causes. */
function schemaCauses(versions: readonly Fields[]): StatusCause[] {
  const schemas = versions.map((version) => isObject(version.schema) ? version.schema.openAPIV3Schema : undefined);
  const shared = schemas.every((schema) => jsonEqual(schema, schemas[0]));
  return (shared ? schemas.slice(0, 1) : schemas).flatMap((schema, index) => {
    const path = shared ? "spec.validation" : `spec.versions[${index}].schema`;
    return isObject(schema) ? structuralCauses(schema as Schema, `${path}.openAPIV3Schema`) : [];
  });
}

function typeOf(spec: Fields, version: Fields, path: string, causes: StatusCause[]): ResourceType {
  const names = isObject(spec.names) ? spec.names : {};
  const given = isObject(version.schema) ? version.schema.openAPIV3Schema : undefined;
  if (!isObject(given)) {
    causes.push({
      reason: "FieldValueRequired",
      message: "Required value: schemas are required",
      field: `${path}.schema.openAPIV3Schema`,
    });
  }
  const schema = (isObject(given) ? given : { type: "object" }) as Schema;
  const kind = text(names.kind);
  const subresources = isObject(version.subresources) ? version.subresources : {};
  const scale = isObject(subresources.scale) ? subresources.scale : undefined;
  const selectable = Array.isArray(version.selectableFields) ? version.selectableFields.filter(isObject) : [];
  return {
    group: text(spec.group),
    version: text(version.name),
    kind,
    listKind: text(names.listKind) || `${kind}List`,
    plural: text(names.plural),
    singular: text(names.singular) || kind.toLowerCase(),
    shortNames: texts(names.shortNames),
    categories: texts(names.categories),
    namespaced: spec.scope !== "Cluster",
    verbs: VERBS,
    subresources: [...isObject(subresources.status) ? ["status"] : [], ...scale ? ["scale"] : []],
    ...(scale ? { scale: scalePaths(scale, `${path}.subresources.scale`, causes) } : {}),
    schema,
    columns: columnsOf(version, path, causes),
    builtin: false,
    selectableFields: selectable.map((field) => text(field.jsonPath).replace(/^\./, "")),
  };
}

function scalePaths(scale: Fields, path: string, causes: StatusCause[]): NonNullable<ResourceType["scale"]> {
  for (const [field, prefix] of [["specReplicasPath", ".spec."], ["statusReplicasPath", ".status."]] as const) {
    if (text(scale[field]) === "") causes.push(required(`${path}.${field}`));
    else if (!text(scale[field]).startsWith(prefix)) {
      causes.push(invalid(`${path}.${field}`, scale[field], `should be a json path under ${prefix.slice(0, -1)}`));
    }
  }
  const paths = {
    specReplicasPath: text(scale.specReplicasPath),
    statusReplicasPath: text(scale.statusReplicasPath),
  };
  return scale.labelSelectorPath ? { ...paths, labelSelectorPath: text(scale.labelSelectorPath) } : paths;
}

function columnsOf(version: Fields, path: string, causes: StatusCause[]): PrinterColumn[] {
  const given = Array.isArray(version.additionalPrinterColumns)
    ? version.additionalPrinterColumns.filter(isObject)
    : [];
  if (given.length === 0) return [AGE];
  given.forEach((column, index) => {
    const field = `${path}.additionalPrinterColumns[${index}]`;
    if (text(column.name) === "") causes.push(required(`${field}.name`));
    if (!["integer", "number", "string", "boolean", "date"].includes(text(column.type))) {
      causes.push(invalid(`${field}.type`, column.type ?? "", "must be one of boolean,date,integer,number,string"));
    }
    try {
      parseJsonPath(text(column.jsonPath));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      causes.push(invalid(`${field}.jsonPath`, column.jsonPath ?? "", error.message));
    }
  });
  return given as unknown as PrinterColumn[];
}

/** Kubernetes' version priority: v2, v1, v1beta1, v1alpha1, then others by name. */
export function compareVersions(left: string, right: string): number {
  const rank = (version: string): number[] => {
    if (!VERSION.test(version)) return [0, 0, 0];
    const [, major, stage, minor] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)!;
    return [stage === undefined ? 3 : stage === "beta" ? 2 : 1, Number(major), Number(minor ?? 0)];
  };
  const a = rank(left), b = rank(right);
  const index = a.findIndex((part, position) => part !== b[position]);
  return index >= 0 ? b[index]! - a[index]! : left < right ? -1 : left > right ? 1 : 0;
}

function required(field: string): StatusCause {
  return { reason: "FieldValueRequired", message: "Required value", field };
}

function invalid(field: string, value: unknown, why: string): StatusCause {
  return { reason: "FieldValueInvalid", message: `Invalid value: ${formatJson(value)}: ${why}`, field };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
