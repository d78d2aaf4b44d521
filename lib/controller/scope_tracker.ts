import { keyOf, type KubeObject, type NamespaceScope, parseKey } from "../apimachinery/mod.ts";

/** The namespaces with objects that the scope covered at the last check: the difference is newly in scope. */
export class ScopeTracker<T extends KubeObject> {
  readonly #scope: NamespaceScope;
  /** The empty name is for cluster-scoped objects; undefined before the first `newlyInScope`. */
  #namespaces: Set<string> | undefined;

  constructor(scope: NamespaceScope) {
    this.#scope = scope;
  }

  admits(object: T): boolean {
    const admitted = covers(this.#scope, object);
    if (admitted) this.#namespaces?.add(keyOf(object).namespace ?? "");
    return admitted;
  }

  excludes(key: string): boolean {
    return !coversKey(this.#scope, key);
  }

  /** The objects covered now but not before; `objects` must be all that exist. */
  newlyInScope(objects: Iterable<T>): T[] {
    const before = this.#namespaces;
    this.#namespaces = new Set();
    return [...objects].filter((object) => this.admits(object) && !before?.has(keyOf(object).namespace ?? ""));
  }
}

function covers(scope: NamespaceScope, { metadata }: KubeObject): boolean {
  return metadata?.namespace ? scope.covers(metadata.namespace) : scope.coversCluster?.() ?? true;
}

/** `key` is `namespace/name` or `name`. */
function coversKey(scope: NamespaceScope, key: string): boolean {
  return covers(scope, { metadata: parseKey(key) });
}
