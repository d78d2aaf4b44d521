import { compareResourceVersions, formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/mod.ts";

/** None leaves the object out. */
type IndexFunction<T> = (object: T) => readonly string[];

export type StoreChange<T> =
  | { readonly type: "added"; readonly object: T; readonly old?: undefined }
  | { readonly type: "modified"; readonly object: T; readonly old: T }
  | { readonly type: "deleted"; readonly object: T; readonly old?: undefined };

interface Index<T> {
  readonly valuesOf: IndexFunction<T>;
  readonly buckets: Map<string, Map<string, T>>;
}

/**
 * The objects of one resource as last received, by `namespace/name`, with indexes. Readers share and never edit them.
 * Only a reflector writes (through {@linkcode WritableStore}).
 */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #onIndexError: (index: string, error: unknown) => void;
  readonly #onRead: ((object: T) => void) | undefined;

  /** `onIndexError` gets errors of index functions, `onRead` every object that is read. */
  constructor(
    options: { onIndexError?: (index: string, error: unknown) => void; onRead?: (object: T) => void } = {},
  ) {
    this.#onIndexError = options.onIndexError ?? (() => {});
    this.#onRead = options.onRead;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** By key or its `namespace/name` text. */
  get(key: ObjectKey | string): T | undefined {
    const object = this.#objects.get(typeof key === "string" ? key : formatKey(key));
    if (object) this.#onRead?.(object);
    return object;
  }

  /** In order of first appearance. Live: writes during the iteration may appear. */
  values(): Iterable<T> {
    const objects = this.#objects.values(), onRead = this.#onRead;
    return onRead ? objects.map((object) => (onRead(object), object)) : objects;
  }

  /**
   * Indexes present and later objects. One for which `valuesOf` throws is reported and left out.
   *
   * @throws {RangeError} if the name is taken: two owners would read each other's values.
   */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) throw new RangeError(`the store already has an index "${name}"`);
    const index: Index<T> = { valuesOf, buckets: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) this.#addToIndexes(name, index, key, object);
  }

  /** @throws {RangeError} if there is no such index. */
  byIndex(name: string, value: string): readonly T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new RangeError(`the store has no index "${name}"`);
    const bucket = index.buckets.get(value);
    const objects = bucket ? [...bucket.values()] : [];
    if (this.#onRead) objects.forEach(this.#onRead);
    return objects;
  }

  indexValues(name: string): Iterable<string> {
    return this.#indexes.get(name)?.buckets.keys() ?? [];
  }

  /** Undefined removes the object. Returns the former one. */
  protected write(key: string, object: T | undefined): T | undefined {
    const former = this.#objects.get(key);
    if (object) this.#objects.set(key, object);
    else this.#objects.delete(key);
    for (const [name, index] of this.#indexes) {
      if (former) this.#removeFromIndexes(name, index, key, former);
      if (object) this.#addToIndexes(name, index, key, object);
    }
    return former;
  }

  protected keys(): Iterable<string> {
    return this.#objects.keys();
  }

  #addToIndexes(name: string, index: Index<T>, key: string, object: T): void {
    for (const value of this.#valuesOf(name, index, object)) {
      let bucket = index.buckets.get(value);
      if (!bucket) index.buckets.set(value, bucket = new Map());
      bucket.set(key, object);
    }
  }

  #removeFromIndexes(name: string, index: Index<T>, key: string, object: T): void {
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
 * Guarantees: an older version never replaces a newer one, in any order of calls. A recreated object is a deletion and
 * an addition, never a modification.
 */
export class WritableStore<T extends KubeObject> extends Store<T> {
  /** No change if the store has this version or a newer one. */
  put(object: T): StoreChange<T>[] {
    const key = formatKey(keyOf(object)), former = this.get(key);
    if (former && compareResourceVersions(versionOf(object), versionOf(former)) <= 0) return [];
    return this.#set(key, former, object);
  }

  /** `object` is the last state; no change if the store has a newer object of that name. */
  remove(object: T): StoreChange<T>[] {
    const key = formatKey(keyOf(object)), former = this.get(key);
    if (!former || compareResourceVersions(versionOf(object), versionOf(former)) < 0) return [];
    this.write(key, undefined);
    return [{ type: "deleted", object }];
  }

  /**
   * Writes a complete list: deletions first, then the list's order. `rewound`: the server's history went back, so the
   * list wins even over higher versions.
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

/** The reflector has checked it. */
export function versionOf(object: KubeObject): string {
  return object.metadata?.resourceVersion ?? "";
}
