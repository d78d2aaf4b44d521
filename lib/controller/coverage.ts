import { keyOf, type KubeObject } from "../apimachinery/object.ts";
import { covers, coversKey, type NamespaceScope } from "./namespace_scope.ts";

/** Which namespaces a scope covered when it was last looked at, as far as there are objects in them: what it gains is told from that. */
export class Coverage<T extends KubeObject> {
  readonly #scope: NamespaceScope;
  /** The empty one stands for objects without a namespace; undefined until somebody first asked what is gained. */
  #namespaces: Set<string> | undefined;

  constructor(scope: NamespaceScope) {
    this.#scope = scope;
  }

  /** Whether an object is to be handled now. */
  admits(object: T): boolean {
    const admitted = covers(this.#scope, object);
    if (admitted) this.#namespaces?.add(keyOf(object).namespace ?? "");
    return admitted;
  }

  /** Whether the object of a key is not to be handled now. */
  excludes(key: string): boolean {
    return !coversKey(this.#scope, key);
  }

  /** Of these objects, all that there are, those that are covered now and were not before. */
  gained(objects: Iterable<T>): T[] {
    const before = this.#namespaces;
    this.#namespaces = new Set();
    return [...objects].filter((object) => this.admits(object) && !before?.has(keyOf(object).namespace ?? ""));
  }
}
