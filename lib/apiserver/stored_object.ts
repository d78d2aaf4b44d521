import { formatJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

/**
 * A frozen state of an object, with its JSON text made once. All lists and watches share it, in any version without
 * conversion.
 */
export class StoredObject {
  #members: string | undefined;

  constructor(readonly object: DynamicObject, readonly revision: number) {}

  /** The JSON members after `kind` and `apiVersion`: `"metadata":{…},"spec":{…}}`. */
  get members(): string {
    if (this.#members === undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.object;
      this.#members = formatJson(rest).slice(1);
    }
    return this.#members;
  }
}
