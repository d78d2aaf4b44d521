import { isObject, jsonClone, jsonEqual } from "../base/mod.ts";
import { type Condition, type DynamicObject, parseKey, setCondition } from "../apimachinery/mod.ts";
import { deleteObject } from "./delete_object.ts";
import type { StorageEvent } from "./event_log.ts";
import type { ServerContext } from "./server_context.ts";
import type { StoredObject } from "./stored_object.ts";
import { KUBERNETES_FINALIZER, specFinalizers } from "./strategy_namespace.ts";
import { isFullyDeleted } from "./update_object.ts";

const NAMESPACES = "namespaces";

interface Remaining {
  readonly objects: Map<string, number>;
  readonly finalizers: Map<string, number>;
}

/**
 * Terminates namespaces as kube-controller-manager does: deletes content, reports remaining finalizers in conditions,
 * removes the empty namespace.
 */
export class NamespaceLifecycle {
  readonly #server: ServerContext;

  constructor(server: ServerContext) {
    this.#server = server;
    server.storage.subscribe((resource, event) => this.#observe(resource, event));
  }

  #observe(resource: string, event: StorageEvent): void {
    if (resource === NAMESPACES) {
      if (event.type !== "DELETED" && event.current.object.metadata?.deletionTimestamp) this.#enqueue(event.key);
      return;
    }
    const { namespace } = parseKey(event.key);
    // Not only deletions: conditions name finalizers.
    if (namespace !== undefined && this.#terminating(namespace)) this.#enqueue(namespace);
  }

  #terminating(name: string): StoredObject | undefined {
    const stored = this.#server.storage.get(NAMESPACES, name);
    return stored?.object.metadata?.deletionTimestamp ? stored : undefined;
  }

  #enqueue(name: string): void {
    this.#server.background.add(`namespace ${name}`, () => this.#terminate(name));
  }

  #terminate(name: string): void {
    if (!this.#terminating(name)) return;
    const remaining = this.#deleteContent(name);
    const stored = this.#terminating(name);
    if (!stored) return;
    const next = jsonClone(stored.object);
    next.status = { ...(isObject(next.status) ? next.status : {}), phase: "Terminating" };
    (next.status as { conditions: Condition[] }).conditions = this.#conditions(next, remaining);
    if (remaining.objects.size === 0) {
      const finalizers = specFinalizers(next).filter((finalizer) => finalizer !== KUBERNETES_FINALIZER);
      const { finalizers: _finalizers, ...spec } = next.spec as Record<string, unknown>;
      next.spec = finalizers.length > 0 ? { ...spec, finalizers } : spec;
    }
    if (isFullyDeleted(next, NAMESPACES)) this.#server.storage.remove(NAMESPACES, name, next, stored);
    else if (!jsonEqual(next, stored.object)) this.#server.storage.update(NAMESPACES, name, next, stored);
  }

  #deleteContent(namespace: string): Remaining {
    const { registry, storage } = this.#server;
    const objects = new Map<string, number>(), finalizers = new Map<string, number>();
    const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    for (const resource of registry.namespacedStorage()) {
      const type = registry.byStorage(resource)!;
      for (const [key, stored] of [...storage.scan(resource, { namespace })]) {
        if (!stored.object.metadata?.deletionTimestamp && storage.get(resource, key) === stored) {
          const options = { dryRun: false, propagationPolicy: "Background" } as const;
          deleteObject(this.#server, { type, ...parseKey(key), options });
        }
        const left = storage.get(resource, key);
        if (!left) continue;
        count(objects, resource);
        for (const finalizer of left.object.metadata?.finalizers ?? []) count(finalizers, finalizer);
      }
    }
    return { objects, finalizers };
  }

  #conditions(namespace: DynamicObject, remaining: Remaining): Condition[] {
    const given = (namespace.status as { conditions?: Condition[] }).conditions ?? [];
    const nowMs = this.#server.clock.now();
    const some = remaining.objects.size > 0, held = remaining.finalizers.size > 0;
    const objects = [...remaining.objects].map(([resource, count]) =>
      `${qualified(resource)} has ${count} resource instances`
    );
    const finalizers = [...remaining.finalizers].map(([name, count]) => `${name} in ${count} resource instances`);
    const state = (on: boolean): Condition["status"] => on ? "True" : "False";
    const all: Omit<Condition, "lastTransitionTime">[] = [
      {
        type: "NamespaceDeletionDiscoveryFailure",
        status: "False",
        reason: "ResourcesDiscovered",
        message: "All resources successfully discovered",
      },
      {
        type: "NamespaceDeletionGroupVersionParsingFailure",
        status: "False",
        reason: "ParsedGroupVersions",
        message: "All legacy kube types successfully parsed",
      },
      {
        type: "NamespaceDeletionContentFailure",
        status: "False",
        reason: "ContentDeleted",
        message: "All content successfully deleted, may be waiting on finalization",
      },
      {
        type: "NamespaceContentRemaining",
        status: state(some),
        reason: some ? "SomeResourcesRemain" : "ContentRemoved",
        message: some ? `Some resources are remaining: ${objects.join(", ")}` : "All content successfully removed",
      },
      {
        type: "NamespaceFinalizersRemaining",
        status: state(held),
        reason: held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
        message: held
          ? `Some content in the namespace has finalizers remaining: ${finalizers.join(", ")}`
          : "All content-preserving finalizers finished",
      },
    ];
    return all.reduce<Condition[]>((conditions, condition) => setCondition(conditions, condition, nowMs), given);
  }
}

/** kube-controller-manager writes the dot for the group without a name too. */
function qualified(resource: string): string {
  return resource.includes(".") ? resource : `${resource}.`;
}
