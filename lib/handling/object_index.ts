import type { KubeObject } from "../apimachinery/mod.ts";
import { matchesFilter, type ObjectFilter } from "./filter.ts";

/** What an index enters for an object: values under keys. Pure, and called for each state of each object. */
export type IndexEntries<T extends KubeObject, V> = (object: T) => Iterable<readonly [key: string, value: V]>;

/**
 * A declaration of an index over the objects of a kind: what handlers look up instead of listing. It holds nothing
 * itself; each operator that runs has its own entries, complete before its first handler is called.
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
  /** See {@linkcode IndexEntries}. */
  readonly entries: IndexEntries<T, V>;
  /** Which objects are entered. */
  readonly filter: ObjectFilter<T>;

  /** Declares an index; {@linkcode KindHandlers.index} assigns it to a kind. */
  constructor(name: string, entries: IndexEntries<T, V>, filter: ObjectFilter<T> = {}) {
    this.name = name;
    this.entries = entries;
    this.filter = filter;
  }
}

/** What handlers read of an index. */
export interface IndexReader<V> {
  /** The values under a key, one or more of each object; none where nothing is. */
  get(key: string): readonly V[];
  /** Whether something is under a key. */
  has(key: string): boolean;
  /** Every key. */
  keys(): Iterable<string>;
  /** How many keys there are. */
  readonly size: number;
}

/** The entries of one index in one operator that runs. */
export class IndexStore<T extends KubeObject, V> implements IndexReader<V> {
  readonly #index: ObjectIndex<T, V>;
  readonly #values = new Map<string, Map<string, V[]>>();
  readonly #keys = new Map<string, ReadonlySet<string>>();

  /** Empty; `put` fills it. */
  constructor(index: ObjectIndex<T, V>) {
    this.#index = index;
  }

  /**
   * Enters an object in the place of what it entered before.
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

  /** Takes an object's entries away. */
  remove(key: string): void {
    for (const value of this.#keys.get(key) ?? []) {
      const objects = this.#values.get(value);
      objects?.delete(key);
      if (objects?.size === 0) this.#values.delete(value);
    }
    this.#keys.delete(key);
  }

  /** See {@linkcode IndexReader.get}. */
  get(key: string): readonly V[] {
    return [...this.#values.get(key)?.values() ?? []].flat();
  }

  /** See {@linkcode IndexReader.has}. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** See {@linkcode IndexReader.keys}. */
  keys(): Iterable<string> {
    return this.#values.keys();
  }

  /** See {@linkcode IndexReader.size}. */
  get size(): number {
    return this.#values.size;
  }
}
