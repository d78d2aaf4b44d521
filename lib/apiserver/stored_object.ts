import { formatJson } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";

/** A frozen state. All lists and watches share its JSON text. */
export class StoredObject {
  #members: string | undefined;

  constructor(readonly object: DynamicObject, readonly revision: number) {}

  /** JSON after `kind` and `apiVersion`: `"metadata":{…},"spec":{…}}`. */
  get members(): string {
    if (this.#members === undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = this.object;
      this.#members = formatJson(rest).slice(1);
    }
    return this.#members;
  }
}
