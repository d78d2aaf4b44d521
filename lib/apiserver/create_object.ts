import { jsonClone, randomSuffix, randomUuid } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion, formatKey, formatTime } from "../apimachinery/mod.ts";
import { alreadyExists, ApiError, badRequest, forbidden, methodNotAllowed, notFound } from "./api_error.ts";
import { toStorage } from "./conversion.ts";
import { decodeObject } from "./object_decoding.ts";
import { checkCandidate } from "./object_validation.ts";
import { storageResource } from "./resource_registry.ts";
import type { ServerContext } from "./server_context.ts";
import { trackUpdate } from "./schema/managed_fields.ts";
import { applyDefaults } from "./schema/defaulting.ts";
import { StoredObject } from "./stored_object.ts";
import { countsGenerations, strategyOf } from "./strategies.ts";
import type { WriteTarget } from "./write_target.ts";

/** Room for five random letters in names of at most 63 (names.SimpleNameGenerator). */
const GENERATE_NAME_LENGTH_MAX = 58;

/**
 * Creates an object the way POST does. `input` is owned by the caller's request and edited.
 *
 * @throws {ApiError} for everything a real server refuses; nothing is stored then.
 */
export function createObject(server: ServerContext, target: WriteTarget, input: DynamicObject): StoredObject {
  const { type, options } = target;
  decodeObject(input, type, options.fieldValidation, target.warnings);
  place(input, target);
  if (input.metadata!.resourceVersion) {
    throw new ApiError(500, "", "resourceVersion should not be set on objects to be created");
  }
  admitNamespace(server, target, input);
  admitKind(server, target);
  for (let attempt = 1;; attempt++) {
    const object = input.metadata!.name ? input : jsonClone(input);
    const generated = !input.metadata!.name && input.metadata!.generateName;
    if (generated) {
      object.metadata!.name = generated.slice(0, GENERATE_NAME_LENGTH_MAX) + randomSuffix(server.random);
    }
    const stored = createOnce(server, target, object);
    if (stored) return stored;
    if (!generated || attempt >= server.limits.writeAttemptsMax) throw alreadyExists(type, object.metadata!.name!);
  }
}

/** Undefined where the name is taken. */
function createOnce(server: ServerContext, target: WriteTarget, object: DynamicObject): StoredObject | undefined {
  const { type, options } = target;
  const resource = storageResource(type), nowMs = server.clock.now();
  const metadata = object.metadata!;
  const applied = metadata.managedFields;
  for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] as const) {
    delete metadata[field];
  }
  metadata.uid = randomUuid(server.random);
  metadata.creationTimestamp = formatTime(nowMs);
  if (countsGenerations(type, resource)) metadata.generation = 1;
  else delete metadata.generation;
  if (type.subresources.includes("status")) delete object.status;
  applyDefaults(object, type.schema);
  const strategy = strategyOf(resource);
  strategy.normalize?.(object);
  metadata.managedFields = target.applied ? applied : trackUpdate({
    after: object,
    manager: options.fieldManager,
    schema: type.schema,
    apiVersion: formatApiVersion(type),
    nowMs,
  });
  if (metadata.managedFields?.length === 0) delete metadata.managedFields;
  strategy.prepareForCreate?.(object, { type, nowMs });
  checkCandidate(target, object);
  const key = formatKey({ namespace: metadata.namespace, name: metadata.name! });
  if (options.dryRun) {
    return server.storage.get(resource, key) ? undefined : new StoredObject(toStorage(object), 0);
  }
  return server.storage.create(resource, key, toStorage(object));
}

/** Agrees the object's namespace and name with the URL. */
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

/** Nothing is created in a namespace that does not exist or is going away (NamespaceLifecycle admission). */
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

/** Instances of a CRD that is going away cannot be created. */
function admitKind(server: ServerContext, target: WriteTarget): void {
  if (target.type.builtin) return;
  const crd = server.storage.get("customresourcedefinitions.apiextensions.k8s.io", storageResource(target.type));
  if (crd?.object.metadata?.deletionTimestamp) {
    throw methodNotAllowed("create not allowed while custom resource definition is terminating");
  }
}
