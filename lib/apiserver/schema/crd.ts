import type { DynamicObject, StatusCause } from "../../apimachinery/mod.ts";
import { isObject } from "../../base/mod.ts";
import type { PrinterColumn, ResourceType, Schema } from "../resource_type.ts";
import { conversionCauses, kindVersions } from "./crd_conversion.ts";
import { crdCauses, versionPartCauses } from "./crd_rules.ts";

type Fields = Record<string, unknown>;

const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
const VERSION = /^v[1-9]\d*(?:(?:alpha|beta)[1-9]\d*)?$/;

/**
 * A CRD's types, one per served version, and its causes. Types with causes must not be served. Unsupported CEL rules
 * are causes too.
 */
export function resourceTypesOf(crd: DynamicObject): { types: ResourceType[]; causes: StatusCause[] } {
  const spec = isObject(crd.spec) ? crd.spec : {};
  const versions = Array.isArray(spec.versions) ? spec.versions.filter(isObject) : [];
  const causes = [
    ...crdCauses(spec),
    ...conversionCauses(spec.conversion, spec.preserveUnknownFields === true),
    ...versionPartCauses(versions),
  ];
  const all = versions.map((version) => typeOf(spec, version));
  const storage = all[versions.findIndex((version) => version.storage === true)];
  if (!storage) return { types: [], causes };
  const family = kindVersions(all, storage, spec.conversion);
  const served = all.filter((_type, index) => versions[index]!.served === true);
  return { types: served.map((type) => ({ ...type, versions: family })), causes };
}

function typeOf(spec: Fields, version: Fields): ResourceType {
  const names = isObject(spec.names) ? spec.names : {};
  const given = isObject(version.schema) ? version.schema.openAPIV3Schema : undefined;
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
    ...(scale ? { scale: scalePaths(scale) } : {}),
    schema,
    columns: columnsOf(version),
    builtin: false,
    selectableFields: selectable.map((field) => text(field.jsonPath).replace(/^\./, "")),
  };
}

function scalePaths(scale: Fields): NonNullable<ResourceType["scale"]> {
  const paths = {
    specReplicasPath: text(scale.specReplicasPath),
    statusReplicasPath: text(scale.statusReplicasPath),
  };
  return scale.labelSelectorPath ? { ...paths, labelSelectorPath: text(scale.labelSelectorPath) } : paths;
}

function columnsOf({ additionalPrinterColumns }: Fields): readonly PrinterColumn[] {
  const given = Array.isArray(additionalPrinterColumns) ? additionalPrinterColumns.filter(isObject) : [];
  return given.length === 0 ? [AGE] : given as unknown as PrinterColumn[];
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

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
