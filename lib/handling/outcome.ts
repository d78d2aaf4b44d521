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

/** Characters of an object's field list in a message. */
const KEYS_LENGTH_MAX = 200;

/** Asks for another run, without an error. */
export interface Requeue {
  /** Distinguishes it from other results. */
  readonly kind: "requeue";
  /** Milliseconds from the end of the pass; a change is still handled at once. */
  readonly afterMs: number;
}

/** What a reconcile handler returns: nothing, or when to reconcile again. */
export type ReconcileResult = Requeue | undefined | void;

/**
 * Reconciles again after `delay`, even without a change.
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

export interface HandlerFailure {
  readonly handler: string;
  /** CamelCase, for conditions and metrics. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** Whether it is not retried before the object changes. */
  readonly gaveUp: boolean;
}

export type Outcome =
  | { readonly kind: "done"; readonly requeueAfterMs?: number }
  /** Without `delayMs`, the queue's backoff decides. */
  | {
    readonly kind: "retry";
    readonly delayMs?: number;
    readonly reason: string;
    readonly message: string;
    error: unknown;
    /** Not tried now: an earlier failure waits for its time. */
    readonly waiting?: boolean;
  }
  | { readonly kind: "failed"; readonly reason: string; readonly message: string; readonly error: unknown };

/**
 * @throws {PermanentError} unless it returned nothing or a {@linkcode Requeue}: the request would silently be dropped.
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

/** Omits the value's contents, which may be secret. */
function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (!isObject(value)) return `a ${typeof value}`;
  return `an object (${truncate(Object.keys(value).join(", "), KEYS_LENGTH_MAX)})`;
}

/**
 * All but {@linkcode PermanentError} is retried: giving up on an unknown error at night is worse than retrying with
 * backoff.
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

/** A retry goes first, and the sooner time counts. */
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
