import { keyOf, type KubeObject, type NamespaceScope, parseKey } from "../apimachinery/mod.ts";

/**
 * The namespaces with objects that a scope covered at the last check: the difference is newly in scope.
 */
export class ScopeTracker<T extends KubeObject> {
  readonly #scope: NamespaceScope;
  /** The empty name is for cluster-scoped objects; undefined before the first `newlyInScope`. */
  #namespaces: Set<string> | undefined;

  constructor(scope: NamespaceScope) {
    this.#scope = scope;
  }

  /** Whether an object is in scope now. */
  admits(object: T): boolean {
    const admitted = covers(this.#scope, object);
    if (admitted) this.#namespaces?.add(keyOf(object).namespace ?? "");
    return admitted;
  }

  /** Whether the object of a key is out of scope now. */
  excludes(key: string): boolean {
    return !coversKey(this.#scope, key);
  }

  /** Of these objects, all that there are, those that are covered now and were not before. */
  newlyInScope(objects: Iterable<T>): T[] {
    const before = this.#namespaces;
    this.#namespaces = new Set();
    return [...objects].filter((object) => this.admits(object) && !before?.has(keyOf(object).namespace ?? ""));
  }
}

/** Whether an object is an operator's own to handle. */
function covers(scope: NamespaceScope, { metadata }: KubeObject): boolean {
  return metadata?.namespace ? scope.covers(metadata.namespace) : scope.coversCluster?.() ?? true;
}

/** Whether the object of a key (`namespace/name`, or `name`) is an operator's own to handle. */
function coversKey(scope: NamespaceScope, key: string): boolean {
  return covers(scope, { metadata: parseKey(key) });
}
