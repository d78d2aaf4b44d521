import { describeError, type Logger, UsageError } from "../base/mod.ts";
import { formatKey, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import type { Informer } from "../cache/mod.ts";
import { type IndexReader, IndexStore, type ObjectIndex } from "../handling/mod.ts";

/** The indexes of one operator that runs, over all its kinds. */
export class IndexSet {
  readonly #stores = new Map<unknown, IndexStore<KubeObject, unknown>>();
  readonly #log: Logger;

  /** Nothing is indexed before `feed`. */
  constructor(log: Logger) {
    this.#log = log;
  }

  /** Keeps an index up to date from an informer, until the function that it returns is called. */
  feed<T extends KubeObject>(index: ObjectIndex<T, unknown>, informer: Informer<T>): () => void {
    const store = new IndexStore(index as unknown as ObjectIndex<KubeObject, unknown>);
    this.#stores.set(index, store);
    return informer.onEvent(({ type, object }) => {
      const key = formatKey(keyOf(object));
      if (type === "deleted") return store.remove(key);
      try {
        store.put(key, object);
      } catch (error) {
        // One object that it cannot read must not blind it to the others.
        this.#log.warn("an index leaves an object out", {
          index: index.name,
          object: key,
          error: describeError(error),
        });
      }
    });
  }

  /** What handlers read. @throws {UsageError} where no kind of this operator has the index. */
  reader<T extends KubeObject, V>(index: ObjectIndex<T, V>): IndexReader<V> {
    const store = this.#stores.get(index);
    if (!store) {
      throw new UsageError(`no kind of this operator has the index "${index.name}"`, "declare it: on(kind).index(…)");
    }
    return store as unknown as IndexReader<V>;
  }
}
