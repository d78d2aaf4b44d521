import { jsonClone, jsonEqual } from "../base/mod.ts";
import { type DynamicObject, parseKey } from "../apimachinery/mod.ts";
import { deleteObject } from "./delete_object.ts";
import type { StorageEvent } from "./event_log.ts";
import type { ResourceType } from "./resource_type.ts";
import { resourceTypesOf } from "./schema/crd.ts";
import { applyDefaults } from "./schema/defaulting.ts";
import { pruneNulls, pruneUnknown } from "./schema/pruning.ts";
import type { ServerContext } from "./server_context.ts";
import { CLEANUP_FINALIZER } from "./strategy_crd.ts";
import { isFullyDeleted } from "./update_object.ts";

export const CRDS = "customresourcedefinitions.apiextensions.k8s.io";

/** Types of stored CRDs, which are frozen. One CRD is often in many servers, which restore the same snapshot. */
const typesOf = new WeakMap<DynamicObject, readonly ResourceType[]>();

/** Serves stored CRDs; deletes instances before their CRD. */
export class CrdLifecycle {
  readonly #server: ServerContext;

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource, event) => this.#observe(resource, event));
  }

  rebuild(): void {
    const { registry, storage } = this.#server;
    registry.clearCustom();
    for (const [key, { object }] of storage.scan(CRDS)) registry.setCustom(key, servedTypes(object));
  }

  #observe(resource: string, event: StorageEvent): void {
    if (resource !== CRDS) {
      const crd = this.#server.storage.get(CRDS, resource);
      if (event.type === "DELETED" && crd?.object.metadata?.deletionTimestamp) this.#enqueue(resource);
      return;
    }
    const { object } = event.current;
    const isGone = event.type === "DELETED";
    if (isGone || !jsonEqual(event.previous?.object.spec, object.spec)) {
      this.#server.registry.setCustom(event.key, isGone ? [] : servedTypes(object));
      if (!isGone) this.#restate(event.key);
      // The schema may have changed, so watches end, as in kube-apiserver. Watches of a removed kind send the deletions
      // first.
      if (event.previous || isGone) this.#server.storage.log(event.key).interrupt({ drain: isGone });
    }
    if (event.type !== "DELETED" && object.metadata?.deletionTimestamp) this.#enqueue(event.key);
  }

  /** Stored objects read as their version's schema says now: pruned, with its defaults. */
  #restate(crdName: string): void {
    const { registry, storage } = this.#server, schemas = registry.byStorage(crdName)?.versions?.schemas;
    for (const [key, { object }] of [...storage.scan(crdName)]) {
      const schema = schemas?.get(object.apiVersion!);
      if (!schema) continue;
      const read = jsonClone(object);
      pruneUnknown(read, schema);
      pruneNulls(read, schema);
      applyDefaults(read, schema);
      if (!jsonEqual(read, object)) storage.restate(crdName, key, read);
    }
  }

  #enqueue(crdName: string): void {
    this.#server.background.add(`crd ${crdName}`, () => this.#cleanUp(crdName));
  }

  #cleanUp(crdName: string): void {
    const { registry, storage } = this.#server;
    const type = registry.byStorage(crdName);
    for (const [key, stored] of [...storage.scan(crdName)]) {
      if (!type || stored.object.metadata?.deletionTimestamp || storage.get(crdName, key) !== stored) continue;
      deleteObject(this.#server, { type, ...parseKey(key), options: { dryRun: false } });
    }
    const crd = storage.get(CRDS, crdName);
    if (!crd?.object.metadata?.deletionTimestamp || storage.count(crdName) > 0) return;
    const finalizers = crd.object.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) return;
    const next = jsonClone(crd.object);
    const rest = finalizers.filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
    if (rest.length > 0) next.metadata!.finalizers = rest;
    else delete next.metadata!.finalizers;
    if (isFullyDeleted(next, CRDS)) storage.remove(CRDS, crdName, next, crd);
    else storage.update(CRDS, crdName, next, crd);
  }
}

function servedTypes(crd: DynamicObject): readonly ResourceType[] {
  let types = typesOf.get(crd);
  if (!types) typesOf.set(crd, types = resourceTypesOf(crd).types);
  return types;
}
