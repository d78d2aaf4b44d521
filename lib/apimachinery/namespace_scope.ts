import { UsageError } from "../base/mod.ts";
import { globProblem, matchesGlobs } from "./namespace_globs.ts";

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
