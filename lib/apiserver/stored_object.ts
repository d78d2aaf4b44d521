import { formatJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

/**
 * One state of one object, frozen, with its JSON text made once: lists and watches of any number of clients, in any
 * served version of a kind without conversion, share it.
 */
export class StoredObject {
  #members: string | undefined;

  constructor(readonly object: DynamicObject, readonly revision: number) {}

  /** The JSON members after `kind` and `apiVersion`, with the closing brace: `"metadata":{…},"spec":{…}}`. */
  get members(): string {
    if (this.#members === undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.object;
      this.#members = formatJson(rest).slice(1);
    }
    return this.#members;
  }
}
