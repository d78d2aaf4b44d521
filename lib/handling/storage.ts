import type { JsonValue } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";

/**
 * What an object must be given so that it holds a state. Each goes into a write that happens anyway where there is one.
 */
export interface StorageEdit {
  /** Null removes one. */
  readonly annotations?: Readonly<Record<string, string | null>>;
  /** Top-level fields of the status; undefined removes one. */
  readonly status?: Readonly<Record<string, JsonValue | undefined>>;
}

/**
 * Where the handling of objects is remembered between passes and processes. It decides where and in which form; the
 * engine writes, once per pass, and only what differs.
 *
 * Guarantees of every storage: what `keep` was given is what `recall` answers once the object has the edit (a state
 * that is too large comes back without its contents); what cannot be read is answered as unknown, never thrown.
 */
export interface HandledStateStorage {
  /** The state that an object holds; an empty one where it was never handled. */
  recall(object: KubeObject): Promise<HandledState>;
  /**
   * The edit by which `object` comes to hold `state`; an empty one where it does so already. `fields` are those whose
   * changes must be known even where an object is too large to be remembered.
   */
  keep(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit>;
  /** Whether an annotation is this storage's own: such annotations are not part of the handled content. */
  isRecord(annotation: string): boolean;
  /** Fields of the status that the kind's schema must let through. */
  readonly statusFields?: readonly string[];
  /** An object is gone: what is remembered of it elsewhere than in it can go, too. */
  forget?(uid: string): void;
}
