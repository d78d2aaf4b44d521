import { isObject, jsonClone, jsonEqual } from "../base/mod.ts";
import { type DynamicObject, formatKey, formatTime } from "../apimachinery/mod.ts";
import { conflict, forbidden, notFound } from "./api_error.ts";
import { asVersion, convertsByWebhook, needsViews, toStorage } from "./conversion.ts";
import type { DeleteOptions } from "./request_options.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import type { ServerContext } from "./server_context.ts";
import { StoredObject } from "./stored_object.ts";
import { defaultPropagation } from "./strategies.ts";
import { CLEANUP_FINALIZER } from "./strategy_crd.ts";
import { isFullyDeleted } from "./update_object.ts";
import type { UserInfo } from "./user_info.ts";

export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

const PROTECTED_NAMESPACES = new Set(["default", "kube-system", "kube-public"]);
const PODS = "pods";
const CRDS = "customresourcedefinitions.apiextensions.k8s.io";

export interface DeleteTarget {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name: string;
  readonly options: DeleteOptions;
}

export interface Deletion {
  /** `pending`: finalizers remain. */
  readonly kind: "gone" | "pending";
  readonly stored: StoredObject;
}

/**
 * Deletes, or marks an object with finalizers; for the server itself, without webhooks.
 *
 * @throws {ApiError} 404, 409 for failed preconditions, 403 for namespaces that must stay.
 */
export function deleteObject(server: ServerContext, target: DeleteTarget): Deletion {
  const { type } = target;
  return markOrRemove(server, target, (object) => convertsByWebhook(type) ? object : toStorage(object, type));
}

/** `inStorageVersion` converts to today's stored version, because marking is a write. */
function markOrRemove(
  server: ServerContext,
  { type, namespace, name, options }: DeleteTarget,
  inStorageVersion: (object: DynamicObject) => DynamicObject,
): Deletion {
  const resource = storageResource(type);
  const key = formatKey({ namespace: type.namespaced ? namespace : undefined, name });
  const stored = server.storage.get(resource, key);
  if (!stored) throw notFound(type, name);
  checkPreconditions(type, stored, options);
  if (resource === "namespaces" && PROTECTED_NAMESPACES.has(name)) {
    throw forbidden(type, name, "this namespace may not be deleted");
  }
  const next = withDeletionTimestamp(server, resource, inStorageVersion(stored.object), options);
  if (isFullyDeleted(next, resource)) {
    if (options.dryRun) {
      return { kind: "gone", stored: new StoredObject(resource === PODS ? next : stored.object, stored.revision) };
    }
    const last = server.storage.remove(resource, key, resource === PODS ? next : unmarked(next, stored.object), stored);
    if (!last) throw conflict(type, name);
    return { kind: "gone", stored: last };
  }
  if (options.dryRun) return { kind: "pending", stored: new StoredObject(next, stored.revision) };
  if (jsonEqual(next, stored.object)) return { kind: "pending", stored };
  const written = server.storage.update(resource, key, next, stored);
  if (!written) throw conflict(type, name);
  return { kind: "pending", stored: written };
}

export interface Deleter {
  readonly user: UserInfo;
  readonly warnings: string[];
}

/**
 * Deletes as DELETE does, with webhooks, which get the deleted object; in one step where none applies.
 *
 * @throws {ApiError} as {@linkcode deleteObject}, and where webhooks deny it.
 */
export async function deleteAdmitted(
  server: ServerContext,
  target: DeleteTarget,
  { user, warnings }: Deleter,
): Promise<Deletion> {
  const { type, name, options } = target;
  const resource = storageResource(type), namespace = type.namespaced ? target.namespace : undefined;
  const key = formatKey({ namespace, name });
  for (let attempt = 1;; attempt++) {
    const stored = server.storage.get(resource, key);
    // DELETE reads the object first, so it fails where conversion fails.
    const view = stored && needsViews(type) ? await server.converter.view(stored, type, "fresh") : stored;
    const write = { operation: "DELETE", type, namespace, old: view && asVersion(view, type) } as const;
    const object = stored && convertsByWebhook(type)
      ? await server.converter.toStorage(stored.object, type)
      : undefined;
    const finish = () => object ? markOrRemove(server, target, () => object) : deleteObject(server, target);
    const isCurrent = () => server.storage.get(resource, key) === stored;
    if (!stored || (!server.admission.intercepts(write) && isCurrent())) return finish();
    checkPreconditions(type, stored, options);
    const attributes = { ...write, name, user, dryRun: options.dryRun, warnings };
    await server.admission.mutate(attributes);
    await server.admission.validate(attributes);
    if (isCurrent()) return finish();
    if (attempt >= server.limits.writeAttemptsMax) throw conflict(type, name);
  }
}

function checkPreconditions(type: ResourceType, stored: StoredObject, options: DeleteOptions): void {
  const { name = "", uid, resourceVersion } = stored.object.metadata!;
  // kube-apiserver names the kind here, where it names the resource elsewhere.
  const kind = { group: type.group, plural: type.kind }, hint = "The object might have been";
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). ` +
      `${hint} deleted and then recreated`;
    throw conflict(kind, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ` +
      `ResourceVersion in record (${resourceVersion}). ${hint} modified`;
    throw conflict(kind, name, why);
  }
}

function withDeletionTimestamp(
  server: ServerContext,
  resource: string,
  object: DynamicObject,
  options: DeleteOptions,
): DynamicObject {
  const next = jsonClone(object);
  const metadata = next.metadata!;
  const first = metadata.deletionTimestamp === undefined;
  const graceSeconds = graceSecondsOf(resource, object, options);
  const nowMs = server.clock.now();
  metadata.finalizers = finalizersFor(resource, metadata.finalizers ?? [], options);
  if (first && resource === CRDS && !metadata.finalizers.includes(CLEANUP_FINALIZER)) {
    metadata.finalizers.push(CLEANUP_FINALIZER);
  }
  if (metadata.finalizers.length === 0) delete metadata.finalizers;
  if (!first) return resource === PODS ? withShorterGrace(next, graceSeconds) : next;
  metadata.deletionTimestamp = formatTime(nowMs + graceSeconds * 1_000);
  metadata.deletionGracePeriodSeconds = graceSeconds;
  if (resource === "namespaces") {
    delete metadata.deletionGracePeriodSeconds;
    next.status = { ...(next.status as object | undefined), phase: "Terminating" };
  } else if (metadata.generation) metadata.generation++;
  return next;
}

const GRACE_SECONDS_DEFAULT = 30;

/**
 * How long a kubelet may take to stop a Pod on a node. No kubelet runs here: such a Pod stays until it is deleted with
 * a grace of 0, as on an API server without nodes. Other objects have no grace.
 */
function graceSecondsOf(resource: string, { spec, status }: DynamicObject, options: DeleteOptions): number {
  if (resource !== PODS) return 0;
  const { nodeName, terminationGracePeriodSeconds } = isObject(spec) ? spec : {};
  const phase = isObject(status) ? status.phase : undefined;
  if (!nodeName || phase === "Succeeded" || phase === "Failed") return 0;
  const seconds = options.gracePeriodSeconds ?? Number(terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT);
  return seconds < 0 ? 1 : seconds;
}

/** A second deletion may only shorten the grace. */
function withShorterGrace(pod: DynamicObject, graceSeconds: number): DynamicObject {
  const metadata = pod.metadata!, before = metadata.deletionGracePeriodSeconds ?? 0;
  if (graceSeconds >= before) return pod;
  const endMs = Date.parse(metadata.deletionTimestamp!) - (before - graceSeconds) * 1_000;
  metadata.deletionTimestamp = formatTime(endMs);
  metadata.deletionGracePeriodSeconds = graceSeconds;
  return pod;
}

/** The last state shows no deletion mark that no client saw. */
function unmarked(next: DynamicObject, object: DynamicObject): DynamicObject {
  return object.metadata?.deletionTimestamp ? next : jsonClone(object);
}

/** Sets the garbage collector's finalizers by policy; keeps others. */
function finalizersFor(resource: string, finalizers: readonly string[], options: DeleteOptions): string[] {
  const others = finalizers.filter((name) => name !== ORPHAN_FINALIZER && name !== FOREGROUND_FINALIZER);
  switch (options.propagationPolicy) {
    case "Orphan":
      return [...others, ORPHAN_FINALIZER];
    case "Foreground":
      return [...others, FOREGROUND_FINALIZER];
    case "Background":
      return others;
    case undefined:
      if (others.length < finalizers.length) return [...finalizers];
      return defaultPropagation(resource) === "Orphan" ? [...others, ORPHAN_FINALIZER] : others;
    default:
      return options.propagationPolicy satisfies never;
  }
}
