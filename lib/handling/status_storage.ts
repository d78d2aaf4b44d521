import { isObject } from "../base/mod.ts";
import type { KubeObject } from "../apimachinery/mod.ts";
import type { HandledState } from "./change.ts";
import { textFields } from "./packed_text.ts";
import { decodeState, encodeState, type StateTexts } from "./state_codec.ts";
import type { HandledStateStorage, StorageEdit } from "./storage.ts";

/**
 * Records handling in one status field, without another write. For kinds whose status is the operator's own; their
 * CustomResourceDefinition gets the field.
 */
export class StatusStorage implements HandledStateStorage {
  /** See {@linkcode HandledStateStorage.statusFields}. */
  readonly statusFields: readonly string[];
  readonly #field: string;

  /** `field` is a top-level status field that nothing else uses. */
  constructor({ field = "handling" }: { readonly field?: string } = {}) {
    this.#field = field;
    this.statusFields = [field];
  }

  /** See {@linkcode HandledStateStorage.load}. */
  load(object: KubeObject): Promise<HandledState> {
    return decodeState(object.metadata?.uid, this.#texts(object));
  }

  /** See {@linkcode HandledStateStorage.save}. */
  async save(object: KubeObject, state: HandledState, fields: readonly string[]): Promise<StorageEdit> {
    const before = this.#texts(object), after = await encodeState(object.metadata?.uid, state, fields);
    if (before.handled === after.handled && before.pending === after.pending) return {};
    return { status: { [this.#field]: Object.keys(after).length > 0 ? { ...after } : undefined } };
  }

  /** See {@linkcode HandledStateStorage.isRecord}. */
  isRecord(): boolean {
    return false;
  }

  #texts(object: KubeObject): StateTexts {
    const { status } = object as { status?: unknown };
    return isObject(status) ? textFields(status[this.#field]) : {};
  }
}
