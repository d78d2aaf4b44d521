import { truncate } from "../base/mod.ts";
/** `metav1.Condition`: the standard way to say what is true of an object. */
export interface Condition {
  /** What is said, as `Ready`; CamelCase, and one condition of each type on an object. */
  type: string;
  /** Whether it is true; `Unknown` where nobody could tell yet. */
  status: "True" | "False" | "Unknown";
  /** CamelCase word for programs: why the status is as it is. */
  reason: string;
  /** The same for people; at most {@linkcode CONDITION_MESSAGE_LENGTH_MAX} characters. */
  message: string;
  /** RFC 3339: since when the status has held. */
  lastTransitionTime: string;
  /** `metadata.generation` that was looked at; an older one than the object's makes the condition stale. */
  observedGeneration?: number;
}

/** Longest message that the API convention allows. */
const CONDITION_MESSAGE_LENGTH_MAX = 32_768;

/**
 * `conditions` with `next` in the place of the one of its type. `lastTransitionTime` moves only when `status` changes
 * (Kubernetes API conventions, "Typical status properties"); the input is not edited.
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

/** RFC 3339 with whole seconds, as `metav1.Time` is written. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
