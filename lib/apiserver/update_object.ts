import { jsonClone, jsonEqual } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey, type ManagedFieldsEntry } from "../apimachinery/mod.ts";
import { ApiError, conflict, invalid, invalidValue, notFound } from "./api_error.ts";
import { admitChanged } from "./builtin_admission.ts";
import { asVersion, convertsByWebhook, needsViews, toStorage } from "./conversion.ts";
import { type ConversionSteps, isSteps, runWithoutConversion } from "./conversion_steps.ts";
import { checkCandidate } from "./object_validation.ts";
import { checkEscalation } from "./rbac_escalation.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import { trackUpdate } from "./schema/managed_fields.ts";
import { applyDefaults } from "./schema/defaulting.ts";
import { toStorageForm } from "./schema/go_field.ts";
import type { ServerContext } from "./server_context.ts";
import { StoredObject } from "./stored_object.ts";
import { countsGenerations, needsVersion, strategyOf } from "./strategies.ts";
import { admissionAttributes, type WriteTarget } from "./write_target.ts";

/**
 * Makes the candidate, which the caller owns, from the frozen live object in the request's version. Returns steps where
 * other versions' managers own parts.
 */
export type Change = (live: DynamicObject) => DynamicObject | ConversionSteps<DynamicObject>;

/**
 * Updates for the server itself, without webhooks or webhook conversion. Checks the candidate's resourceVersion. Stores
 * nothing without changes. Removes a terminating object without finalizers.
 *
 * @throws {ApiError} 404, 409, 422 as kube-apiserver; nothing is stored then.
 */
export function updateObject(server: ServerContext, target: WriteTarget, change: Change): StoredObject {
  const { key, stored } = storedState(server, target), live = asVersion(stored, target.type);
  const next = complete(server, target, runWithoutConversion(candidateOf(server, target, change, live)), live);
  return storeChange(server, target, { key, stored, live, next, object: toStorage(next, target.type) });
}

/**
 * Updates as PUT and PATCH do, with webhooks; in one step where none applies. `change` runs again after another
 * client's write.
 *
 * @throws {ApiError} as {@linkcode updateObject}, and where webhooks deny it.
 */
export async function updateAdmitted(
  server: ServerContext,
  target: WriteTarget,
  change: Change,
): Promise<StoredObject> {
  const { type } = target, byWebhook = convertsByWebhook(type);
  for (let attempt = 1;; attempt++) {
    const { key, stored } = storedState(server, target);
    const view = needsViews(type) ? await server.converter.view(stored, type) : stored, live = asVersion(view, type);
    const steps = candidateOf(server, target, change, live);
    const prepared = byWebhook ? await server.converter.settle(steps, type) : runWithoutConversion(steps);
    const attributes = admissionAttributes(target, "UPDATE", { object: prepared, old: live });
    if (!byWebhook && !server.admission.intercepts(attributes)) {
      const next = complete(server, target, prepared, live);
      return storeChange(server, target, { key, stored, live, next, object: toStorage(next, type) });
    }
    const admitted = (await server.admission.mutate(attributes))!;
    admitted.metadata!.managedFields = prepared.metadata!.managedFields;
    const next = complete(server, target, restrictToEndpoint(target, admitted, live), live);
    checkCandidate(target, next, live);
    checkEscalation(server, target, next, live);
    await server.admission.validate({ ...attributes, object: next });
    const object = await server.converter.toStorage(next, type);
    const current = server.storage.get(storageResource(type), key) === stored;
    if (current) return storeChange(server, target, { key, stored, live, next, object });
    if (attempt >= server.limits.writeAttemptsMax) throw conflict(target.type, target.name!);
  }
}

function storedState(server: ServerContext, target: WriteTarget) {
  const { type } = target, name = target.name!;
  const key = formatKey({ namespace: type.namespaced ? target.namespace : undefined, name });
  const stored = server.storage.get(storageResource(type), key);
  if (!stored) throw notFound(type, name);
  return { key, stored };
}

function* candidateOf(
  server: ServerContext,
  target: WriteTarget,
  change: Change,
  live: DynamicObject,
): ConversionSteps<DynamicObject> {
  const made = change(live);
  return yield* prepareManaged(server, target, isSteps(made) ? yield* made : made, live);
}

interface StateChange {
  readonly key: string;
  readonly stored: StoredObject;
  readonly live: DynamicObject;
  readonly next: DynamicObject;
  readonly object: DynamicObject;
}

function storeChange(
  server: ServerContext,
  target: WriteTarget,
  { key, stored, live, next, object }: StateChange,
): StoredObject {
  // Stored forms: an object in an old version is written even if it looks the same.
  if (isNoOp(object, stored.object)) return stored;
  checkCandidate(target, next, live);
  checkEscalation(server, target, next, live);
  const resource = storageResource(target.type);
  if (target.options.dryRun) return new StoredObject(object, stored.revision);
  const gone = isFullyDeleted(object, resource);
  const written = gone
    ? server.storage.remove(resource, key, object, stored)
    : server.storage.update(resource, key, object, stored);
  if (!written) throw conflict(target.type, target.name!);
  return written;
}

/** A terminating object without finalizers, and without a grace in which it still runs. */
export function isFullyDeleted(object: DynamicObject, resource: string): boolean {
  const metadata = object.metadata!;
  if (!metadata.deletionTimestamp || (metadata.finalizers?.length ?? 0) > 0) return false;
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  const spec = object.spec as { finalizers?: string[] } | undefined;
  return resource !== "namespaces" || (spec?.finalizers?.length ?? 0) === 0;
}

function checkPreconditions(target: WriteTarget, candidate: DynamicObject, live: DynamicObject): void {
  const wanted = candidate.metadata!, have = live.metadata!;
  if (wanted.uid && wanted.uid !== have.uid) {
    const why = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${have.uid}`;
    throw conflict(target.type, target.name!, why);
  }
  if (!wanted.resourceVersion || wanted.resourceVersion === "0") {
    if (target.type.builtin && !needsVersion(storageResource(target.type))) return;
    const cause = invalidValue("metadata.resourceVersion", 0, "must be specified for an update");
    throw invalid({ group: target.type.group, kind: target.type.plural }, target.name!, [cause]);
  }
  if (wanted.resourceVersion !== have.resourceVersion) throw conflict(target.type, target.name!);
}

/** The object that mutating webhooks receive: other endpoints' fields are live, managers are recorded. */
function* prepareManaged(
  server: ServerContext,
  target: WriteTarget,
  candidate: DynamicObject,
  live: DynamicObject,
): ConversionSteps<DynamicObject> {
  const { type, subresource, options } = target;
  checkPreconditions(target, candidate, live);
  const managed = candidate.metadata!.managedFields;
  const next = restrictToEndpoint(target, candidate, live);
  if (target.applied) {
    next.metadata!.managedFields = managed;
    return next;
  }
  try {
    next.metadata!.managedFields = yield* trackUpdate({
      before: live,
      after: next,
      manager: options.fieldManager,
      schema: type.schema,
      schemas: type.versions?.webhook && type.versions.schemas,
      apiVersion: formatApiVersion(type),
      subresource,
      nowMs: server.clock.now(),
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // The write succeeds anyway; managedFields stay until they can be tracked again.
    next.metadata!.managedFields = jsonClone(live.metadata!.managedFields);
  }
  return next;
}

/** Keeps live fields that this write may not change. */
function restrictToEndpoint(target: WriteTarget, candidate: DynamicObject, live: DynamicObject): DynamicObject {
  const { type, subresource } = target;
  keepServerMetadata(candidate, live);
  const next = writtenPart(type, subresource, candidate, live);
  applyDefaults(next, type.schema);
  if (subresource === undefined) strategyOf(storageResource(type)).normalize?.(next);
  return next;
}

/** Adds server fields, which have no owner. */
function complete(
  server: ServerContext,
  { type, subresource }: WriteTarget,
  next: DynamicObject,
  live: DynamicObject,
): DynamicObject {
  const resource = storageResource(type), nowMs = server.clock.now();
  if (type.builtin) toStorageForm(next, type.schema);
  if (subresource === undefined) admitChanged(server, type, { object: next, live });
  if (subresource === undefined) strategyOf(resource).prepareForUpdate?.(next, live, { type, nowMs });
  if (subresource !== "status" && countsGenerations(type, resource)) {
    next.metadata!.generation = (live.metadata!.generation ?? 0) +
      (contentChanged(next, live, type.subresources) ? 1 : 0);
  }
  if (next.metadata!.managedFields?.length === 0) delete next.metadata!.managedFields;
  return next;
}

/** As rest.BeforeUpdate. */
function keepServerMetadata(candidate: DynamicObject, live: DynamicObject): void {
  const metadata = candidate.metadata!, former = live.metadata!;
  metadata.name ??= former.name;
  if (former.namespace !== undefined) metadata.namespace ??= former.namespace;
  metadata.uid = former.uid;
  metadata.resourceVersion = former.resourceVersion;
  metadata.creationTimestamp = former.creationTimestamp;
  for (const field of ["generation", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    if (former[field] !== undefined) (metadata as Record<string, unknown>)[field] = former[field];
    else if (field !== "deletionTimestamp") delete metadata[field];
  }
  delete metadata.selfLink;
}

/** Everything but status, or status alone. */
function writtenPart(
  { builtin, subresources }: ResourceType,
  subresource: string | undefined,
  candidate: DynamicObject,
  live: DynamicObject,
): DynamicObject {
  if (subresource === undefined) {
    if (!subresources.includes("status")) return candidate;
    const { status: _status, ...rest } = candidate;
    return live.status === undefined ? rest : { ...rest, status: jsonClone(live.status) };
  }
  if (subresource !== "status") return candidate;
  const { status: _status, ...rest } = live;
  const next: DynamicObject = jsonClone(rest);
  if (builtin) {
    // Built-in kinds also accept annotations and finalizers, custom resources only status.
    const { labels: _labels, ownerReferences: _owners, ...metadata } = candidate.metadata!;
    const { labels, ownerReferences } = next.metadata!;
    next.metadata = { ...metadata, ...(labels && { labels }), ...(ownerReferences && { ownerReferences }) };
  }
  next.metadata!.managedFields = candidate.metadata!.managedFields;
  if (candidate.status !== undefined) next.status = candidate.status;
  return next;
}

/** Ignores metadata, and status with its own endpoint. */
function contentChanged(next: DynamicObject, live: DynamicObject, subresources: readonly string[]): boolean {
  const content = (object: DynamicObject) => {
    const { metadata: _metadata, status, ...rest } = object;
    return subresources.includes("status") ? rest : { ...rest, status };
  };
  return !jsonEqual(content(next), content(live));
}

/** Changes only of managedFields' times are no write. */
function isNoOp(next: DynamicObject, live: DynamicObject): boolean {
  const timeless = (object: DynamicObject) => {
    const { managedFields, ...metadata } = object.metadata!;
    const entries = (managedFields ?? []).map(({ time: _time, ...entry }: ManagedFieldsEntry) => entry);
    return { ...object, metadata: { ...metadata, managedFields: entries } };
  };
  return jsonEqual(timeless(next), timeless(live));
}
