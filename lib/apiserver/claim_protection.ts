import { isObject, jsonClone } from "../base/mod.ts";
import { type DynamicObject, formatKey, parseKey } from "../apimachinery/mod.ts";
import { PROTECTION_FINALIZERS } from "./builtin_admission.ts";
import type { StorageEvent } from "./event_log.ts";
import type { ServerContext } from "./server_context.ts";
import { isFullyDeleted } from "./update_object.ts";

const CLAIMS = "persistentvolumeclaims", VOLUMES = "persistentvolumes";

/** Lets a deleted claim go when no pod uses it, and a deleted volume when no claim is bound to it. */
export class ClaimProtection {
  readonly #server: ServerContext;

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource, event) => this.#observe(resource, event));
  }

  #observe(resource: string, { type, key, current: { object } }: StorageEvent): void {
    if (resource === "pods" && (type === "DELETED" || hasEnded(object))) {
      const namespace = object.metadata?.namespace;
      for (const name of claimsOf(object)) this.#enqueue(CLAIMS, formatKey({ namespace, name }));
    } else if (Object.hasOwn(PROTECTION_FINALIZERS, resource) && type !== "DELETED") {
      if (object.metadata?.deletionTimestamp) this.#enqueue(resource, key);
    }
  }

  #enqueue(resource: string, key: string): void {
    this.#server.background.add(`protection ${resource} ${key}`, () => this.#release(resource, key));
  }

  #release(resource: string, key: string): void {
    const { storage } = this.#server, stored = storage.get(resource, key), finalizer = PROTECTION_FINALIZERS[resource]!;
    const metadata = stored?.object.metadata;
    if (!stored || !metadata?.deletionTimestamp || !metadata.finalizers?.includes(finalizer)) return;
    if (resource === CLAIMS ? this.#isMounted(key) : isBound(stored.object)) return;
    const next = jsonClone(stored.object), rest = metadata.finalizers.filter((one) => one !== finalizer);
    if (rest.length > 0) next.metadata!.finalizers = rest;
    else delete next.metadata!.finalizers;
    if (isFullyDeleted(next, resource)) storage.remove(resource, key, next, stored);
    else storage.update(resource, key, next, stored);
  }

  #isMounted(key: string): boolean {
    const { namespace, name } = parseKey(key);
    return this.#server.storage.scan("pods").some(([, { object }]) =>
      object.metadata?.namespace === namespace && !hasEnded(object) && claimsOf(object).includes(name)
    );
  }
}

function hasEnded({ status }: DynamicObject): boolean {
  return isObject(status) && (status.phase === "Succeeded" || status.phase === "Failed");
}

function isBound({ status }: DynamicObject): boolean {
  return isObject(status) && status.phase === "Bound";
}

function claimsOf({ spec }: DynamicObject): string[] {
  const volumes = isObject(spec) && Array.isArray(spec.volumes) ? spec.volumes : [];
  return volumes.flatMap((volume) => {
    const claim = isObject(volume) ? volume.persistentVolumeClaim : undefined;
    return isObject(claim) && typeof claim.claimName === "string" ? [claim.claimName] : [];
  });
}
