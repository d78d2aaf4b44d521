import type { JsonValue } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";

/** The edit that stores a state in an object. Each part joins a write that happens anyway, if any. */
export interface StorageEdit {
  /** Null removes one. */
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** Top-level fields; undefined removes one. */
  readonly status?: Readonly<Record<string, JsonValue | undefined>>;
}

/**
 * Where handling is recorded between passes and processes. It decides where and in which form; the engine writes, once
 * per pass, and only what differs.
 *
 * Guarantees of every storage: `load` returns what `save` was given once the object has the edit (a state that is too
 * large loses its contents). An unreadable state is returned as unknown, never thrown.
 */
export interface HandledStateStorage {
  /** The object's state; empty if it was never handled. */
  load(object: KubeObject): Promise<HandledState>;
  /**
   * The edit that stores `state`; empty if it is stored. Changes of `fields` must be known even if the object is too
   * large to remember.
   */
  save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit>;
  /** Whether an annotation is this storage's own, and so no handled content. */
  isRecord(annotation: string): boolean;
  /** Status fields that the kind's schema must allow. */
  readonly statusFields?: readonly string[];
  /** An object is gone: drops its state kept outside of it. */
  forget?(uid: string): void;
}
