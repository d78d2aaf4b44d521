import { formatKey, keyOf, type KubeObject, LAST_APPLIED_ANNOTATION, type ObjectKey } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import { dropManagedFields } from "../cache/mod.ts";
import type { WatchSelection } from "./context.ts";
import type { CycleClient } from "./cycle_client.ts";
import type { InformerLease, SharedInformers } from "./shared_informers.ts";

interface Dependency extends Disposable {
  readonly lease: InformerLease;
  usedInCycle: number;
  /** What the key's reconcile last saw; undefined before it saw anything. */
  seen: string | undefined;
}

/** The watches that one cycle of a key asks for. */
export interface CycleWatches {
  /** See {@linkcode ReconcileContext.watch}. */
  one(client: CycleClient, resource: ApiResource, target: ObjectKey): Promise<KubeObject | undefined>;
  /** See {@linkcode ReconcileContext.watchAll}. */
  all(client: CycleClient, resource: ApiResource, selection: WatchSelection): Promise<readonly KubeObject[]>;
  /** Ends every watch that the cycle did not ask for. A cycle that failed should not call it. */
  end(): void;
}

/**
 * What each key looked at beyond its declared watches: selections of objects, watched as metadata while the key's reconciles
 * keep asking for them. A single object is a selection by its name, as kubelet watches the Secrets of its pods: that needs no
 * permission beyond the one object and holds no other object's data.
 */
export class Dependencies {
  readonly #informers: SharedInformers;
  readonly #enqueue: (key: string) => void;
  readonly #byKey = new Map<string, Map<string, Dependency>>();
  #cycle = 0;

  constructor(informers: SharedInformers, enqueue: (key: string) => void) {
    this.#informers = informers;
    this.#enqueue = enqueue;
  }

  /** Opens a cycle of `key`. */
  begin(key: string): CycleWatches {
    const cycle = ++this.#cycle;
    return {
      one: async (client, resource, target) => {
        const { namespace, name } = target, selection = { namespace, fieldSelector: `metadata.name=${name}` };
        const [object] = await this.#watch(key, cycle, resource, selection, async () => {
          const found = await client.find<KubeObject>(resource, target, { metadataOnly: true });
          return found ? [project(found)] : [];
        });
        return object;
      },
      all: (client, resource, selection) =>
        this.#watch(key, cycle, resource, selection, async () => {
          return (await client.list<KubeObject>(resource, { ...selection, metadataOnly: true })).items.map(project);
        }),
      end: () => this.#release(key, (dependency) => dependency.usedInCycle !== cycle),
    };
  }

  /** Ends every watch of `key`. */
  forget(key: string): void {
    this.#release(key, () => true);
  }

  /** Ends every watch. */
  clear(): void {
    for (const key of [...this.#byKey.keys()]) this.forget(key);
  }

  async #watch(
    key: string,
    cycle: number,
    resource: ApiResource,
    selection: WatchSelection,
    read: () => Promise<readonly KubeObject[]>,
  ): Promise<readonly KubeObject[]> {
    const { namespace = "", labelSelector = "", fieldSelector = "" } = selection;
    const id = [formatGroupResource(resource), namespace, labelSelector, fieldSelector].join(" ");
    const dependencies = this.#byKey.get(key) ?? new Map<string, Dependency>();
    this.#byKey.set(key, dependencies);
    let dependency = dependencies.get(id);
    if (!dependency) dependencies.set(id, dependency = this.#open(key, resource, selection));
    dependency.usedInCycle = cycle;
    const { informer } = dependency.lease;
    // Before the watch has listed, one read answers at once, and fails at once where it is forbidden. What changes between
    // that read and the list shows as versions other than those seen.
    const objects = informer.hasSynced ? [...informer.store.values()] : await read();
    dependency.seen = versionsOf(objects);
    return objects;
  }

  #open(key: string, resource: ApiResource, selection: WatchSelection): Dependency {
    const lease = this.#informers.acquire({ ...selection, resource, metadataOnly: true, project });
    let closed = false;
    const compare = () => {
      if (closed || !lease.informer.hasSynced) return;
      if (versionsOf(lease.informer.store.values()) !== dependency.seen) this.#enqueue(key);
    };
    let unsubscribe = () => {};
    const dependency: Dependency = {
      lease,
      usedInCycle: 0,
      seen: undefined,
      [Symbol.dispose]: () => {
        closed = true;
        unsubscribe();
        lease[Symbol.dispose]();
      },
    };
    // A shared watch may have listed already: it replays its objects at once, before anything here has been seen.
    unsubscribe = lease.informer.onEvent((event) => {
      if (!event.initial) compare();
    });
    // An object that vanished between the read and the list is no event of the list: look once when it is complete.
    lease.informer.synced.then(compare, () => {});
    return dependency;
  }

  #release(key: string, when: (dependency: Dependency) => boolean): void {
    const dependencies = this.#byKey.get(key);
    if (!dependencies) return;
    for (const [id, dependency] of dependencies) {
      if (!when(dependency)) continue;
      dependency[Symbol.dispose]();
      dependencies.delete(id);
    }
    if (dependencies.size === 0) this.#byKey.delete(key);
  }
}

/** Identity and version of each object, whatever their order. */
function versionsOf(objects: Iterable<KubeObject>): string {
  return [...objects].map((object) => `${formatKey(keyOf(object))} ${object.metadata?.resourceVersion}`).sort().join();
}

/** Drops what no reconcile decides by: field managers, and kubectl's copy of the manifest, which holds a Secret's data. */
function project(object: KubeObject): KubeObject {
  const annotations = object.metadata?.annotations;
  if (annotations && Object.hasOwn(annotations, LAST_APPLIED_ANNOTATION)) delete annotations[LAST_APPLIED_ANNOTATION];
  return dropManagedFields(object);
}
