import { truncate } from "../base/mod.ts";
/** `metav1.Condition`: one aspect of an object's state. */
export interface Condition {
  /** CamelCase, as `Ready`; one condition per type. */
  type: string;
  /** `Unknown` where it cannot be decided yet. */
  status: "True" | "False" | "Unknown";
  /** For programs, in CamelCase. */
  reason: string;
  /** For people; at most {@linkcode CONDITION_MESSAGE_LENGTH_MAX} characters. */
  message: string;
  /** RFC 3339: since when the status has held. */
  lastTransitionTime: string;
  /** The evaluated `metadata.generation`; a condition older than the object's is stale. */
  observedGeneration?: number;
}

/** As the API convention allows. */
const CONDITION_MESSAGE_LENGTH_MAX = 32_768;

/**
 * Replaces the condition of `next`'s type in a copy. `lastTransitionTime` changes only with `status` (Kubernetes API
 * conventions, "Typical status properties").
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

/** RFC 3339 with whole seconds, as `metav1.Time`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
