import {
  type ApiResource,
  compareResourceVersions,
  formatApiVersion,
  formatKey,
  isSecretResource,
  keyOf,
  type KubeObject,
  learnSecrets,
} from "../apimachinery/mod.ts";
import { type Clock, deepFreeze, describeError, invariant, type Logger, type Random } from "../base/mod.ts";
import type { Client } from "../client/mod.ts";
import { Reflector, type ReflectorBounds, type ReflectorScope, type ReflectorState } from "./reflector.ts";
import { type Store, type StoreChange, WritableStore } from "./store.ts";

export interface StoreEvent<T> {
  /** As seen by the store: an interrupted watch may merge several changes. */
  readonly type: "added" | "modified" | "deleted";
  /** The present object; the last state if deleted. */
  readonly object: T;
  readonly old?: T;
  /** Whether the object existed before this listener: the first list, or a replay. */
  readonly initial: boolean;
}

export interface InformerOptions<T> extends ReflectorScope, ReflectorBounds {
  /** Transforms a received object, in place or not; must keep the metadata. By default drops `managedFields`. */
  transform?: (object: T) => T;
  clock: Clock;
  random: Random;
  logger: Logger;
}

interface Waiter {
  readonly version: string;
  readonly resolve: (seen: boolean) => void;
}

/** Drops `managedFields`, often half of an object, in place: nothing else reads it yet. */
export function dropManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields) delete object.metadata.managedFields;
  return object;
}

/**
 * One resource in one scope, watched into a store for any number of listeners.
 *
 * Guarantees: listeners get every change once and in order, after the store has it. A late one first gets the present
 * objects as initial additions; one that throws is logged and does not affect others. Objects are shared and frozen.
 *
 * @example
 * ```ts
 * import { Client } from "@pintle/pintle/client";
 * import { SeededRandom, silentLogger, SystemClock } from "../base/mod.ts";
 * import { Informer } from "./informer.ts";
 * const list = { metadata: { resourceVersion: "7" }, items: [{ metadata: { name: "a", resourceVersion: "5" } }] };
 * const fetch = (path: string) =>
 *   path.includes("watch=true") ? new Promise<Response>(() => {}) : Promise.resolve(Response.json(list));
 * const client = new Client({ fetch, close() {} }, { fieldManager: "docs" });
 * const nodes = { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false };
 * const context = { clock: new SystemClock(), random: new SeededRandom(1), logger: silentLogger };
 * const informer = new Informer(client, nodes, context);
 * const stop = new AbortController();
 * void informer.start(stop.signal);
 * await informer.synced;
 * if (informer.store.get("a") === undefined) throw new Error("the list is in the store");
 * Deno.exit(0);
 * ```
 */
export class Informer<T extends KubeObject> {
  /** Empty before the first list. */
  readonly store: Store<T>;
  /** Resolves once the store and every listener have the first list; rejects on an earlier stop. */
  readonly synced: Promise<void>;
  readonly #store: WritableStore<T>;
  readonly #reflector: Reflector<T>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<(event: StoreEvent<T>) => void>();
  readonly #relistListeners = new Set<() => void>();
  readonly #waiters = new Set<Waiter>();
  readonly #settleSynced: PromiseWithResolvers<void>;
  #state: ReflectorState = "starting";
  #lastError: Error | undefined;
  #hasSynced = false;
  #started = false;
  #version = "";
  #rollbacks = 0;
  #receivedMs: number;

  constructor(readonly client: Client, readonly resource: ApiResource, options: InformerOptions<T>) {
    const {
      clock,
      random,
      logger,
      transform = dropManagedFields,
      namespace,
      labelSelector,
      fieldSelector,
      metadataOnly,
    } = options;
    this.#clock = clock;
    this.#logger = logger.with({ resource: `${resource.plural}.${formatApiVersion(resource)}` });
    this.#receivedMs = clock.elapsed();
    this.#store = this.store = new WritableStore<T>({
      onIndexError: (index, error) =>
        this.#logger.error("an index function threw", { index, error: describeError(error) }),
      // The mask learns only the Secrets that are read.
      onRead: isSecretResource(resource) && !metadataOnly
        ? (secret) => learnSecrets(client.mask, secret, { ofSecrets: true })
        : undefined,
    });
    this.#settleSynced = Promise.withResolvers<void>();
    this.synced = this.#settleSynced.promise;
    this.synced.catch(() => {}); // waiting for it is optional
    this.#reflector = new Reflector<T>(client, resource, {
      replace: (objects, version, rewound) => this.#replace(objects, version, rewound),
      put: (object) => this.#emit(this.#store.put(object), false),
      remove: (object) => this.#emit(this.#store.remove(object), false),
      progress: (version) => this.#advance(version),
      received: () => this.#receivedMs = clock.elapsed(),
      state: (state, error) => this.#setState(state, error),
    }, {
      scope: { namespace, labelSelector, fieldSelector, metadataOnly },
      clock,
      random,
      logger: this.#logger,
      // Costs about 1 µs an object, a tenth of receiving it: editing a shared object fails at once.
      transform: (object) => deepFreeze(this.#transformed(transform, object)),
      bounds: boundsOf(options),
    });
  }

  /** A throwing transform must not end the watch: the object keeps metadata and status. */
  #transformed(transform: (object: T) => T, object: T): T {
    try {
      return transform(object);
    } catch (error) {
      const { metadata } = object, { status } = object as { status?: unknown };
      this.#logger.error("a transform threw; only the object's metadata and status are kept", {
        object: formatKey(keyOf(object)),
        error: describeError(error),
      });
      return { metadata, ...(status !== undefined && { status }) } as unknown as T;
    }
  }

  /** Runs until `signal` aborts. Call it once. */
  async start(signal: AbortSignal): Promise<void> {
    invariant(!this.#started, `the informer of ${this.resource.plural} was started twice`);
    this.#started = true;
    await this.#reflector.run(signal);
    for (const waiter of [...this.#waiters]) waiter.resolve(false);
    this.#settleSynced.reject(signal.reason);
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** Of the last attempt; undefined once watching again. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /** Empty before the first list. */
  get resourceVersion(): string {
    return this.#version;
  }

  /** How often the server's versions went back, as after a restore: earlier versions are then void. */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  get relists(): number {
    return this.#reflector.relists;
  }

  /** Once every few minutes is normal. */
  get reconnects(): number {
    return this.#reflector.reconnects;
  }

  /** Since the last data from the server, bookmarks included. */
  stalenessMs(): number {
    return this.#clock.elapsed() - this.#receivedMs;
  }

  /** Gets the present objects at once, then every change. Returns a function that ends it. */
  onEvent(listener: (event: StoreEvent<T>) => void): () => void {
    for (const object of [...this.store.values()]) this.#notify(listener, { type: "added", object, initial: true });
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Called after every further list, when the store holds it: objects created and deleted in between made no event.
   * Returns a function that ends it.
   */
  onRelist(listener: () => void): () => void {
    this.#relistListeners.add(listener);
    return () => void this.#relistListeners.delete(listener);
  }

  /** Whether the store reflects this version or a later one. */
  seen(resourceVersion: string): boolean {
    return this.#version !== "" && compareResourceVersions(this.#version, resourceVersion) >= 0;
  }

  /**
   * Waits for {@linkcode seen}: false after `timeoutMs`, a stop, or a rewind of the server's versions. A write outside
   * the selectors shows only with the next bookmark, up to a minute later.
   *
   * @throws the signal's reason.
   */
  waitFor(resourceVersion: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.seen(resourceVersion)) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const settle = (end: () => void) => {
        this.#waiters.delete(waiter);
        this.#clock.clear(timer);
        signal?.removeEventListener("abort", abort);
        end();
      };
      const abort = () => settle(() => reject(signal!.reason));
      const waiter = { version: resourceVersion, resolve: (seen: boolean) => settle(() => resolve(seen)) };
      const timer = this.#clock.schedule(() => waiter.resolve(false), timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  #replace(objects: T[], version: string, rewound: boolean): void {
    if (rewound) this.#rewind(version);
    const initial = !this.#hasSynced;
    this.#emit(this.#store.replace(objects, rewound), initial);
    if (!initial) { for (const listener of [...this.#relistListeners]) listener(); }
    this.#hasSynced = true;
    this.#settleSynced.resolve();
  }

  /** A version of the former history may never arrive: its waiters read again. */
  #rewind(version: string): void {
    this.#version = version;
    this.#rollbacks++;
    for (const waiter of [...this.#waiters]) waiter.resolve(false);
  }

  #emit(changes: readonly StoreChange<T>[], initial: boolean): void {
    if (changes.length === 0) return;
    // A listener that joins in between gets these changes by its replay.
    const listeners = [...this.#listeners];
    for (const change of changes) {
      for (const listener of listeners) {
        if (this.#listeners.has(listener)) this.#notify(listener, { ...change, initial });
      }
    }
  }

  #notify(listener: (event: StoreEvent<T>) => void, event: StoreEvent<T>): void {
    try {
      listener(event);
    } catch (error) {
      this.#logger.error("a listener of store events threw", { event: event.type, error: describeError(error) });
    }
  }

  #advance(version: string): void {
    if (compareResourceVersions(version, this.#version) <= 0) return;
    this.#version = version;
    for (const waiter of [...this.#waiters]) if (this.seen(waiter.version)) waiter.resolve(true);
  }

  #setState(state: ReflectorState, error: Error | undefined): void {
    this.#state = state;
    if (error) this.#lastError = error;
    else if (state === "watching") this.#lastError = undefined;
  }
}

function boundsOf<T>(options: InformerOptions<T>): ReflectorBounds {
  const { pageLimit, streamingList, watchSecondsMin, watchSecondsMax, idleMsMax, listIdleMsMax, ...rest } = options;
  const { backoffMsInitial, backoffMsMax, refusedBackoffMsInitial, refusedBackoffMsMax } = rest;
  const bounds = {
    pageLimit,
    streamingList,
    watchSecondsMin,
    watchSecondsMax,
    idleMsMax,
    listIdleMsMax,
    backoffMsInitial,
    backoffMsMax,
  };
  const all = { ...bounds, refusedBackoffMsInitial, refusedBackoffMsMax };
  // An undefined member would hide the default.
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
