import {
  describeError,
  type Duration,
  durationMs,
  isObject,
  PermanentError,
  TemporaryError,
  TimeoutError,
  truncate,
} from "../base/mod.ts";

/** Longest list of an object's fields in a message, in characters. */
const KEYS_LENGTH_MAX = 200;

/** A handler's wish to run again, without an error. */
export interface Requeue {
  /** Tells a wish from whatever else a handler might return. */
  readonly kind: "requeue";
  /** Milliseconds from the end of the pass; a change in between is answered at once all the same. */
  readonly afterMs: number;
}

/** What a reconcile handler returns: nothing, or when to reconcile again. */
export type ReconcileResult = Requeue | undefined | void;

/**
 * Reconcile again after `delay`, whether or not anything changes.
 *
 * @throws {RangeError} for an unreadable delay.
 * @example
 * ```ts
 * import { requeueAfter } from "@pintle/pintle";
 * if (requeueAfter("10m").afterMs !== 600_000) throw new Error("ten minutes");
 * ```
 */
export function requeueAfter(delay: Duration): Requeue {
  return { kind: "requeue", afterMs: durationMs(delay) };
}

/** What is wrong with one handler, until it has succeeded. */
export interface HandlerFailure {
  /** Its id. */
  readonly handler: string;
  /** CamelCase, for conditions and metrics. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** Whether it is not tried again before the object changes. */
  readonly gaveUp: boolean;
}

/** How a handler ended. */
export type Outcome =
  | { readonly kind: "done"; readonly requeueAfterMs?: number }
  /** `delayMs` absent: the queue's backoff decides. */
  | {
    readonly kind: "retry";
    readonly delayMs?: number;
    readonly reason: string;
    readonly message: string;
    error: unknown;
    /** Nothing was tried now: an earlier failure still waits for its time. */
    readonly waiting?: boolean;
  }
  | { readonly kind: "failed"; readonly reason: string; readonly message: string; readonly error: unknown };

/**
 * The outcome of the handler `id` that returned.
 *
 * @throws {PermanentError} for what is neither nothing nor a {@linkcode Requeue}: what it asks for would not happen,
 *   and silently.
 */
export function outcomeOf(result: ReconcileResult, id: string): Outcome {
  if (result === undefined || result === null) return { kind: "done" };
  if (isRequeue(result)) return { kind: "done", requeueAfterMs: result.afterMs };
  throw new PermanentError(`handler "${id}" returned ${shapeOf(result)}: return nothing, or requeueAfter("10m")`, {
    reason: "InvalidResult",
  });
}

function isRequeue(result: unknown): result is Requeue {
  return isObject(result) && result.kind === "requeue" && typeof result.afterMs === "number" && result.afterMs >= 0;
}

/** What a value is, without what is in it: that may be secret. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (!isObject(value)) return `a ${typeof value}`;
  return `an object (${truncate(Object.keys(value).join(", "), KEYS_LENGTH_MAX)})`;
}

/**
 * The outcome of a handler that threw. Everything but {@linkcode PermanentError} is retried: an operator that gives up
 * on an unknown error at night is worse than one that tries again more and more slowly.
 */
export function outcomeOfError(error: unknown): Exclude<Outcome, { kind: "done" }> {
  const message = describeError(error);
  if (error instanceof PermanentError) return { kind: "failed", reason: error.reason, message, error };
  if (error instanceof TemporaryError) {
    return { kind: "retry", delayMs: error.delayMs, reason: error.reason, message, error };
  }
  if (error instanceof TimeoutError) return { kind: "retry", reason: "Timeout", message, error };
  return { kind: "retry", reason: errorReason(error), message, error };
}

/** A CamelCase reason from an error's class, as the API conventions require. */
function errorReason(error: unknown): string {
  if (!(error instanceof Error) || error.name === "Error") return "Error";
  return /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(error.name) ? error.name : "Error";
}

/**
 * The outcome of a pass in which two handlers ended so: what is to be tried again goes first, and the sooner time
 * counts.
 */
export function mergeOutcomes(one: Outcome, other: Outcome): Outcome {
  const rank = { done: 0, failed: 1, retry: 2 },
    [worst, rest] = rank[one.kind] >= rank[other.kind] ? [one, other] : [other, one];
  const requested = rest.kind === "retry" ? rest.delayMs : rest.kind === "done" ? rest.requeueAfterMs : undefined;
  if (requested === undefined) return worst;
  if (worst.kind === "done") {
    return { kind: "done", requeueAfterMs: Math.min(requested, worst.requeueAfterMs ?? requested) };
  }
  return worst.kind === "retry" && worst.delayMs !== undefined
    ? { ...worst, delayMs: Math.min(requested, worst.delayMs) }
    : worst;
}
