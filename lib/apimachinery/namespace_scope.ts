import { UsageError } from "../base/mod.ts";
import { globProblem, matchesGlobs } from "./namespace_globs.ts";

export interface NamespaceScope {
  covers(namespace: string): boolean;
  /** Whether objects without a namespace are handled; true where absent. */
  coversCluster?(): boolean;
  /** The only namespace, if it is one: then no other is watched either. */
  readonly only?: string;
  /** Calls `listener` after changes, until the returned function is called. */
  onChange?(listener: () => void): () => void;
}

export const EVERYWHERE: NamespaceScope = { covers: () => true };

/** The part of `scope` that `gate` covers now. */
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
 * The namespaces of globs such as `team-*`, `!team-legacy`; everywhere for an empty list.
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
