import { isObject } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import { HANDLED, HANDLED_BEFORE, type HandledState } from "./change.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

/**
 * Treats an object whose `status.observedGeneration` is set as handled, whatever else is stored. Where no handler needs
 * the former state (`marksOnly`), that mark is all that is stored, and costs no write besides the status write.
 */
export class GenerationStorage implements HandledStateStorage {
  readonly #inner: HandledStateStorage;
  readonly #marksOnly: boolean;

  constructor(inner: HandledStateStorage, { marksOnly }: { marksOnly: boolean }) {
    this.#inner = inner;
    this.#marksOnly = marksOnly;
  }

  /** See {@linkcode HandledStateStorage.recall}. */
  async recall(object: KubeObject): Promise<HandledState> {
    const state = await this.#inner.recall(object), { status } = object as { status?: unknown };
    const observed = isObject(status) ? status.observedGeneration : undefined;
    // A pending creation was never handled, although its status was written meanwhile.
    if (typeof observed !== "number" || state.base || state.underway?.kind === "create") return state;
    // After a crash between the status and the record, or with new handlers, the object may have changed since.
    const changed = !this.#marksOnly && observed !== object.metadata?.generation;
    return { ...state, base: changed ? HANDLED_BEFORE : HANDLED };
  }

  /** See {@linkcode HandledStateStorage.keep}. */
  keep(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    if (!this.#marksOnly) return this.#inner.keep(object, state, fields);
    const { underway, gaveUp } = state;
    return this.#inner.keep(object, { ...(underway ? { underway } : {}), ...(gaveUp ? { gaveUp } : {}) }, fields);
  }

  /**
   * The edit that holds `state` without the mark: for an object whose status the server does not let the operator
   * write.
   */
  keepUnmarked(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    return this.#inner.keep(object, state, fields);
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(annotation: string): boolean {
    return this.#inner.isRecord(annotation);
  }

  /** See {@linkcode HandledStateStorage.statusFields}. */
  get statusFields(): readonly string[] {
    return this.#inner.statusFields ?? [];
  }

  /** See {@linkcode HandledStateStorage.forget}. */
  forget(uid: string): void {
    this.#inner.forget?.(uid);
  }
}
