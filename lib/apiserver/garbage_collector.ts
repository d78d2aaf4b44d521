import { jsonClone } from "../base/mod.ts";
import { type DynamicObject, type OwnerReference, parseApiVersion, parseKey } from "../apimachinery/mod.ts";
import { deleteObject, FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from "./delete_object.ts";
import type { StorageEvent } from "./event_log.ts";
import { storageResource } from "./resource_registry.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";
import { isFullyDeleted } from "./update_object.ts";

interface Place {
  readonly resource: string;
  readonly key: string;
}

type OwnerState = "solid" | "dangling" | "waiting" | "unknown";

/**
 * Deletes dependents as kube-controller-manager does: background, foreground, orphan. Driven by storage events and an
 * index of owner uids. Cross-namespace owner references dangle; those to unserved kinds are ignored.
 */
export class GarbageCollector {
  readonly #server: ServerContext;
  readonly #dependents = new Map<string, Map<string, Place>>();

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource, event) => this.#observe(resource, event));
  }

  rebuild(): void {
    this.#dependents.clear();
    for (const resource of this.#server.storage.resources()) {
      for (const [key, { object }] of this.#server.storage.scan(resource)) this.#index({ resource, key }, object);
    }
  }

  #observe(resource: string, event: StorageEvent): void {
    const place = { resource, key: event.key };
    const metadata = event.current.object.metadata!;
    if (event.previous) this.#unindex(place, event.previous.object);
    if (event.type === "DELETED") {
      for (const dependent of this.#dependentsOf(metadata.uid!)) this.#enqueue(dependent);
      // A foreground owner may wait for this object.
      for (const reference of metadata.ownerReferences ?? []) this.#enqueueOwner(reference, event.current.object);
      return;
    }
    this.#index(place, event.current.object);
    const finalizers = metadata.finalizers ?? [];
    const finalizing = metadata.deletionTimestamp !== undefined &&
      (finalizers.includes(FOREGROUND_FINALIZER) || finalizers.includes(ORPHAN_FINALIZER));
    if (finalizing || metadata.ownerReferences) this.#enqueue(place);
    for (const reference of event.previous?.object.metadata?.ownerReferences ?? []) {
      this.#enqueueOwner(reference, event.current.object);
    }
  }

  #index(place: Place, object: DynamicObject): void {
    for (const { uid } of object.metadata?.ownerReferences ?? []) {
      let places = this.#dependents.get(uid);
      if (!places) this.#dependents.set(uid, places = new Map());
      places.set(idOf(place), place);
    }
  }

  #unindex(place: Place, object: DynamicObject): void {
    for (const { uid } of object.metadata?.ownerReferences ?? []) {
      const places = this.#dependents.get(uid);
      places?.delete(idOf(place));
      if (places?.size === 0) this.#dependents.delete(uid);
    }
  }

  #dependentsOf(uid: string): Place[] {
    return [...this.#dependents.get(uid)?.values() ?? []];
  }

  #enqueue(place: Place): void {
    this.#server.background.add(`gc ${idOf(place)}`, () => this.#collect(place));
  }

  #enqueueOwner(reference: OwnerReference, dependent: DynamicObject): void {
    const owner = this.#place(reference, dependent.metadata?.namespace);
    if (owner) this.#enqueue(owner);
  }

  /** Undefined where the owner's kind is not served. */
  #place(reference: OwnerReference, namespace: string | undefined): Place | undefined {
    const { group } = parseApiVersion(reference.apiVersion);
    const type = this.#server.registry.findAnyVersion(group, reference.kind);
    if (!type) return undefined;
    const key = type.namespaced && namespace ? `${namespace}/${reference.name}` : reference.name;
    return { resource: storageResource(type), key };
  }

  #collect(place: Place): void {
    const stored = this.#server.storage.get(place.resource, place.key);
    if (!stored) return;
    const { deletionTimestamp, finalizers = [] } = stored.object.metadata!;
    if (deletionTimestamp && finalizers.includes(ORPHAN_FINALIZER)) return this.#orphanDependents(place, stored);
    if (deletionTimestamp && finalizers.includes(FOREGROUND_FINALIZER)) return this.#finishForeground(place, stored);
    if (!deletionTimestamp) this.#checkOwners(place, stored);
  }

  #checkOwners(place: Place, stored: StoredObject): void {
    const { namespace, ownerReferences = [] } = stored.object.metadata!;
    if (ownerReferences.length === 0) return;
    const states = ownerReferences.map((reference) => this.#stateOf(reference, namespace));
    if (states.includes("unknown")) return;
    if (states.includes("solid")) {
      const kept = ownerReferences.filter((_, index) => states[index] === "solid");
      if (kept.length < ownerReferences.length) this.#setOwners(place, stored, kept);
      return;
    }
    if (states.includes("waiting")) {
      const dependents = this.#dependentsOf(stored.object.metadata!.uid!), blocking = dependents.length > 0;
      // A dependent that waits itself may wait for this object: it must not block its owners then, or nothing ends.
      if (dependents.some((dependent) => this.#isWaiting(dependent)) && ownerReferences.some(blocksDeletion)) {
        this.#setOwners(place, stored, ownerReferences.map((one) => ({ ...one, blockOwnerDeletion: false })));
      }
      return this.#delete(place, stored, blocking ? "Foreground" : "Background");
    }
    this.#delete(place, stored, undefined);
  }

  #stateOf(reference: OwnerReference, namespace: string | undefined): OwnerState {
    const place = this.#place(reference, namespace);
    if (!place) return "unknown";
    const metadata = this.#server.storage.get(place.resource, place.key)?.object.metadata;
    if (!metadata || metadata.uid !== reference.uid) return "dangling";
    const waiting = metadata.deletionTimestamp && metadata.finalizers?.includes(FOREGROUND_FINALIZER);
    return waiting ? "waiting" : "solid";
  }

  #isWaiting({ resource, key }: Place): boolean {
    const metadata = this.#server.storage.get(resource, key)?.object.metadata;
    return metadata?.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND_FINALIZER) === true;
  }

  #orphanDependents(place: Place, stored: StoredObject): void {
    const uid = stored.object.metadata!.uid!;
    for (const dependent of this.#dependentsOf(uid)) {
      const state = this.#server.storage.get(dependent.resource, dependent.key);
      const kept = state?.object.metadata?.ownerReferences?.filter((reference) => reference.uid !== uid);
      if (state && kept) this.#setOwners(dependent, state, kept);
    }
    this.#dropFinalizer(place, stored, ORPHAN_FINALIZER);
  }

  #finishForeground(place: Place, stored: StoredObject): void {
    const uid = stored.object.metadata!.uid!;
    let blocked = false;
    for (const dependent of this.#dependentsOf(uid)) {
      const metadata = this.#server.storage.get(dependent.resource, dependent.key)?.object.metadata;
      const blocks = metadata?.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true);
      blocked ||= blocks === true;
      if (!metadata?.deletionTimestamp) this.#enqueue(dependent);
    }
    if (!blocked) this.#dropFinalizer(place, stored, FOREGROUND_FINALIZER);
  }

  #delete(place: Place, stored: StoredObject, propagationPolicy: "Foreground" | "Background" | undefined): void {
    const type = this.#server.registry.byStorage(place.resource);
    if (!type) return;
    const { finalizers = [], uid } = stored.object.metadata!;
    const own = finalizers.includes(ORPHAN_FINALIZER) || finalizers.includes(FOREGROUND_FINALIZER);
    const options = { dryRun: false, uid, propagationPolicy: propagationPolicy ?? (own ? undefined : "Background") };
    deleteObject(this.#server, { type, ...parseKey(place.key), options });
  }

  #setOwners(place: Place, stored: StoredObject, owners: readonly OwnerReference[]): void {
    const next = jsonClone(stored.object);
    if (owners.length > 0) next.metadata!.ownerReferences = jsonClone([...owners]);
    else delete next.metadata!.ownerReferences;
    this.#server.storage.update(place.resource, place.key, next, stored);
  }

  #dropFinalizer(place: Place, stored: StoredObject, finalizer: string): void {
    const next = jsonClone(stored.object);
    const rest = next.metadata!.finalizers!.filter((name) => name !== finalizer);
    if (rest.length > 0) next.metadata!.finalizers = rest;
    else delete next.metadata!.finalizers;
    if (isFullyDeleted(next, place.resource)) this.#server.storage.remove(place.resource, place.key, next, stored);
    else this.#server.storage.update(place.resource, place.key, next, stored);
  }
}

function blocksDeletion({ blockOwnerDeletion }: OwnerReference): boolean {
  return blockOwnerDeletion === true;
}

function idOf(place: Place): string {
  return `${place.resource} ${place.key}`;
}
