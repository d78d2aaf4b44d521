import type { KubeObject } from "../apimachinery/mod.ts";
import { matchesFilter, type ObjectFilter } from "./filter.ts";

/** Pure, and called for each state of each object. */
export type IndexEntries<T extends KubeObject, V> = (object: T) => Iterable<readonly [key: string, value: V]>;

/**
 * An index over a kind's objects, for lookups instead of lists. It holds nothing; each running operator has its own
 * entries, complete before its first handler is called.
 *
 * @example
 * ```ts
 * import { ObjectIndex } from "@pintle/pintle";
 * const byNode = new ObjectIndex("pods by node", (pod: { spec?: { nodeName?: string }; metadata?: { name?: string } })
 * =>
 *   pod.spec?.nodeName ? [[pod.spec.nodeName, pod.metadata?.name ?? ""]] : []);
 * if (byNode.name !== "pods by node") throw new Error("its name is for messages");
 * ```
 */
export class ObjectIndex<T extends KubeObject, V> {
  /** For messages. */
  readonly name: string;
  /** Returns an object's entries. */
  readonly entries: IndexEntries<T, V>;
  /** The indexed objects. */
  readonly filter: ObjectFilter<T>;

  /** Assign it to a kind by {@linkcode KindHandlers.index}. */
  constructor(name: string, entries: IndexEntries<T, V>, filter: ObjectFilter<T> = {}) {
    this.name = name;
    this.entries = entries;
    this.filter = filter;
  }
}

export interface IndexReader<V> {
  /** The values under a key, one or more per object; empty if there are none. */
  get(key: string): readonly V[];
  has(key: string): boolean;
  keys(): Iterable<string>;
  /** Number of keys. */
  readonly size: number;
}

export class IndexStore<T extends KubeObject, V> implements IndexReader<V> {
  readonly #index: ObjectIndex<T, V>;
  readonly #values = new Map<string, Map<string, V[]>>();
  readonly #keys = new Map<string, ReadonlySet<string>>();

  constructor(index: ObjectIndex<T, V>) {
    this.#index = index;
  }

  /**
   * Replaces an object's entries.
   *
   * @throws whatever the index's function throws; the object then has no entries.
   */
  put(key: string, object: T): void {
    this.remove(key);
    if (!matchesFilter(this.#index.filter, object)) return;
    const entries = [...this.#index.entries(object)];
    for (const [value, entry] of entries) {
      const objects = this.#values.get(value) ?? new Map<string, V[]>();
      objects.set(key, [...objects.get(key) ?? [], entry]);
      this.#values.set(value, objects);
    }
    if (entries.length > 0) this.#keys.set(key, new Set(entries.map(([value]) => value)));
  }

  remove(key: string): void {
    for (const value of this.#keys.get(key) ?? []) {
      const objects = this.#values.get(value);
      objects?.delete(key);
      if (objects?.size === 0) this.#values.delete(value);
    }
    this.#keys.delete(key);
  }

  get(key: string): readonly V[] {
    return [...this.#values.get(key)?.values() ?? []].flat();
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  keys(): Iterable<string> {
    return this.#values.keys();
  }

  get size(): number {
    return this.#values.size;
  }
}
