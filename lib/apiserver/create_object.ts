import { jsonClone, randomSuffix, randomUuid } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey, formatTime } from "../apimachinery/mod.ts";
import { alreadyExists, ApiError, badRequest, forbidden, methodNotAllowed, notFound } from "./api_error.ts";
import { admitNew } from "./builtin_admission.ts";
import { convertsByWebhook, toStorage } from "./conversion.ts";
import { runWithoutConversion } from "./conversion_steps.ts";
import { decodeObject } from "./object_decoding.ts";
import { checkCandidate } from "./object_validation.ts";
import { checkEscalation } from "./rbac_escalation.ts";
import { storageResource } from "./resource_registry.ts";
import type { ServerContext } from "./server_context.ts";
import { trackUpdate } from "./schema/managed_fields.ts";
import { applyDefaults } from "./schema/defaulting.ts";
import { toStorageForm } from "./schema/go_field.ts";
import { StoredObject } from "./stored_object.ts";
import { countsGenerations, strategyOf } from "./strategies.ts";
import { admissionAttributes, type WriteTarget } from "./write_target.ts";

/** Names have at most 63 characters, five of them random (names.SimpleNameGenerator). */
const GENERATE_NAME_LENGTH_MAX = 58;

const SERVER_FIELDS = [
  "uid",
  "creationTimestamp",
  "generation",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "resourceVersion",
] as const;

/**
 * Creates for the server itself, without webhooks. Edits `input`.
 *
 * @throws {ApiError} as kube-apiserver; nothing is stored then.
 */
export function createObject(server: ServerContext, target: WriteTarget, input: DynamicObject): StoredObject {
  return storeWithoutWebhooks(server, target, prepareObject(server, target, input));
}

/**
 * Creates as POST does, with webhooks; in one step where none applies. Edits `input`.
 *
 * @throws {ApiError} as kube-apiserver or a webhook; nothing is stored then.
 */
export async function createAdmitted(
  server: ServerContext,
  target: WriteTarget,
  input: DynamicObject,
): Promise<StoredObject> {
  const prepared = prepareObject(server, target, input);
  const attributes = admissionAttributes(target, "CREATE", { object: prepared });
  if (!convertsByWebhook(target.type) && !server.admission.intercepts(attributes)) {
    return storeWithoutWebhooks(server, target, prepared);
  }
  const admitted = (await server.admission.mutate(attributes))!;
  admitted.metadata!.managedFields = prepared.metadata!.managedFields;
  if (target.type.subresources.includes("status")) delete admitted.status;
  applyDefaults(admitted, target.type.schema);
  strategyOf(storageResource(target.type)).normalize?.(admitted);
  place(admitted, target);
  let name = "";
  for (const candidate of candidates(server, target, admitted)) {
    name = candidate.metadata!.name!;
    await server.admission.validate({ ...attributes, object: candidate });
    const object = await server.converter.toStorage(candidate, target.type);
    // The namespace may be gone after webhook calls.
    admitNamespace(server, target, candidate);
    const stored = insertObject(server, target, object);
    if (stored) return stored;
  }
  throw nameTaken(server, target, name);
}

function storeWithoutWebhooks(server: ServerContext, target: WriteTarget, prepared: DynamicObject): StoredObject {
  let name = "";
  for (const candidate of candidates(server, target, prepared)) {
    name = candidate.metadata!.name!;
    const stored = insertObject(server, target, toStorage(candidate, target.type));
    if (stored) return stored;
  }
  throw nameTaken(server, target, name);
}

/** As mutating webhooks get it: with defaults and managers, without uid. */
function prepareObject(server: ServerContext, target: WriteTarget, input: DynamicObject): DynamicObject {
  const { type, options } = target;
  // An applied object has been checked against its schema.
  if (!target.applied) decodeObject(input, type, target);
  place(input, target);
  if (input.metadata!.resourceVersion && !target.applied) {
    throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
  }
  admitNamespace(server, target, input);
  requireLiveCrd(server, target);
  const metadata = input.metadata!, applied = metadata.managedFields;
  for (const field of SERVER_FIELDS) delete metadata[field];
  if (type.subresources.includes("status")) delete input.status;
  applyDefaults(input, type.schema);
  strategyOf(storageResource(type)).normalize?.(input);
  metadata.managedFields = target.applied ? applied : runWithoutConversion(trackUpdate({
    after: input,
    manager: options.fieldManager,
    schema: type.schema,
    schemas: type.versions?.webhook && type.versions.schemas,
    apiVersion: formatApiVersion(type),
    nowMs: server.clock.now(),
  }));
  return input;
}

/** One candidate, or one for each generated name. */
function* candidates(server: ServerContext, target: WriteTarget, prepared: DynamicObject): Generator<DynamicObject> {
  const { name, generateName } = prepared.metadata!, generated = !name && generateName;
  for (let attempt = 1; attempt <= (generated ? server.limits.writeAttemptsMax : 1); attempt++) {
    const object = name ? prepared : jsonClone(prepared);
    if (generated) {
      object.metadata!.name = generateName!.slice(0, GENERATE_NAME_LENGTH_MAX) + randomSuffix(server.random);
    }
    yield completeObject(server, target, object);
  }
}

function completeObject(server: ServerContext, target: WriteTarget, object: DynamicObject): DynamicObject {
  const { type } = target, resource = storageResource(type), nowMs = server.clock.now();
  const metadata = object.metadata!;
  for (const field of SERVER_FIELDS) delete metadata[field];
  metadata.uid = randomUuid(server.random);
  metadata.creationTimestamp = formatTime(nowMs);
  if (countsGenerations(type, resource)) metadata.generation = 1;
  if (metadata.managedFields?.length === 0) delete metadata.managedFields;
  admitNew(server, type, object);
  strategyOf(resource).prepareForCreate?.(object, { type, nowMs });
  checkCandidate(target, object);
  checkEscalation(server, target, object);
  if (type.builtin) toStorageForm(object, type.schema);
  return object;
}

function nameTaken(server: ServerContext, { type, namespace }: WriteTarget, name: string): ApiError {
  const key = formatKey({ namespace: type.namespaced ? namespace : undefined, name });
  const holder = server.storage.get(storageResource(type), key)?.object;
  const error = alreadyExists(type, name);
  if (holder?.metadata?.deletionTimestamp) error.status.message = `object is being deleted: ${error.status.message}`;
  return error;
}

/** Undefined where the name is taken. */
function insertObject(server: ServerContext, target: WriteTarget, object: DynamicObject): StoredObject | undefined {
  const { metadata } = object, resource = storageResource(target.type);
  const key = formatKey({ namespace: metadata!.namespace, name: metadata!.name! });
  if (!target.options.dryRun) return server.storage.create(resource, key, object);
  return server.storage.get(resource, key) ? undefined : new StoredObject(object, 0);
}

/** Sets namespace and name from the URL. */
function place(object: DynamicObject, target: WriteTarget): void {
  const metadata = object.metadata!;
  if (!target.type.namespaced) delete metadata.namespace;
  else if (metadata.namespace && metadata.namespace !== target.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  } else metadata.namespace = target.namespace;
  if (target.name === undefined) return;
  if (metadata.name && metadata.name !== target.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`);
  }
  metadata.name = target.name;
}

/** The NamespaceLifecycle admission plugin. */
function admitNamespace(server: ServerContext, target: WriteTarget, object: DynamicObject): void {
  const { type, namespace } = target;
  if (!type.namespaced) return;
  if (!namespace) throw badRequest("an empty namespace may not be set during creation");
  const found = server.storage.get("namespaces", namespace)?.object;
  if (!found) throw notFound({ group: "", plural: "namespaces" }, namespace);
  if (!found.metadata?.deletionTimestamp) return;
  const name = object.metadata?.name ?? "";
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(type, name, why, [{
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  }]);
}

function requireLiveCrd(server: ServerContext, target: WriteTarget): void {
  if (target.type.builtin) return;
  const crd = server.storage.get("customresourcedefinitions.apiextensions.k8s.io", storageResource(target.type));
  if (crd?.object.metadata?.deletionTimestamp) {
    throw methodNotAllowed("create not allowed while custom resource definition is terminating");
  }
}
