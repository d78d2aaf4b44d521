import { truncate } from "../base/mod.ts";
/** `metav1.Condition`: one aspect of an object's state. */
export interface Condition {
  /** The aspect, as `Ready`; CamelCase, and one condition of each type on an object. */
  type: string;
  /** Whether it holds; `Unknown` where that cannot be decided yet. */
  status: "True" | "False" | "Unknown";
  /** The reason of the status for programs, in CamelCase. */
  reason: string;
  /** The same for people; at most {@linkcode CONDITION_MESSAGE_LENGTH_MAX} characters. */
  message: string;
  /** RFC 3339: since when the status has held. */
  lastTransitionTime: string;
  /** `metadata.generation` that was evaluated; the condition is stale where it is older than the object's. */
  observedGeneration?: number;
}

/** Longest message that the API convention allows. */
const CONDITION_MESSAGE_LENGTH_MAX = 32_768;

/**
 * `conditions` with the one of `next`'s type replaced. `lastTransitionTime` changes only with `status` (Kubernetes API
 * conventions, "Typical status properties"); the input is not edited.
 */
export function setCondition(
  conditions: readonly Condition[],
  next: Omit<Condition, "lastTransitionTime">,
  nowMs: number,
): Condition[] {
  const message = truncate(next.message, CONDITION_MESSAGE_LENGTH_MAX);
  const former = conditions.find((condition) => condition.type === next.type);
  const lastTransitionTime = former?.status === next.status ? former.lastTransitionTime : formatTime(nowMs);
  const merged: Condition = { ...next, message, lastTransitionTime };
  return former ? conditions.map((condition) => condition === former ? merged : condition) : [...conditions, merged];
}

/** RFC 3339 with whole seconds: the format of `metav1.Time`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
