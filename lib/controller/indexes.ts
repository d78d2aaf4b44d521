import { describeError, type Logger, UsageError } from "../base/mod.ts";
import { formatKey, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import type { Informer } from "../cache/mod.ts";
import { type IndexReader, IndexStore, type ObjectIndex } from "../handling/mod.ts";

/** The indexes of one running operator, over all its kinds. */
export class IndexSet {
  readonly #stores = new Map<unknown, IndexStore<KubeObject, unknown>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Keeps an index up to date from an informer; the returned function stops it. */
  feed<T extends KubeObject>(index: ObjectIndex<T, unknown>, informer: Informer<T>): () => void {
    const store = new IndexStore(index as unknown as ObjectIndex<KubeObject, unknown>);
    this.#stores.set(index, store);
    return informer.onEvent(({ type, object }) => {
      const key = formatKey(keyOf(object));
      if (type === "deleted") return store.remove(key);
      try {
        store.put(key, object);
      } catch (error) {
        // An unreadable object must not hide the others.
        this.#log.warn("an index function failed; the object is not in the index", {
          index: index.name,
          object: key,
          error: describeError(error),
        });
      }
    });
  }

  /** @throws {UsageError} if no kind of this operator has the index. */
  reader<T extends KubeObject, V>(index: ObjectIndex<T, V>): IndexReader<V> {
    const store = this.#stores.get(index);
    if (!store) {
      throw new UsageError(`no kind of this operator has the index "${index.name}"`, "declare it: on(kind).index(…)");
    }
    return store as unknown as IndexReader<V>;
  }
}
