import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

/**
 * Writes to the first storage and reads from the first that knows an object. So an operator can move between storages
 * or frameworks without handling anything twice. The others are never written, so it can move back.
 */
export class ChainStorage implements HandledStateStorage {
  readonly #first: HandledStateStorage;
  readonly #others: readonly Pick<HandledStateStorage, "load" | "isRecord">[];

  /** `first` is written and read first; the others are read after it, in order. */
  constructor(first: HandledStateStorage, ...others: readonly Pick<HandledStateStorage, "load" | "isRecord">[]) {
    this.#first = first;
    this.#others = others;
  }

  /** See {@linkcode HandledStateStorage.load}. */
  async load(object: KubeObject): Promise<HandledState> {
    for (const storage of [this.#first, ...this.#others]) {
      const state = await storage.load(object);
      if (state.lastHandled || state.pendingChange) return state;
    }
    return {};
  }

  /** See {@linkcode HandledStateStorage.save}. */
  save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    return this.#first.save(object, state, fields);
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(annotation: string): boolean {
    return [this.#first, ...this.#others].some((storage) => storage.isRecord(annotation));
  }

  /** See {@linkcode HandledStateStorage.statusFields}. */
  get statusFields(): readonly string[] {
    return this.#first.statusFields ?? [];
  }

  /** See {@linkcode HandledStateStorage.forget}. */
  forget(uid: string): void {
    this.#first.forget?.(uid);
  }
}
