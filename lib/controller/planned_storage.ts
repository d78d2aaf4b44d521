import type { KubeObject } from "../apimachinery/object.ts";
import type { HandledState } from "../handling/change.ts";
import type { HandledStateStorage, StorageEdit } from "../handling/storage.ts";

/** A storage that answers what it would write into objects, and remembers nothing elsewhere of what was only planned. */
export class PlannedStorage implements HandledStateStorage {
  readonly #inner: HandledStateStorage;

  /** `inner` is asked, and left as it was found. */
  constructor(inner: HandledStateStorage) {
    this.#inner = inner;
  }

  /** See {@linkcode HandledStateStorage.recall}. */
  recall(object: KubeObject): Promise<HandledState> {
    return this.#inner.recall(object);
  }

  /** See {@linkcode HandledStateStorage.keep}. */
  async keep(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    const former = await this.#inner.recall(object), edit = await this.#inner.keep(object, state, fields);
    // One that remembers in its own memory has done so by now.
    await this.#inner.keep(object, former, fields);
    return edit;
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(annotation: string): boolean {
    return this.#inner.isRecord(annotation);
  }

  /** See {@linkcode HandledStateStorage.statusFields}. */
  get statusFields(): readonly string[] {
    return this.#inner.statusFields ?? [];
  }
}
