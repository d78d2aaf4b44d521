import { type Random, SeededRandom } from "../../lib/base/mod.ts";
import { ApiError, MalformedAnswerError, UnreachableError } from "../../lib/client/mod.ts";
import type { FaultContext } from "./fault.ts";

/**
 * A part of the cluster with the objects of one operator, a load that changes them, and a model of what must come of
 * it.
 */
export interface Site {
  /** Carries out the next random operation. */
  step(): Promise<void>;
  /** How it is, read from the API server now. Meaningful only while nothing changes. */
  look(): Promise<SiteState>;
  /** Removes everything, with the operator's help; throws where something stays. */
  remove(): Promise<void>;
}

/** How a site is. */
export interface SiteState {
  /** What is wrong; nothing is in a state that is as it must be. */
  readonly problems: readonly string[];
  /**
   * What is still to go, and is the work of Kubernetes' own controllers: namespaces with all that is in them, children
   * without owner.
   */
  readonly ending: readonly string[];
}

/** Sends a write of the load and counts how it ended: done, refused by an answer, or without one. */
export async function attempt<T>(
  { figures, signal }: Pick<FaultContext, "figures" | "signal">,
  write: () => Promise<T>,
): Promise<{ readonly kind: "done"; readonly result: T } | { readonly kind: "refused" | "unanswered" }> {
  try {
    const result = await write();
    figures.operations++;
    return { kind: "done", result };
  } catch (error) {
    signal.throwIfAborted();
    figures.refused++;
    if (error instanceof ApiError) return { kind: error.code < 500 ? "refused" : "unanswered" };
    if (error instanceof UnreachableError || error instanceof MalformedAnswerError) return { kind: "unanswered" };
    throw error; // the load itself is wrong
  }
}

/** Chooses by weight. */
export function weighted<K extends string>(weights: Readonly<Record<K, number>>, point: number): K {
  const entries = Object.entries(weights) as [K, number][];
  let rest = point * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of entries) {
    rest -= weight;
    if (rest < 0) return kind;
  }
  return entries.at(-1)![0];
}

/**
 * Randomness of its own for one of several that take turns: what it chooses does not depend on how fast the others are.
 */
export function split(random: Random): Random {
  return new SeededRandom(Math.floor(random.next() * 2 ** 32));
}
