import { formatKey, type KubeObject, type ObjectKey } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import type { CycleClient } from "./cycle_client.ts";
import type { InformerLease, SharedInformers } from "./shared_informers.ts";

interface Dependency extends Disposable {
  readonly lease: InformerLease;
  usedInCycle: number;
  /** The version that the key's reconcile last saw; undefined for "there was none". */
  seenVersion: string | undefined;
}

/**
 * What each key looked at beyond its declared watches: single objects, watched as metadata while the key's reconciles keep
 * asking for them. Each is a watch of its own with a field selector on the name, as kubelet watches the Secrets of its pods:
 * that needs no permission beyond the one object and holds nobody else's data.
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

  /** Opens a cycle of `key`; `end` lets go of what the cycle did not ask for. A cycle that failed should not call it. */
  begin(key: string): {
    watch: (client: CycleClient, resource: ApiResource, target: ObjectKey) => Promise<KubeObject | undefined>;
    end: () => void;
  } {
    const cycle = ++this.#cycle;
    return {
      watch: (client, resource, target) => this.#watch(key, cycle, client, resource, target),
      end: () => this.#release(key, (dependency) => dependency.usedInCycle !== cycle),
    };
  }

  /** Lets go of everything that `key` depends on. */
  forget(key: string): void {
    this.#release(key, () => true);
  }

  /** Lets go of everything. */
  clear(): void {
    for (const key of [...this.#byKey.keys()]) this.forget(key);
  }

  async #watch(
    key: string,
    cycle: number,
    client: CycleClient,
    resource: ApiResource,
    target: ObjectKey,
  ): Promise<KubeObject | undefined> {
    const id = `${formatGroupResource(resource)} ${formatKey(target)}`;
    const dependencies = this.#byKey.get(key) ?? new Map<string, Dependency>();
    this.#byKey.set(key, dependencies);
    let dependency = dependencies.get(id);
    if (!dependency) dependencies.set(id, dependency = this.#open(key, resource, target));
    dependency.usedInCycle = cycle;
    const { informer } = dependency.lease;
    // Before the watch has listed, one read answers at once, and fails at once where it is forbidden. What changes between
    // that read and the list shows as a version other than the one seen.
    const object = informer.hasSynced
      ? informer.store.get(target)
      : await client.find<KubeObject>(resource, target, { metadataOnly: true });
    dependency.seenVersion = object?.metadata?.resourceVersion;
    return object;
  }

  #open(key: string, resource: ApiResource, target: ObjectKey): Dependency {
    const lease = this.#informers.acquire({
      resource,
      namespace: target.namespace,
      fieldSelector: `metadata.name=${target.name}`,
      metadataOnly: true,
    });
    let closed = false;
    const compare = () => {
      if (closed || !lease.informer.hasSynced) return;
      const version = lease.informer.store.get(target)?.metadata?.resourceVersion;
      if (version !== dependency.seenVersion) this.#enqueue(key);
    };
    let unsubscribe = () => {};
    const dependency: Dependency = {
      lease,
      usedInCycle: 0,
      seenVersion: undefined,
      [Symbol.dispose]: () => {
        closed = true;
        unsubscribe();
        lease[Symbol.dispose]();
      },
    };
    // A shared watch may have listed already: it replays its object at once, before anything here has been seen.
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
