import { isDnsSubdomain, type KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";
import { decodeState, encodeState, type StateTexts } from "./state_codec.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

export interface AnnotationStorageOptions {
  /** Prefix of the keys: a DNS name that is this operator's alone. */
  readonly prefix: string;
}

/**
 * Records handling in two annotations, `<prefix>/handled` and `<prefix>/pending`. The second exists only while work
 * remains.
 */
export class AnnotationStorage implements HandledStateStorage {
  readonly #prefix: string;

  /** Annotations begin with `prefix`. @throws {RangeError} if it is no DNS name. */
  constructor({ prefix }: AnnotationStorageOptions) {
    if (!isDnsSubdomain(prefix)) throw new RangeError(`"${prefix}" is not a prefix of annotations: a DNS name is`);
    this.#prefix = prefix;
  }

  /** See {@linkcode HandledStateStorage.load}. */
  load(object: KubeObject): Promise<HandledState> {
    return decodeState(object.metadata?.uid, this.#texts(object));
  }

  /** See {@linkcode HandledStateStorage.save}. */
  async save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    const before = this.#texts(object), after = await encodeState(object.metadata?.uid, state, fields);
    const annotations: Record<string, string | null> = {};
    for (const part of ["handled", "pending"] as const) {
      if (before[part] !== after[part]) annotations[`${this.#prefix}/${part}`] = after[part] ?? null;
    }
    return Object.keys(annotations).length > 0 ? { annotations } : {};
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(annotation: string): boolean {
    return annotation.startsWith(`${this.#prefix}/`);
  }

  #texts({ metadata }: KubeObject): StateTexts {
    const annotations = metadata?.annotations ?? {};
    return { handled: annotations[`${this.#prefix}/handled`], pending: annotations[`${this.#prefix}/pending`] };
  }
}
