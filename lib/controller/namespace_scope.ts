import { UsageError } from "../base/errors.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import { globProblem, matchesGlobs } from "../apimachinery/namespace_globs.ts";

/** In which namespaces an operator works. Objects without a namespace are always its own. */
export interface NamespaceScope {
  /** Whether objects of a namespace are handled. */
  covers(namespace: string): boolean;
  /** The only namespace ever covered, where it is one: then no other is watched either. */
  readonly only?: string;
  /** Calls `listener` after what is covered has changed, until the function that it returns is called. */
  onChange?(listener: () => void): () => void;
}

/** The whole cluster. */
export const EVERYWHERE: NamespaceScope = { covers: () => true };

/** Whether an object is an operator's own to handle. */
export function covers(scope: NamespaceScope, { metadata }: KubeObject): boolean {
  return !metadata?.namespace || scope.covers(metadata.namespace);
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
