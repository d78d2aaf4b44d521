import { UsageError } from "../base/mod.ts";
import { globProblem, keyOf, type KubeObject, matchesGlobs, parseKey } from "../apimachinery/mod.ts";

/** In which namespaces an operator works. */
export interface NamespaceScope {
  /** Whether objects of a namespace are handled. */
  covers(namespace: string): boolean;
  /** Whether objects without a namespace are handled; they are where absent. */
  coversCluster?(): boolean;
  /** The only namespace ever covered, where it is one: then no other is watched either. */
  readonly only?: string;
  /** Calls `listener` after what is covered has changed, until the function that it returns is called. */
  onChange?(listener: () => void): () => void;
}

/** The whole cluster. */
export const EVERYWHERE: NamespaceScope = { covers: () => true };

/** Whether an object is an operator's own to handle. */
export function covers(scope: NamespaceScope, { metadata }: KubeObject): boolean {
  return metadata?.namespace ? scope.covers(metadata.namespace) : scope.coversCluster?.() ?? true;
}

/** Whether the object of a key (`namespace/name`, or `name`) is an operator's own to handle. */
export function coversKey(scope: NamespaceScope, key: string): boolean {
  return covers(scope, { metadata: parseKey(key) });
}

/** The part of `scope` that `gate` lets it work on now. */
export function gatedScope(scope: NamespaceScope, gate: NamespaceScope): NamespaceScope {
  return {
    ...(scope.only === undefined ? {} : { only: scope.only }),
    covers: (namespace) => gate.covers(namespace) && scope.covers(namespace),
    coversCluster: () => (gate.coversCluster?.() ?? true) && (scope.coversCluster?.() ?? true),
    onChange: (listener) => {
      const ends = [scope.onChange?.(listener), gate.onChange?.(listener)];
      return () => ends.forEach((end) => end?.());
    },
  };
}

/**
 * The namespaces that a list of globs names: `team-*`, `!team-legacy`. Everywhere where the list is empty.
 *
 * @throws {UsageError} for a glob that can match no namespace.
 */
export function scopeOfGlobs(globs: readonly string[]): NamespaceScope {
  if (globs.length === 0) return EVERYWHERE;
  for (const glob of globs) {
    const problem = globProblem(glob);
    if (problem) {
      throw new UsageError(
        `"${glob}" matches no namespace: it ${problem}`,
        "write it like team-*, or !team-legacy to exclude",
      );
    }
  }
  const [first = ""] = globs;
  const only = globs.length === 1 && !first.includes("*") && !first.startsWith("!") ? { only: first } : {};
  return { ...only, covers: (namespace) => matchesGlobs(globs, namespace) };
}

/**
 * Which namespaces a scope covered when it was last asked, as far as there are objects in them: from that follows what
 * is newly in scope.
 */
export class ScopeTracker<T extends KubeObject> {
  readonly #scope: NamespaceScope;
  /**
   * The empty one stands for objects without a namespace; undefined until it was first asked what is newly in scope.
   */
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
  newlyInScope(objects: Iterable<T>): T[] {
    const before = this.#namespaces;
    this.#namespaces = new Set();
    return [...objects].filter((object) => this.admits(object) && !before?.has(keyOf(object).namespace ?? ""));
  }
}
