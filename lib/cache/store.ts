import { compareResourceVersions, formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/mod.ts";

/** The index values of one object; none leaves it out. */
type IndexFunction<T> = (object: T) => readonly string[];

/** One change of a store. */
export type StoreChange<T> =
  | { readonly type: "added"; readonly object: T; readonly old?: undefined }
  | { readonly type: "modified"; readonly object: T; readonly old: T }
  | { readonly type: "deleted"; readonly object: T; readonly old?: undefined };

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  readonly buckets: Map<string, Map<string, T>>;
}

/**
 * The objects of one resource as last received, by `namespace/name`, with indexes. Readers share the objects and never
 * edit them. Only a reflector writes (through {@linkcode WritableStore}).
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #onIndexError: (index: string, error: unknown) => void;
  readonly #onRead: ((object: T) => void) | undefined;

  /** `onIndexError` is called for every index function that throws, `onRead` for every object that is read. */
  constructor(
    options: { onIndexError?: (index: string, error: unknown) => void; onRead?: (object: T) => void } = {},
  ) {
    this.#onIndexError = options.onIndexError ?? (() => {});
    this.#onRead = options.onRead;
  }

  /** The number of objects. */
  get size(): number {
    return this.#objects.size;
  }

  /** The object of a key, or of its `namespace/name` text. */
  get(key: ObjectKey | string): T | undefined {
    const object = this.#objects.get(typeof key === "string" ? key : formatKey(key));
    if (object) this.#onRead?.(object);
    return object;
  }

  /** Every object, in the order of its first appearance. Live: writes during the iteration may appear. */
  values(): Iterable<T> {
    const objects = this.#objects.values(), onRead = this.#onRead;
    return onRead ? objects.map((object) => (onRead(object), object)) : objects;
  }

  /**
   * Indexes the objects by the strings of `valuesOf`; the present objects are indexed at once. An object for which it
   * throws is in no bucket and is reported.
   *
   * @throws {RangeError} where an index of this name exists: two owners of one name would read each other's values.
   */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) throw new RangeError(`the store already has an index "${name}"`);
    const index: Index<T> = { valuesOf, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) this.#enter(name, index, key, object);
  }

  /**
   * The objects with `value` in the index `name`.
   *
   * @throws {RangeError} where there is no such index.
   */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new RangeError(`the store has no index "${name}"`);
    const bucket = index.buckets.get(value);
    const objects = bucket ? [...bucket.values()] : [];
    if (this.#onRead) objects.forEach(this.#onRead);
    return objects;
  }

  /** Every value that occurs in the index `name`. */
  indexValues(name: string): Iterable<string> {
    return this.#indexes.get(name)?.buckets.keys() ?? [];
  }

  /** Sets or removes (undefined) the object of `key`; returns the former one. */
  protected write(key: string, object: T | undefined): T | undefined {
    const former = this.#objects.get(key);
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    for (const [name, index] of this.#indexes) {
      if (former) this.#leave(name, index, key, former);
      if (object) this.#enter(name, index, key, object);
    }
    return former;
  }

  /** The keys, for a writer that compares them with a list. */
  protected keys(): Iterable<string> {
    return this.#objects.keys();
  }

  #enter(name: string, index: Index<T>, key: string, object: T): void {
    for (const value of this.#valuesOf(name, index, object)) {
      let bucket = index.buckets.get(value);
      if (!bucket) index.buckets.set(value, bucket = new Map());
      bucket.set(key, object);
    }
  }

  #leave(name: string, index: Index<T>, key: string, object: T): void {
    for (const value of this.#valuesOf(name, index, object)) {
      const bucket = index.buckets.get(value);
      bucket?.delete(key);
      if (bucket?.size === 0) index.buckets.delete(value);
    }
  }

  #valuesOf(name: string, index: Index<T>, object: T): readonly string[] {
    try {
      return index.valuesOf(object);
    } catch (error) {
      this.#onIndexError(name, error);
      return [];
    }
  }
}

/**
 * The writable side of a store, for one writer.
 *
 * Guarantees: an older version never replaces a newer one, in any order of the calls; an object that was deleted and
 * created again under the same name changes as a deletion and an addition, never as a modification.
 */
export class WritableStore<T extends KubeObject> extends Store<T> {
  /** Writes an added or modified object; no change where the store has this version, or a newer one. */
  put(object: T): StoreChange<T>[] {
    const key = formatKey(keyOf(object)), former = this.get(key);
    if (former && compareResourceVersions(versionOf(object), versionOf(former)) <= 0) return [];
    return this.#set(key, former, object);
  }

  /** Deletes an object, whose last state is `object`; no change where the store has a newer object of that name. */
  remove(object: T): StoreChange<T>[] {
    const key = formatKey(keyOf(object)), former = this.get(key);
    if (!former || compareResourceVersions(versionOf(object), versionOf(former)) < 0) return [];
    this.write(key, undefined);
    return [{ type: "deleted", object }];
  }

  /**
   * Writes a complete list. Deletions come first, then the list's order. `rewound`: the server's history went back
   * (restored from a backup), so the list wins even where its versions are lower.
   */
  replace(objects: readonly T[], rewound = false): StoreChange<T>[] {
    const listed = new Set(objects.map((object) => formatKey(keyOf(object))));
    const changes: StoreChange<T>[] = [];
    for (const key of [...this.keys()]) {
      if (!listed.has(key)) changes.push({ type: "deleted", object: this.write(key, undefined)! });
    }
    for (const object of objects) {
      const key = formatKey(keyOf(object)), former = this.get(key);
      const order = former ? compareResourceVersions(versionOf(object), versionOf(former)) : 1;
      if (order > 0 || (rewound && order !== 0)) changes.push(...this.#set(key, former, object));
    }
    return changes;
  }

  #set(key: string, former: T | undefined, object: T): StoreChange<T>[] {
    if (!former) {
      this.write(key, object);
      return [{ type: "added", object }];
    }
    const recreated = former.metadata?.uid !== object.metadata?.uid;
    this.write(key, object);
    if (!recreated) return [{ type: "modified", object, old: former }];
    return [{ type: "deleted", object: former }, { type: "added", object }];
  }
}

/** The version of a stored object, which the reflector has checked. */
export function versionOf(object: KubeObject): string {
  return object.metadata?.resourceVersion ?? "";
}
