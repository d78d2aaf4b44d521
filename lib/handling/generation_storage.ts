import { isObject } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import { HANDLED, HANDLED_BEFORE, type HandledState } from "./change.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

/**
 * Objects with `status.observedGeneration` count as handled. If no handler needs the former state (`marksOnly`),
 * nothing else is stored or written.
 */
export class GenerationStorage implements HandledStateStorage {
  readonly #inner: HandledStateStorage;
  readonly #marksOnly: boolean;

  constructor(inner: HandledStateStorage, { marksOnly }: { marksOnly: boolean }) {
    this.#inner = inner;
    this.#marksOnly = marksOnly;
  }

  async load(object: KubeObject): Promise<HandledState> {
    const state = await this.#inner.load(object), { status } = object as { status?: unknown };
    const observed = isObject(status) ? status.observedGeneration : undefined;
    // A pending creation was never handled, although its status was written meanwhile.
    if (typeof observed !== "number" || state.lastHandled || state.pendingChange?.kind === "create") return state;
    // The object may have changed after a crash between status and record, or before new handlers.
    const changed = !this.#marksOnly && observed !== object.metadata?.generation;
    return { ...state, lastHandled: changed ? HANDLED_BEFORE : HANDLED };
  }

  save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    if (!this.#marksOnly) return this.#inner.save(object, state, fields);
    const { pendingChange, gaveUp } = state;
    return this.#inner.save(
      object,
      { ...(pendingChange ? { pendingChange } : {}), ...(gaveUp ? { gaveUp } : {}) },
      fields,
    );
  }

  /** Without the mark, for an object whose status the operator may not write. */
  keepUnmarked(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    return this.#inner.save(object, state, fields);
  }

  isRecord(annotation: string): boolean {
    return this.#inner.isRecord(annotation);
  }

  get statusFields(): readonly string[] {
    return this.#inner.statusFields ?? [];
  }

  forget(uid: string): void {
    this.#inner.forget?.(uid);
  }
}
