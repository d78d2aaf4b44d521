import { formatJson, isObject, jsonClone, type JsonObject } from "../base/mod.ts";
import {
  applyJsonPatch,
  applyMergePatch,
  type DynamicObject,
  formatApiVersion,
  formatKey,
  JSON_PATCH_OPERATIONS_MAX,
} from "../apimachinery/mod.ts";
import { ApiError, badRequest, conflict, invalid, invalidValue, notFound, unsupportedMediaType } from "./api_error.ts";
import { type ConversionSteps, runWithoutConversion } from "./conversion_steps.ts";
import { createAdmitted } from "./create_object.ts";
import { checkPlace, decodeObject, DecodingFault } from "./object_decoding.ts";
import { checkMetadataShape } from "./metadata_rules.ts";
import { asObject } from "./request_body.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import { decodingFault } from "./schema/go_decoder.ts";
import { type ApplyConflict, applyServerSide } from "./schema/managed_fields.ts";
import { strategicMerge, StrategicMergeError } from "./schema/strategic_merge.ts";
import { joinedFaults, typeFaults } from "./schema/typed_validation.ts";
import { rootType } from "./schema/typed_value.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";
import { updateAdmitted } from "./update_object.ts";
import type { WriteTarget } from "./write_target.ts";

type PatchKind = "json" | "merge" | "strategic" | "apply";

const MEDIA_TYPES: Readonly<Record<string, PatchKind>> = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
  "application/apply-patch+yaml": "apply",
};

/** @throws {ApiError} 415 for other types; custom resources have no strategic merge. */
export function patchKind(mediaType: string, builtin: boolean): PatchKind {
  const kind = Object.hasOwn(MEDIA_TYPES, mediaType) ? MEDIA_TYPES[mediaType]! : undefined;
  if (kind === undefined || (kind === "strategic" && !builtin)) {
    const accepted = Object.keys(MEDIA_TYPES).filter((type) => builtin || MEDIA_TYPES[type] !== "strategic");
    throw unsupportedMediaType(accepted);
  }
  return kind;
}

/** Applies a JSON, merge or strategic merge patch without editing `document`. */
export function patchedDocument(
  document: DynamicObject,
  kind: Exclude<PatchKind, "apply">,
  patch: unknown,
  target: Pick<WriteTarget, "type">,
): DynamicObject {
  const copy = jsonClone(document);
  if (kind === "json") return asObject(runJsonPatch(copy, patch));
  if (kind === "strategic") return strategicallyMerged(copy, patch, target);
  if (patch === null) throw badRequest("Invalid JSON Patch");
  if (!isObject(patch)) throw badRequest(`error decoding patch: ${notA(patch, MAP)}`);
  return asObject(applyMergePatch(copy as JsonObject, patch as JsonObject));
}

/** @throws {ApiError} 500 for a directive or an item that cannot be merged, as kube-apiserver. */
function strategicallyMerged(copy: DynamicObject, patch: unknown, target: Pick<WriteTarget, "type">): DynamicObject {
  if (patch !== null && !isObject(patch)) throw badRequest(notA(patch, MAP));
  try {
    return asObject(strategicMerge(copy, patch as JsonObject ?? {}, target.type.schema));
  } catch (error) {
    if (error instanceof StrategicMergeError) throw new ApiError(500, "", error.message);
    throw error;
  }
}

function runJsonPatch(copy: DynamicObject, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest(`error decoding patch: ${notA(patch, "[]handlers.jsonPatchOp")}`);
  if (patch.length > JSON_PATCH_OPERATIONS_MAX) {
    const message =
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_MAX}, got ${patch.length}`;
    throw new ApiError(413, "RequestEntityTooLarge", message);
  }
  try {
    return applyJsonPatch(copy as JsonObject, patch);
  } catch {
    // kube-apiserver does not say which operation failed either.
    throw new ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  }
}

/**
 * Patches an object, or creates it by server-side apply.
 *
 * @throws {ApiError} as kube-apiserver; for apply 409 with every conflicting field.
 */
export async function patchObject(
  server: ServerContext,
  target: WriteTarget,
  kind: PatchKind,
  patch: unknown,
): Promise<{ stored: StoredObject; created: boolean }> {
  if (kind === "apply") return await applyObject(server, target, patch);
  const stored = await updateAdmitted(server, target, (live) => {
    const candidate = patchedDocument(live, kind, patch, target);
    decodePatched(candidate, target);
    checkPlace(candidate, target);
    validateUid(candidate, live, target);
    return candidate;
  });
  return { stored, created: false };
}

/** @throws {ApiError} 422 where the patched object cannot be decoded. */
function decodePatched(candidate: DynamicObject, target: WriteTarget): void {
  try {
    decodeObject(candidate, target.type, target);
  } catch (error) {
    if (!(error instanceof DecodingFault)) throw error;
    const message = `Invalid value: ${formatJson(formatJson(candidate))}: ${error.why}`;
    const causes = [{ reason: "FieldValueInvalid", message, field: "patch" }];
    throw new ApiError(422, "Invalid", ` "" is invalid: patch: ${message}`, { causes });
  }
}

async function applyObject(
  server: ServerContext,
  target: WriteTarget,
  patch: unknown,
): Promise<{ stored: StoredObject; created: boolean }> {
  const { type } = target;
  const name = target.name!, input = appliedObject(patch, type);
  const metadata = input.metadata!;
  checkPlace(input, target);
  if (type.namespaced) metadata.namespace = target.namespace;
  const { resourceVersion, uid } = metadata;
  delete metadata.resourceVersion;
  delete metadata.uid;
  dropResetFields(input, target);
  const applied = { ...target, applied: true };
  const merge = function* (live: DynamicObject | undefined): ConversionSteps<DynamicObject> {
    const object = yield* applyOnto(server, target, live, input);
    checkMetadataShape(object.metadata!);
    if (resourceVersion) object.metadata!.resourceVersion = resourceVersion;
    else if (live) object.metadata!.resourceVersion = live.metadata!.resourceVersion;
    if (uid) object.metadata!.uid = uid;
    if (live) validateUid(object, live, target);
    return object;
  };
  const key = formatKey({ namespace: type.namespaced ? target.namespace : undefined, name });
  if (server.storage.get(storageResource(type), key)) {
    return { stored: await updateAdmitted(server, applied, merge), created: false };
  }
  if (target.subresource !== undefined) throw notFound(type, name);
  if (uid) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(type, name, why);
  }
  return { stored: await createAdmitted(server, applied, runWithoutConversion(merge(undefined))), created: true };
}

/**
 * Checks an applied object whatever `fieldValidation` says: a field without a type would have unknown owners.
 *
 * @throws {ApiError} 400 for another kind, 500 for undeclared fields and wrong types.
 */
function appliedObject(patch: unknown, type: ResourceType): DynamicObject {
  if (patch !== null && !isObject(patch)) {
    throw badRequest(`error decoding patch: error unmarshaling JSON: while decoding JSON: ${notA(patch, MAP)}`);
  }
  const input = patch ?? {}, metadata = isObject(input.metadata) ? input.metadata : {};
  if (metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const apiVersion = textOf(input.apiVersion), kind = textOf(input.kind);
  const version = apiVersion.includes("/") ? apiVersion : `/${apiVersion}`, qualified = `${version}, Kind=${kind}`;
  if (apiVersion !== formatApiVersion(type) || kind !== type.kind) {
    throw badRequest(`invalid object type: ${qualified}`);
  }
  const object = `${textOf(metadata.namespace)}/${textOf(metadata.name)}; ${qualified}`;
  const faults = typeFaults(input, rootType(type.schema));
  if (faults.length > 0) {
    throw new ApiError(500, "", `failed to create typed patch object (${object}): ${joinedFaults(faults)}`);
  }
  const fault = type.builtin ? decodingFault(input, type.schema) : undefined;
  if (fault !== undefined) {
    const why = `unable to convert unstructured object to ${qualified}: ${unstructuredFault(fault)}`;
    throw new ApiError(500, "", `failed to convert new object (${object}) to proper version: ${why}`);
  }
  input.metadata ??= {};
  return input as DynamicObject;
}

const MAP = "map[string]interface {}";

/** As Go says it of a body of another type. */
function notA(value: unknown, wanted: string): string {
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${isObject(value) ? "object" : found} into Go value of type ${wanted}`;
}

/** Unstructured objects are converted by reflection, which names no field. */
function unstructuredFault(fault: string): string {
  const number = /^json: cannot unmarshal number .* of type (u?int\d\d)$/.exec(fault);
  if (number) return `cannot convert float64 to ${number[1]}`;
  return fault.startsWith("illegal base64") ? `error decoding from json: ${fault}` : fault;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A patched uid is no precondition: it is immutable, or ignored by /status. */
function validateUid(candidate: DynamicObject, live: DynamicObject, { type, name, subresource }: WriteTarget): void {
  const wanted = candidate.metadata!.uid, have = live.metadata!.uid;
  if (wanted === undefined || wanted === have) return;
  if (subresource === "status" && !type.builtin) candidate.metadata!.uid = have;
  else throw invalid(type, name!, [invalidValue("metadata.uid", wanted, "field is immutable")]);
}

function dropResetFields(input: DynamicObject, target: WriteTarget): void {
  const { type, subresource } = target;
  if (subresource === undefined && type.subresources.includes("status")) delete input.status;
  if (subresource !== "status") return;
  for (const field of Object.keys(input)) {
    if (!["apiVersion", "kind", "metadata", "status"].includes(field)) delete input[field];
  }
  const { name, namespace, annotations, finalizers } = input.metadata!;
  input.metadata = { name, ...(namespace && { namespace }) };
  if (type.builtin && annotations) input.metadata.annotations = annotations;
  if (type.builtin && finalizers) input.metadata.finalizers = finalizers;
}

function* applyOnto(
  server: ServerContext,
  target: WriteTarget,
  live: DynamicObject | undefined,
  input: DynamicObject,
): ConversionSteps<DynamicObject> {
  const { type, options, subresource } = target;
  const outcome = yield* applyServerSide({
    live,
    applied: jsonClone(input),
    manager: options.fieldManager,
    force: options.force,
    schema: type.schema,
    schemas: type.versions?.webhook && type.versions.schemas,
    apiVersion: formatApiVersion(type),
    subresource,
    nowMs: server.clock.now(),
  });
  if (outcome.kind === "applied") return jsonClone(outcome.object);
  throw applyConflict(outcome.conflicts);
}

/** 409 that names each field's owner. */
function applyConflict(conflicts: readonly ApplyConflict[]): ApiError {
  const count = conflicts.reduce((sum, { fields }) => sum + fields.length, 0);
  const sorted = conflicts.toSorted((a, b) => a.description < b.description ? -1 : 1);
  const parts = sorted.map(({ description, fields }) =>
    count === 1
      ? `conflict with ${description}: ${fields[0]}`
      : `conflicts with ${description}:\n- ${fields.join("\n- ")}`
  );
  const causes = conflicts.flatMap(({ description, fields }) =>
    fields.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${description}`, field }))
  );
  const message = `Apply failed with ${count} conflict${count === 1 ? "" : "s"}: ${parts.join("\n")}`;
  return new ApiError(409, "Conflict", message, { causes });
}

export function storedObject(
  server: ServerContext,
  target: Pick<WriteTarget, "type" | "namespace" | "name">,
): StoredObject {
  const { type, namespace, name } = target;
  const key = formatKey({ namespace: type.namespaced ? namespace : undefined, name: name! });
  const stored = server.storage.get(storageResource(type), key);
  if (!stored) throw notFound(type, name!);
  return stored;
}
