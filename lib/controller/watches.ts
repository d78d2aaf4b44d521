import {
  type AnyKind,
  type ApiResource,
  compareResourceVersions,
  formatGroupResource,
  formatKey,
  keyOf,
  type KubeObject,
  LAST_APPLIED_ANNOTATION,
  matchesLabels,
  type NamespaceScope,
  type ObjectKey,
  parseLabelSelector,
} from "../apimachinery/mod.ts";
import type { Client, WriteRecord } from "../client/mod.ts";
import { dropManagedFields, type Informer, type StoreEvent } from "../cache/mod.ts";
import { ownerKey } from "./children.ts";
import type { CachedReader, WatchSelection } from "./context.ts";
import type { ControllerDeclaration } from "./declaration.ts";
import type { IndexSet } from "./indexes.ts";
import type { StoreTransform } from "./managed_fields.ts";
import { targetOf } from "./key_state.ts";
import type { InformerLease, InformerSpec, SharedInformers } from "./shared_informers.ts";

interface WatchListener<T extends KubeObject> {
  /** An object of the kind changed. */
  onPrimary(event: StoreEvent<T>): void;
  /** A related object changed; `source` names it. */
  onRelated(key: string, reason: "owned" | "mapped", source: () => string): void;
  /** A store was listed again: objects may have come and gone without an event. */
  onRelist(): void;
}

/** All declared watches of a controller: its kind, what it owns, and what is mapped to it. */
export class DeclaredWatches<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #transform: StoreTransform;
  readonly #indexes: IndexSet;
  readonly #scope: NamespaceScope;
  readonly #listener: WatchListener<T>;
  readonly #watches: WatchSet;
  readonly #unsubscribe: (() => void)[] = [];
  #primary!: Informer<T>;

  constructor(
    declaration: ControllerDeclaration<T, Spec, Status>,
    deps: {
      readonly informers: SharedInformers;
      readonly transform: StoreTransform;
      readonly indexes: IndexSet;
      readonly scope: NamespaceScope;
    },
    listener: WatchListener<T>,
  ) {
    this.#declaration = declaration;
    this.#transform = deps.transform;
    this.#indexes = deps.indexes;
    this.#scope = deps.scope;
    this.#listener = listener;
    this.#watches = new WatchSet(deps.informers);
  }

  /** Resolves when every store is complete. */
  async start(): Promise<void> {
    const { kind, owns, watches, indexes } = this.#declaration;
    this.#primary = this.#add(kind) as unknown as Informer<T>;
    for (const index of indexes) this.#unsubscribe.push(this.#indexes.feed(index, this.#primary));
    this.#unsubscribe.push(this.#primary.onEvent((event) => this.#listener.onPrimary(event)));
    for (const resource of owns) {
      this.#unsubscribe.push(this.#add(resource).onEvent((event) => this.#onOwned(resource, event)));
    }
    for (const { map, indexes = {}, ...spec } of watches) {
      // Without its own transform it shares the watch of a kind, and sees what that kind's indexes see.
      const informer = this.#watches.add(
        spec.transform ? spec : { ...spec, transform: this.#transform(undefined) },
      );
      for (const [name, index] of Object.entries(indexes)) informer.store.addIndex(name, index);
      this.#unsubscribe.push(informer.onEvent((event) => this.#onWatched(spec.resource, map, event)));
    }
    await this.#watches.synced();
    for (const informer of this.#watches.informers()) {
      this.#unsubscribe.push(informer.onRelist(() => this.#listener.onRelist()));
    }
  }

  get(key: string): T | undefined {
    return this.#primary.store.get(key);
  }

  objects(): Iterable<T> {
    return this.#primary.store.values();
  }

  reader(resource: AnyKind): CachedReader<KubeObject> {
    return this.#watches.reader(resource);
  }

  /** The object in memory; null if there is none, undefined if no store holds the whole kind. */
  stored(resource: ApiResource, { namespace, name }: ObjectKey): KubeObject | null | undefined {
    const store = this.#watches.wholeStore(resource, namespace, this.#transform(undefined));
    return store && (store.get({ namespace, name }) ?? null);
  }

  owned(resource: ApiResource): Informer<KubeObject> | undefined {
    const owned = this.#declaration.owns.find((each) =>
      each.group === resource.group && each.plural === resource.plural
    );
    return owned && this.#watches.informerOf(owned);
  }

  /** Rewinds of the server's history of the kind. */
  get rollbacks(): number {
    return this.#primary.rollbacks;
  }

  pendingOf(writes: readonly WriteRecord[]): PendingWrite[] {
    return this.#watches.pendingOf(writes);
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#watches.close();
  }

  /**
   * Watches only namespaces in scope: an operator of one namespace needs no rights elsewhere. Mapped watches stay as
   * declared: what leads to an object may be anywhere.
   */
  #add(resource: AnyKind): Informer<KubeObject> {
    const { only } = this.#scope, { labelSelector, metadataOnly } = resource.view ?? {};
    const spec: InformerSpec = { resource, labelSelector, metadataOnly, transform: this.#transform(resource.view) };
    return this.#watches.add(only !== undefined && resource.namespaced ? { ...spec, namespace: only } : spec);
  }

  #onOwned(resource: ApiResource, event: StoreEvent<KubeObject>): void {
    for (const object of event.old ? [event.object, event.old] : [event.object]) {
      const key = ownerKey(object, this.#declaration.kind);
      // The primary's own initial load brings the key.
      if (key && !event.initial) {
        this.#listener.onRelated(formatKey(key), "owned", () => targetOf(resource, keyOf(object)));
      }
    }
  }

  #onWatched(
    resource: ApiResource,
    map: ControllerDeclaration<T>["watches"][number]["map"],
    event: StoreEvent<KubeObject>,
  ): void {
    if (event.initial && !this.#primary.hasSynced) return;
    const change = {
      object: event.object,
      before: event.old,
      deleted: event.type === "deleted",
      primaries: this.#primary.store.values() as Iterable<T & KubeObject>,
    };
    const source = () => targetOf(resource, keyOf(event.object));
    for (const key of map(change as never)) this.#listener.onRelated(formatKey(key), "mapped", source);
  }
}

interface Watched {
  readonly spec: InformerSpec;
  readonly lease: InformerLease;
  readonly matches: (labels: Readonly<Record<string, string>> | undefined) => boolean;
}

/**
 * A version, written by the last pass, that a store must show before the key's next pass. Void once the server's
 * history has gone back.
 */
export interface PendingWrite {
  readonly informer: Informer<KubeObject>;
  readonly version: string;
  readonly rollbacks: number;
}

class WatchSet {
  readonly #informers: SharedInformers;
  readonly #watched: Watched[] = [];

  constructor(informers: SharedInformers) {
    this.#informers = informers;
  }

  add(spec: InformerSpec): Informer<KubeObject> {
    const lease = this.#informers.acquire(spec);
    const requirements = parseLabelSelector(spec.labelSelector ?? "");
    this.#watched.push({ spec, lease, matches: (labels) => matchesLabels(requirements, labels) });
    return lease.informer;
  }

  async synced(): Promise<void> {
    await Promise.all(this.#watched.map(({ lease }) => lease.informer.synced));
  }

  close(): void {
    for (const { lease } of this.#watched.splice(0)) lease[Symbol.dispose]();
  }

  informers(): ReadonlySet<Informer<KubeObject>> {
    return new Set(this.#watched.map(({ lease }) => lease.informer));
  }

  informerOf(resource: ApiResource): Informer<KubeObject> | undefined {
    return this.#watched.find(({ spec }) => spec.resource === resource)?.lease.informer;
  }

  /** A store of all objects of a kind in `namespace`, with all that `whole` keeps of each. */
  wholeStore(resource: ApiResource, namespace: string | undefined, whole: InformerSpec["transform"]) {
    return this.#watched.find(({ spec }) =>
      sameResource(spec.resource, resource) && spec.transform === whole && !spec.metadataOnly &&
      !spec.labelSelector && !spec.fieldSelector && (!spec.namespace || spec.namespace === namespace)
    )?.lease.informer.store;
  }

  /** @throws {RangeError} if no watch is declared, or only one of another view, which has other fields or objects. */
  reader(resource: AnyKind): CachedReader<KubeObject> {
    const named = this.#watched.filter(({ spec }) => sameResource(spec.resource, resource));
    const watched = named.find(({ spec }) => (spec.resource as AnyKind).view === resource.view);
    if (watched) return watched.lease.informer.store;
    if (named.length > 0) {
      throw new RangeError(
        `cached(${resource.kind}): ${
          formatGroupResource(resource)
        } is watched here by another view; pass the value that ` +
          "`owns`, `watches` or `on()` has",
      );
    }
    throw new RangeError(
      `cached(${resource.kind}): ${formatGroupResource(resource)} is neither owned nor watched here`,
    );
  }

  /** What the stores have yet to show of `writes`; only a watch that selects the object ever shows it. */
  pendingOf(writes: readonly WriteRecord[]): PendingWrite[] {
    const pending = new Map<Informer<KubeObject>, string>();
    for (const { resource, key, resourceVersion, labels } of writes) {
      if (resourceVersion === undefined) continue;
      for (const { spec, lease: { informer }, matches } of this.#watched) {
        if (!sameResource(spec.resource, resource) || !matches(labels)) continue;
        if (spec.fieldSelector || (spec.namespace && spec.namespace !== key.namespace)) continue;
        const known = pending.get(informer);
        if (known && compareResourceVersions(known, resourceVersion) >= 0) continue;
        pending.set(informer, resourceVersion);
      }
    }
    return [...pending].map(([informer, version]) => ({ informer, version, rollbacks: informer.rollbacks }));
  }
}

export function unseen(pending: readonly PendingWrite[]): readonly PendingWrite[] {
  return pending.filter(({ informer, version, rollbacks }) =>
    informer.rollbacks === rollbacks && !informer.seen(version)
  );
}

function sameResource(left: ApiResource, right: ApiResource): boolean {
  return left.group === right.group && left.plural === right.plural;
}

interface Dependency extends Disposable {
  readonly lease: InformerLease;
  usedInPass: number;
  /** What the key's reconcile last saw. */
  seen: string | undefined;
}

export interface PassWatches {
  one(client: Client, resource: ApiResource, target: ObjectKey): Promise<KubeObject | undefined>;
  all(client: Client, resource: ApiResource, selection: WatchSelection): Promise<readonly KubeObject[]>;
  /** Ends every watch that the pass did not ask for. Not to be called after a failure. */
  end(): void;
}

/**
 * What each key reads beyond its declared watches: selections of objects, watched as metadata while its reconciles keep
 * requesting them. A single object is selected by name, as kubelet watches the Secrets of its pods: that needs no
 * permission for, and holds no data of, other objects.
 */
export class DynamicWatches {
  readonly #informers: SharedInformers;
  readonly #enqueue: (key: string, source?: () => string) => void;
  readonly #byKey = new Map<string, Map<string, Dependency>>();
  #pass = 0;

  /** `source` names the object that changed, if it is known. */
  constructor(informers: SharedInformers, enqueue: (key: string, source?: () => string) => void) {
    this.#informers = informers;
    this.#enqueue = enqueue;
  }

  begin(key: string): PassWatches {
    const pass = ++this.#pass;
    return {
      one: async (client, resource, target) => {
        const { namespace, name } = target, selection = { namespace, fieldSelector: `metadata.name=${name}` };
        const [object] = await this.#watch({ key, pass }, resource, selection, async () => {
          const found = await client.find<KubeObject>(resource, target, { metadataOnly: true });
          return found ? [transform(found)] : [];
        });
        return object;
      },
      all: (client, resource, selection) =>
        this.#watch({ key, pass }, resource, selection, async () => {
          return (await client.list<KubeObject>(resource, { ...selection, metadataOnly: true })).items.map(transform);
        }),
      end: () => this.#release(key, (dependency) => dependency.usedInPass !== pass),
    };
  }

  forget(key: string): void {
    this.#release(key, () => true);
  }

  clear(): void {
    for (const key of [...this.#byKey.keys()]) this.forget(key);
  }

  async #watch(
    { key, pass }: { readonly key: string; readonly pass: number },
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
    dependency.usedInPass = pass;
    const { informer } = dependency.lease;
    // Until the watch has listed, one read answers, or fails, at once. Changes between read and list show as other
    // versions.
    const objects = informer.hasSynced ? [...informer.store.values()] : await read();
    dependency.seen = versionsOf(objects);
    return objects;
  }

  #open(key: string, resource: ApiResource, selection: WatchSelection): Dependency {
    const lease = this.#informers.acquire({ ...selection, resource, metadataOnly: true, transform });
    let closed = false;
    const compare = (object?: KubeObject) => {
      if (closed || !lease.informer.hasSynced) return;
      if (versionsOf(lease.informer.store.values()) === dependency.seen) return;
      this.#enqueue(key, object && (() => targetOf(resource, keyOf(object))));
    };
    const unsubscribe: (() => void)[] = [];
    const dependency: Dependency = {
      lease,
      usedInPass: 0,
      seen: undefined,
      [Symbol.dispose]: () => {
        closed = true;
        for (const end of unsubscribe) end();
        lease[Symbol.dispose]();
      },
    };
    // A shared watch may have listed already: it replays its objects before anything here has been seen.
    unsubscribe.push(lease.informer.onEvent((event) => {
      if (!event.initial) compare(event.object);
    }));
    // What the key made or read on the server meanwhile may be gone, and the store never have shown it.
    unsubscribe.push(lease.informer.onRelist(() => this.#enqueue(key)));
    // The list has no event for an object deleted since the read: enqueue once when it is complete.
    lease.informer.synced.then(() => compare(), () => {});
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

/** Independent of order. */
function versionsOf(objects: Iterable<KubeObject>): string {
  return [...objects].map((object) => `${formatKey(keyOf(object))} ${object.metadata?.resourceVersion}`).sort().join();
}

/** Drops what no reconcile decides by: managed fields, and kubectl's manifest, which holds a Secret's data. */
function transform(object: KubeObject): KubeObject {
  const annotations = object.metadata?.annotations;
  if (annotations && Object.hasOwn(annotations, LAST_APPLIED_ANNOTATION)) delete annotations[LAST_APPLIED_ANNOTATION];
  return dropManagedFields(object);
}
