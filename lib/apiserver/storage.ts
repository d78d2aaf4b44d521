import { deepFreeze, invariant } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { EventLog, type StorageEvent } from "./event_log.ts";
import { StoredObject } from "./stored_object.ts";

/** Sorted keys (`namespace/name` or `name`), values, and the watches' log. */
interface Table {
  readonly keys: string[];
  readonly objects: Map<string, StoredObject>;
  readonly log: EventLog;
}

/** The content at one revision; shares frozen objects. */
export interface StorageSnapshot {
  readonly revision: number;
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, StoredObject>>;
}

/** Runs inside each write and must not write. */
type StorageListener = (resource: string, event: StorageEvent) => void;

interface ScanOptions {
  readonly namespace?: string;
  readonly after?: string;
  readonly revision?: number;
}

/**
 * The embedded server's etcd: objects in memory under one revision, with a bounded history per resource.
 *
 * Guarantees: every write takes the next revision as `metadata.resourceVersion`. Stored objects are frozen. A write
 * names the state that it replaces, and fails if another came first. Keys are in byte order, as in etcd. Assumes that
 * callers do not edit objects afterwards.
 */
export class Storage {
  readonly #tables = new Map<string, Table>();
  readonly #listeners: StorageListener[] = [];
  readonly #logLengthMax: number;
  #revision = 1;
  /** All history up to here is gone. */
  #compacted = 0;

  constructor(options: { logLengthMax?: number } = {}) {
    this.#logLengthMax = options.logLengthMax ?? 10_000;
  }

  get revision(): number {
    return this.#revision;
  }

  subscribe(listener: StorageListener): void {
    this.#listeners.push(listener);
  }

  get(resource: string, key: string): StoredObject | undefined {
    return this.#tables.get(resource)?.objects.get(key);
  }

  /** Every resource that ever held an object. */
  resources(): string[] {
    return [...this.#tables.keys()];
  }

  count(resource: string): number {
    return this.#tables.get(resource)?.keys.length ?? 0;
  }

  log(resource: string): EventLog {
    return this.#table(resource).log;
  }

  /** Undefined where the key is taken. */
  create(resource: string, key: string, object: DynamicObject): StoredObject | undefined {
    const table = this.#table(resource);
    if (table.objects.has(key)) return undefined;
    const current = this.#stamp(object);
    table.keys.splice(lowerBound(table.keys, key), 0, key);
    table.objects.set(key, current);
    this.#publish(resource, table, { type: "ADDED", revision: current.revision, key, current });
    return current;
  }

  /** Undefined where `previous` is no longer current. */
  update(resource: string, key: string, object: DynamicObject, previous: StoredObject): StoredObject | undefined {
    const table = this.#table(resource);
    if (table.objects.get(key) !== previous) return undefined;
    const current = this.#stamp(object);
    table.objects.set(key, current);
    this.#publish(resource, table, { type: "MODIFIED", revision: current.revision, key, current, previous });
    return current;
  }

  /** Watchers see `object` as the last state. Undefined where `previous` is no longer current. */
  remove(resource: string, key: string, object: DynamicObject, previous: StoredObject): StoredObject | undefined {
    const table = this.#table(resource);
    if (table.objects.get(key) !== previous) return undefined;
    const current = this.#stamp(object);
    table.objects.delete(key);
    table.keys.splice(lowerBound(table.keys, key), 1);
    this.#publish(resource, table, { type: "DELETED", revision: current.revision, key, current, previous });
    return current;
  }

  /** Replaces how a state reads, at its revision and without an event: its schema has changed. */
  restate(resource: string, key: string, object: DynamicObject): void {
    const { objects } = this.#table(resource), previous = objects.get(key);
    invariant(previous !== undefined, "only a stored object has a state");
    objects.set(key, new StoredObject(deepFreeze(object), previous.revision));
  }

  canRead(resource: string, revision: number): boolean {
    return revision >= this.#table(resource).log.compactedRevision;
  }

  /** In key order, now or at a revision that {@linkcode canRead} confirmed. */
  *scan(resource: string, options: ScanOptions = {}): Generator<readonly [string, StoredObject]> {
    const table = this.#table(resource);
    const prefix = options.namespace === undefined ? "" : `${options.namespace}/`;
    const past = options.revision !== undefined && options.revision < this.#revision
      ? table.log.stateBefore(options.revision)
      : undefined;
    const keys = past ? mergedKeys(table.keys, past) : table.keys.slice();
    const after = options.after !== undefined && options.after >= prefix ? options.after : undefined;
    const start = after === undefined ? lowerBound(keys, prefix) : lowerBound(keys, `${after}\0`);
    for (let index = start; index < keys.length; index++) {
      const key = keys[index]!;
      if (!key.startsWith(prefix)) return;
      const stored = past?.has(key) ? past.get(key) : table.objects.get(key);
      if (stored) yield [key, stored];
    }
  }

  /** Drops the history: older watches and list pages get 410. */
  compact(): void {
    this.#compacted = this.#revision;
    for (const table of this.#tables.values()) table.log.compact(this.#revision);
  }

  /** Cheap: shares frozen objects. */
  snapshot(): StorageSnapshot {
    const tables = new Map([...this.#tables].map(([resource, table]) => [resource, new Map(table.objects)]));
    return { revision: this.#revision, tables };
  }

  /** Ends watches and drops history; calls no listeners. */
  restore(snapshot: StorageSnapshot): void {
    for (const table of this.#tables.values()) table.log.end();
    this.#tables.clear();
    this.#revision = snapshot.revision;
    this.#compacted = snapshot.revision;
    for (const [resource, objects] of snapshot.tables) {
      const table = this.#table(resource);
      for (const [key, stored] of objects) table.objects.set(key, stored);
      table.keys.push(...[...objects.keys()].sort());
    }
  }

  close(): void {
    for (const table of this.#tables.values()) table.log.end();
  }

  #table(resource: string): Table {
    let table = this.#tables.get(resource);
    if (!table) {
      table = { keys: [], objects: new Map(), log: new EventLog(this.#logLengthMax, this.#compacted) };
      this.#tables.set(resource, table);
    }
    return table;
  }

  #stamp(object: DynamicObject): StoredObject {
    invariant(object.metadata && !Object.isFrozen(object.metadata), "a stored object brings metadata of its own");
    const revision = ++this.#revision;
    object.metadata.resourceVersion = String(revision);
    return new StoredObject(deepFreeze(object), revision);
  }

  #publish(resource: string, table: Table, event: StorageEvent): void {
    // Listeners first: a woken watcher may read what they maintain (served types, owner index).
    for (const listener of this.#listeners) listener(resource, event);
    table.log.append(event);
  }
}

function lowerBound(keys: readonly string[], key: string): number {
  let low = 0, high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function mergedKeys(present: readonly string[], past: ReadonlyMap<string, StoredObject | undefined>): string[] {
  const gone = [...past].filter(([, stored]) => stored !== undefined).map(([key]) => key);
  return [...new Set([...present, ...gone])].sort();
}
