import { isObject, setKey } from "../base/mod.ts";
import { type DynamicObject, type ObjectMeta, type StatusCause } from "../apimachinery/mod.ts";
import { badRequest, forbiddenField, invalidValue, requiredValue } from "./api_error.ts";
import type { ResourceType } from "./resource_type.ts";
import { faultsOf, labelValueFaults, qualifiedNameFaults, segmentFaults } from "./validation/names.ts";

/** apimachinery's TotalAnnotationSizeLimitB. */
const ANNOTATIONS_BYTES_MAX = 256 * 1024;

const RBAC_GROUP = "rbac.authorization.k8s.io";
const LABEL_NAMED = new Set(["namespaces", "services"]);

/** RBAC's names are segments of paths, some kinds' names labels, all others' subdomains. */
function nameFaults(type: ResourceType, name: string): string[] {
  if (type.group === RBAC_GROUP) return segmentFaults(name);
  return faultsOf(type.group === "" && LABEL_NAMED.has(type.plural) ? "dnsLabel" : "dnsSubdomain", name);
}

/** @throws {ApiError} 400 for metadata of a wrong type, as Go's decoder answers. */
export function checkMetadataShape(metadata: ObjectMeta): void {
  const refuse = (field: string, wanted: string) => badRequest(`metadata.${field} must be ${wanted}`);
  for (const field of ["name", "generateName", "namespace", "uid", "resourceVersion"] as const) {
    const value: unknown = metadata[field];
    if (value === null) delete metadata[field];
    else if (value !== undefined && typeof value !== "string") throw refuse(field, "a string");
  }
  for (const field of ["labels", "annotations"] as const) {
    const value: unknown = metadata[field];
    if (value === null) delete metadata[field];
    else if (value !== undefined && !isObject(value)) throw refuse(field, "a map of strings");
    else {for (const [key, item] of Object.entries(value ?? {})) {
        // Go decodes null to the empty string.
        if (item === null) setKey(value as Record<string, unknown>, key, "");
        else if (typeof item !== "string") throw refuse(`${field}.${key}`, "a string");
      }}
  }
  for (const field of ["finalizers", "ownerReferences", "managedFields"] as const) {
    const value: unknown = metadata[field];
    if (value === null || (Array.isArray(value) && value.length === 0)) delete metadata[field];
    else if (value !== undefined && !Array.isArray(value)) throw refuse(field, "a list");
    else if (Array.isArray(value)) checkItems(field, value);
  }
}

function checkItems(field: string, items: readonly unknown[]): void {
  for (const item of items) {
    if (field === "finalizers" ? typeof item !== "string" : !isObject(item)) {
      throw badRequest(`metadata.${field} holds an item of the wrong type`);
    }
  }
}

/** apimachinery's ValidateObjectMeta. */
export function validateMetadata(type: ResourceType, object: DynamicObject, old?: DynamicObject): StatusCause[] {
  const metadata = object.metadata ?? {};
  const causes: StatusCause[] = [];
  if (metadata.generateName && !old) {
    const { generateName } = metadata;
    const stem = generateName.replace(/-$/, "a"); // a suffix follows
    causes.push(...nameFaults(type, stem).map((fault) => invalidValue("metadata.generateName", generateName, fault)));
  }
  if (!metadata.name) causes.push(requiredValue("metadata.name", "name or generateName is required"));
  else if (!old) {
    const { name } = metadata;
    causes.push(...nameFaults(type, name).map((fault) => invalidValue("metadata.name", name, fault)));
  }
  causes.push(...labelCauses(metadata.labels ?? {}), ...annotationCauses(metadata.annotations ?? {}));
  causes.push(...finalizerCauses(type, metadata, old?.metadata), ...ownerCauses(metadata));
  if (old) causes.push(...immutableCauses(metadata, old.metadata!));
  return causes;
}

export function labelCauses(labels: Readonly<Record<string, string>>): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const [key, value] of Object.entries(labels)) {
    causes.push(...qualifiedNameFaults(key).map((fault) => invalidValue("metadata.labels", key, fault)));
    causes.push(...labelValueFaults(value).map((fault) => invalidValue("metadata.labels", value, fault)));
  }
  return causes;
}

export function annotationCauses(annotations: Readonly<Record<string, string>>): StatusCause[] {
  const causes: StatusCause[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    const faults = qualifiedNameFaults(key.toLowerCase());
    causes.push(...faults.map((fault) => invalidValue("metadata.annotations", key, fault)));
    bytes += key.length + value.length;
  }
  if (bytes > ANNOTATIONS_BYTES_MAX) {
    causes.push({
      reason: "FieldValueTooLong",
      message: `Too long: may not be more than ${ANNOTATIONS_BYTES_MAX} bytes`,
      field: "metadata.annotations",
    });
  }
  return causes;
}

const STANDARD_FINALIZERS = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** core's validateKubeFinalizerName. */
function kubernetesFinalizers(finalizers: readonly string[]): StatusCause[] {
  const why = "name is neither a standard finalizer name nor is it fully qualified";
  return finalizers.flatMap((finalizer, index) =>
    finalizer.includes("/") || STANDARD_FINALIZERS.has(finalizer)
      ? []
      : [invalidValue(`metadata.finalizers[${index}]`, finalizer, why)]
  );
}

function finalizerCauses(type: ResourceType, metadata: ObjectMeta, old: ObjectMeta | undefined): StatusCause[] {
  const field = "metadata.finalizers";
  const finalizers = metadata.finalizers ?? [];
  const causes = type.builtin ? kubernetesFinalizers(finalizers) : [];
  causes.push(
    ...finalizers.flatMap((finalizer) =>
      qualifiedNameFaults(finalizer).map((fault) => invalidValue(field, finalizer, fault))
    ),
  );
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    causes.push(invalidValue(field, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
  const added = finalizers.filter((finalizer) => !(old?.finalizers ?? []).includes(finalizer));
  if (old?.deletionTimestamp && added.length > 0) {
    const list = added.map((finalizer) => `"${finalizer}"`).join(", ");
    const why = `no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`;
    causes.push(forbiddenField(field, why));
  }
  return causes;
}

function ownerCauses(metadata: ObjectMeta): StatusCause[] {
  const causes: StatusCause[] = [];
  const field = "metadata.ownerReferences";
  const controllers: string[] = [];
  for (const [index, reference] of (metadata.ownerReferences ?? []).entries()) {
    for (const part of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!reference[part]) causes.push(requiredValue(`${field}[${index}].${part}`, "must not be empty"));
    }
    if (reference.controller) controllers.push(`${reference.kind}/${reference.name}`);
  }
  if (controllers.length > 1) {
    const why = `Only one reference can have Controller set to true. Found "true" in references for ${
      controllers.join(" and ")
    }`;
    causes.push(invalidValue(field, metadata.ownerReferences, why));
  }
  return causes;
}

function immutableCauses(metadata: ObjectMeta, old: ObjectMeta): StatusCause[] {
  const fields = ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp"] as const;
  return fields.filter((field) => metadata[field] !== old[field])
    .map((field) => invalidValue(`metadata.${field}`, metadata[field], "field is immutable"));
}
