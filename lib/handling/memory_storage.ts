import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

/** Remembers handling in this process only: a new process handles every object as new. */
export class MemoryStorage implements HandledStateStorage {
  readonly #states = new Map<string, HandledState>();

  /** See {@linkcode HandledStateStorage.load}. */
  load({ metadata }: KubeObject): Promise<HandledState> {
    return Promise.resolve(this.#states.get(metadata?.uid ?? "") ?? {});
  }

  /** See {@linkcode HandledStateStorage.save}. */
  save({ metadata }: KubeObject, state: HandledState): Promise<StorageEdit> {
    if (metadata?.uid) this.#states.set(metadata.uid, state);
    return Promise.resolve({});
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(): boolean {
    return false;
  }

  /** See {@linkcode HandledStateStorage.forget}. */
  forget(uid: string): void {
    this.#states.delete(uid);
  }
}
