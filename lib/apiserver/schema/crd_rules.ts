import type { DynamicObject, StatusCause } from "../../apimachinery/mod.ts";
import { isObject, jsonEqual } from "../../base/mod.ts";
import { invalidValue, notSupported, requiredValue } from "../api_error.ts";
import type { Schema } from "../resource_type.ts";
import { faultsOf } from "../validation/names.ts";
import { structuralCauses } from "./structural.ts";

type Fields = Readonly<Record<string, unknown>>;

const APPROVAL = "api-approved.kubernetes.io";
const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const WARNING_CHARACTERS_MAX = 256, SELECTABLE_MAX = 8;

/** Of a CRD's spec without its schemas: group, scope, names, versions. Fields have the internal type's names. */
export function crdCauses(spec: Fields): StatusCause[] {
  const causes: StatusCause[] = [], group = text(spec.group);
  if (group === "") causes.push(requiredValue("spec.group"));
  else {
    const faults = faultsOf("dnsSubdomain", group);
    if (faults.length === 0 && !group.includes(".")) faults.push("should be a domain with at least one dot");
    causes.push(...faults.map((fault) => invalidValue("spec.group", group, fault)));
  }
  const scope = text(spec.scope);
  if (scope === "") causes.push(requiredValue("spec.scope"));
  else if (!["Cluster", "Namespaced"].includes(scope)) {
    causes.push(notSupported("spec.scope", scope, ["Cluster", "Namespaced"]));
  }
  if (spec.preserveUnknownFields === true) {
    const why =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    causes.push(invalidValue("spec.preserveUnknownFields", true, why));
  }
  return [...causes, ...nameCauses(isObject(spec.names) ? spec.names : {}), ...versionCauses(spec.versions)];
}

/** A CRD that is new: its name, and the approval of a protected group. */
export function newCrdCauses(crd: DynamicObject): StatusCause[] {
  const spec = isObject(crd.spec) ? crd.spec : {}, names = isObject(spec.names) ? spec.names : {};
  const group = text(spec.group), { name, annotations } = crd.metadata ?? {}, causes: StatusCause[] = [];
  if (name && name !== `${text(names.plural)}.${group}`) {
    causes.push(invalidValue("metadata.name", name, `must be spec.names.plural+"."+spec.group`));
  }
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return causes;
  const approval = annotations?.[APPROVAL] ?? "", field = `metadata.annotations[${APPROVAL}]`;
  const must = `protected groups must have approval annotation "${APPROVAL}"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (approval === "") return [...causes, requiredValue(field, `${must}, ${see}`)];
  if (approval.startsWith("unapproved") || (URL.canParse(approval) && approval.includes("://"))) return causes;
  const either = `with either a URL or a reason starting with "unapproved"`;
  return [...causes, invalidValue(field, approval, `${must} ${either}, ${see}`)];
}

function nameCauses(names: Fields): StatusCause[] {
  const causes: StatusCause[] = [];
  const label = (field: string, value: string, asKind: boolean = false) => {
    const faults = faultsOf("dns1035Label", asKind ? value.toLowerCase() : value);
    if (faults.length === 0) return;
    const prefix = asKind ? "may have mixed case, but should otherwise match: " : "";
    causes.push(invalidValue(`spec.names.${field}`, value, prefix + faults.join(",")));
  };
  for (const field of ["plural", "singular", "kind", "listKind"]) {
    const value = text(names[field]);
    if (value === "") causes.push(requiredValue(`spec.names.${field}`));
    else label(field, value, field.toLowerCase().endsWith("kind"));
  }
  for (const field of ["shortNames", "categories"]) {
    texts(names[field]).forEach((value, index) => label(`${field}[${index}]`, value));
  }
  if (text(names.kind) !== "" && names.kind === names.listKind) {
    causes.push(invalidValue("spec.names.listKind", names.listKind, "kind and listKind may not be the same"));
  }
  return causes;
}

function versionCauses(given: unknown): StatusCause[] {
  const versions = Array.isArray(given) ? given.filter(isObject) : [], causes: StatusCause[] = [];
  const names = versions.map(({ name }) => text(name)),
    all = Array.isArray(given) ? versions.map(internalVersion) : given;
  names.forEach((name, index) => {
    for (const fault of faultsOf("dns1035Label", name)) {
      causes.push(invalidValue(`spec.versions[${index}].name`, name, fault));
      if (index === 0 && name !== "") causes.push(invalidValue("spec.version", name, fault));
    }
  });
  if (new Set(names).size < names.length) {
    causes.push(invalidValue("spec.versions", all, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    causes.push(invalidValue("spec.versions", all, "must have exactly one version marked as storage version"));
  }
  for (const [index, version] of versions.entries()) {
    const place = `spec.versions[${index}]`;
    const schema = isObject(version.schema) ? version.schema.openAPIV3Schema : undefined;
    if (!isObject(schema)) causes.push(requiredValue(`${place}.schema.openAPIV3Schema`));
    causes.push(
      ...warningFaults(version).map((why) =>
        invalidValue(`${place}.deprecationWarning`, version.deprecationWarning, why)
      ),
    );
  }
  return causes;
}

/** As Go's internal type shows it: what versions have in common is in the spec. */
function internalVersion({ name, served, storage, deprecated, deprecationWarning = null }: Fields): Fields {
  return {
    Name: text(name),
    Served: served === true,
    Storage: storage === true,
    Deprecated: deprecated === true,
    DeprecationWarning: deprecationWarning,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  };
}

function warningFaults({ deprecated, deprecationWarning: warning }: Fields): string[] {
  if (typeof warning !== "string") return [];
  if (deprecated !== true) return ["can only be set for deprecated versions"];
  const faults: string[] = [];
  if (warning.length > WARNING_CHARACTERS_MAX) faults.push(`must be <= ${WARNING_CHARACTERS_MAX} characters long`);
  if (warning === "") faults.push("must not be an empty string");
  const unprintable = warning.search(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u);
  if (unprintable >= 0) {
    const why = "must only contain printable UTF-8 characters; non-printable character found at index";
    faults.push(`${why} ${new TextEncoder().encode(warning.slice(0, unprintable)).length}`);
  }
  return faults;
}

/** What versions have in common is checked once, as a field of the spec. */
export function versionPartCauses(versions: readonly Fields[]): StatusCause[] {
  const check = (part: string, common: string, causesOf: (version: Fields, path: string) => StatusCause[]) => {
    const [first, ...others] = versions;
    if (first && others.every((version) => jsonEqual(version[part], first[part]))) {
      return causesOf(first, `spec.${common}`);
    }
    return versions.flatMap((version, index) => causesOf(version, `spec.versions[${index}].${part}`));
  };
  return [
    ...check("schema", "validation", ({ schema }, path) => {
      const given = isObject(schema) ? schema.openAPIV3Schema : undefined;
      return isObject(given) ? structuralCauses(given as Schema, `${path}.openAPIV3Schema`) : [];
    }),
    ...check("subresources", "subresources", ({ subresources }, path) => subresourceCauses(subresources, path)),
    ...check("additionalPrinterColumns", "additionalPrinterColumns", columnCauses),
    ...check("selectableFields", "selectableFields", selectableCauses),
  ];
}

function subresourceCauses(subresources: unknown, path: string): StatusCause[] {
  const scale = isObject(subresources) ? subresources.scale : undefined, causes: StatusCause[] = [];
  if (!isObject(scale)) return causes;
  const rules = [
    ["specReplicasPath", [".spec."], "should be a json path under .spec"],
    ["statusReplicasPath", [".status."], "should be a json path under .status"],
    ["labelSelectorPath", [".spec.", ".status."], "should be a json path under either .spec or .status"],
  ] as const;
  for (const [field, roots, why] of rules) {
    const value = text(scale[field]), at = `${path}.scale.${field}`;
    if (value === "") {
      if (field !== "labelSelectorPath") causes.push(requiredValue(at));
    } else if (!value.startsWith(".")) {
      causes.push(invalidValue(at, value, "must be a simple json path starting with ."));
    } else if (!roots.some((root) => value.startsWith(root))) causes.push(invalidValue(at, value, why));
  }
  return causes;
}

function columnCauses({ additionalPrinterColumns }: Fields, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const [index, column] of listOf(additionalPrinterColumns).entries()) {
    const at = `${path}[${index}]`,
      type = text(column.type),
      format = text(column.format),
      json = text(column.jsonPath);
    if (text(column.name) === "") causes.push(requiredValue(`${at}.name`));
    const why = `must be one of ${COLUMN_TYPES.join(",")}`;
    if (type === "") causes.push(requiredValue(`${at}.type`, why));
    else if (!COLUMN_TYPES.includes(type)) causes.push(invalidValue(`${at}.type`, type, why));
    if (format !== "" && !COLUMN_FORMATS.includes(format)) {
      causes.push(invalidValue(`${at}.format`, format, `must be one of ${COLUMN_FORMATS.join(",")}`));
    }
    if (json === "") causes.push(requiredValue(`${at}.JSONPath`));
    else if (!json.startsWith(".")) {
      causes.push(invalidValue(`${at}.JSONPath`, json, "must be a simple json path starting with ."));
    }
  }
  return causes;
}

function selectableCauses({ selectableFields, schema }: Fields, path: string): StatusCause[] {
  const root = (isObject(schema) ? schema.openAPIV3Schema : undefined) as Schema | undefined;
  const causes: StatusCause[] = [], seen = new Set<string>();
  for (const [index, { jsonPath }] of listOf(selectableFields).entries()) {
    const at = `${path}[${index}].jsonPath`, value = text(jsonPath);
    const fault = value === "" ? undefined : pathFault(value, root);
    if (value === "") causes.push(requiredValue(at));
    else if (fault !== undefined) causes.push(invalidValue(at, value, fault));
    else if (seen.has(value)) {
      causes.push({ reason: "FieldValueDuplicate", message: `Duplicate value: ${JSON.stringify(value)}`, field: at });
    }
    if (fault === undefined) seen.add(value);
  }
  if (seen.size > SELECTABLE_MAX) {
    const message = `Too many: ${seen.size}: must have at most ${SELECTABLE_MAX} items`;
    causes.push({ reason: "FieldValueTooMany", message, field: path });
  }
  return causes;
}

function pathFault(path: string, root: Schema | undefined): string | undefined {
  if (!/^[.[]/.test(path)) return `is an invalid path: expected [ or . but got: ${/^[^.[]+/.exec(path)![0]}`;
  if (path.includes("[")) return "is an invalid path: array notation is not allowed";
  let schema: Schema | undefined = root;
  for (const field of path.slice(1).split(".")) {
    const properties: Readonly<Record<string, Schema>> = schema?.properties ?? {};
    schema = Object.hasOwn(properties, field) ? properties[field] : undefined;
    if (!schema) return "is an invalid path: does not refer to a valid field";
  }
  if (["string", "boolean", "integer"].includes(schema?.type ?? "")) return undefined;
  return "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
}

/** What `status.storedVersions` lacks or has without need. */
export function storedVersionCauses(stored: readonly string[], versions: readonly Fields[]): StatusCause[] {
  const field = "status.storedVersions";
  if (stored.length === 0) return [invalidValue(field, null, "must have at least one stored version")];
  const causes = versions.filter(({ name, storage }) => storage === true && !stored.includes(text(name)))
    .map(({ name }) => invalidValue(field, stored, `must have the storage version ${text(name)}`));
  for (const [index, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const why =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions ` +
      `until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    causes.push(invalidValue(`${field}[${index}]`, name, why));
  }
  return causes;
}

/** What no update may change. */
export function immutableCauses(now: Fields, before: Fields): StatusCause[] {
  const [names, former] = [now.names, before.names].map((value) => (isObject(value) ? value : {})) as [Fields, Fields];
  const changed = (path: string, value: unknown, old: unknown) =>
    value === old ? [] : [invalidValue(path, value, "field is immutable")];
  return [
    ...["group", "scope"].flatMap((field) => changed(`spec.${field}`, now[field], before[field])),
    ...["kind", "plural"].flatMap((field) => changed(`spec.names.${field}`, names[field], former[field])),
  ];
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text) : [];
}
