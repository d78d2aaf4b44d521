import { formatKey, type KubeObject } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { Informer, StoreEvent } from "../cache/mod.ts";
import { ownerKey } from "./children.ts";
import type { CachedReader } from "./context.ts";
import type { WriteRecord } from "./cycle_client.ts";
import type { ControllerDeclaration } from "./declaration.ts";
import type { ControllerDeps } from "./controller_deps.ts";
import type { IndexSet } from "./index_set.ts";
import type { NamespaceScope } from "./namespace_scope.ts";
import type { InformerSpec } from "./shared_informers.ts";
import { type PendingVersions, WatchSet } from "./watch_set.ts";

/** Whom the inputs of a controller tell what they see. */
export interface InputsListener<T extends KubeObject> {
  /** An object of the kind itself came, changed or went. */
  onPrimary(event: StoreEvent<T>): void;
  /** Something that an object depends on did. */
  onRelated(key: string, reason: "owned" | "mapped"): void;
}

/** All that a controller watches by declaration: its kind, what it owns, and what is mapped to it. */
export class Inputs<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #project: (object: KubeObject) => KubeObject;
  readonly #indexes: IndexSet;
  readonly #scope: NamespaceScope;
  readonly #listener: InputsListener<T>;
  readonly #watches: WatchSet;
  readonly #unsubscribe: (() => void)[] = [];
  #primary!: Informer<T>;

  constructor(
    declaration: ControllerDeclaration<T, Spec, Status>,
    deps: Pick<ControllerDeps, "informers" | "project" | "indexes" | "scope">,
    listener: InputsListener<T>,
  ) {
    this.#declaration = declaration;
    this.#project = deps.project;
    this.#indexes = deps.indexes;
    this.#scope = deps.scope;
    this.#listener = listener;
    this.#watches = new WatchSet(deps.informers);
  }

  /** Starts the watches and resolves when every store is complete. */
  async start(): Promise<void> {
    const { kind, owns, watches, indexes } = this.#declaration, project = this.#project;
    this.#primary = this.#add({ resource: kind, project }) as unknown as Informer<T>;
    for (const index of indexes) this.#unsubscribe.push(this.#indexes.feed(index, this.#primary));
    this.#unsubscribe.push(this.#primary.onEvent((event) => this.#listener.onPrimary(event)));
    for (const resource of owns) {
      this.#unsubscribe.push(this.#add({ resource, project }).onEvent((event) => this.#onOwned(event)));
    }
    for (const { map, indexes = {}, ...spec } of watches) {
      const informer = this.#watches.add(spec);
      for (const [name, index] of Object.entries(indexes)) informer.store.addIndex(name, index);
      this.#unsubscribe.push(informer.onEvent((event) => this.#onWatched(map, event)));
    }
    await this.#watches.synced();
  }

  /** An object of the kind, as last seen. */
  get(key: string): T | undefined {
    return this.#primary.store.get(key);
  }

  /** Every object of the kind that is known. */
  objects(): Iterable<T> {
    return this.#primary.store.values();
  }

  /** See {@linkcode WatchSet.reader}. */
  reader(resource: ApiResource): CachedReader<KubeObject> {
    return this.#watches.reader(resource);
  }

  /** The informer of an owned kind. */
  owned(resource: ApiResource): Informer<KubeObject> | undefined {
    const owned = this.#declaration.owns.find((each) =>
      each.group === resource.group && each.plural === resource.plural
    );
    return owned && this.#watches.informerOf(owned);
  }

  /** See {@linkcode WatchSet.expect}. */
  expect(writes: readonly WriteRecord[], pending: PendingVersions): void {
    this.#watches.expect(writes, pending);
  }

  /** Lets go of every watch. */
  close(): void {
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#watches.close();
  }

  /**
   * Watches no more than is covered: an operator of one namespace needs no rights elsewhere. Other watches are as their author wrote
   * them, for what leads to an object may be anywhere.
   */
  #add(spec: InformerSpec): Informer<KubeObject> {
    const { only } = this.#scope;
    return this.#watches.add(only !== undefined && spec.resource.namespaced ? { ...spec, namespace: only } : spec);
  }

  #onOwned(event: StoreEvent<KubeObject>): void {
    for (const object of event.old ? [event.object, event.old] : [event.object]) {
      const key = ownerKey(object, this.#declaration.kind);
      // While the primary's own initial load is under way, that load brings the key.
      if (key && !event.initial) this.#listener.onRelated(formatKey(key), "owned");
    }
  }

  #onWatched(map: ControllerDeclaration<T>["watches"][number]["map"], event: StoreEvent<KubeObject>): void {
    if (event.initial && !this.#primary.hasSynced) return;
    const change = {
      object: event.object,
      before: event.old,
      deleted: event.type === "deleted",
      primaries: this.#primary.store.values() as Iterable<T & KubeObject>,
    };
    for (const key of map(change as never)) this.#listener.onRelated(formatKey(key), "mapped");
  }
}
