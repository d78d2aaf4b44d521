import { type Clock, type Random, sleep } from "../base/mod.ts";
import { backoffMs } from "../queue/mod.ts";
import { ServerError, TooManyRequestsError } from "./api_error.ts";
import { MalformedAnswerError, UnreachableError, type UnreachableKind } from "./unreachable.ts";

export interface RetryPolicy {
  readonly retriesMax: number;
  /** The first delay unless the server names one; it doubles with every retry. */
  readonly backoffMsInitial: number;
  readonly backoffMsMax: number;
  /** With a longer requested delay there is no retry: the caller's queue waits instead. */
  readonly retryAfterMsMax: number;
}

/** Four retries within about four seconds, or as the server requests. */
export const RETRY_POLICY: RetryPolicy = {
  retriesMax: 4,
  backoffMsInitial: 250,
  backoffMsMax: 5_000,
  retryAfterMsMax: 30_000,
};

/** A timeout has waited long enough, and a bad certificate stays bad. */
const TRANSIENT: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>(["dns", "refused", "reset", "other"]);

export interface FailedAttempt {
  readonly error: unknown;
  /** 1 is the first. */
  readonly retry: number;
  /** False for a create or a JSON patch. */
  readonly idempotent: boolean;
  readonly policy: RetryPolicy;
  readonly random: Random;
}

/**
 * The delay before a retry; undefined for no retry. A request that is not idempotent is retried only if the server
 * certainly did not carry it out: it answered 429, or never received it.
 */
export function retryDelayMs(failed: FailedAttempt): number | undefined {
  const { error, retry, idempotent, policy, random } = failed;
  if (retry > policy.retriesMax) return undefined;
  const delayMs = backoffOf(failed);
  if (error instanceof UnreachableError) {
    return TRANSIENT.has(error.kind) && (idempotent || !error.maybeReceived) ? delayMs : undefined;
  }
  const overloaded = error instanceof TooManyRequestsError;
  if (!overloaded && !(error instanceof ServerError && idempotent)) return undefined;
  const { retryAfterMs } = error;
  if (retryAfterMs === undefined) return overloaded || error.code === 503 ? delayMs : undefined;
  if (retryAfterMs > policy.retryAfterMsMax) return undefined;
  // Never earlier than requested, and not all clients at once.
  return retryAfterMs + random.next() * Math.min(delayMs, 1_000);
}

/**
 * For a program's start: a starting server, or a proxy before it, may give any answer for a short time. Retries again
 * what a request has retried itself.
 */
export function startDelayMs(failed: FailedAttempt): number | undefined {
  const { error, retry, policy } = failed;
  const isTransient = error instanceof ServerError || error instanceof MalformedAnswerError ||
    (error instanceof UnreachableError && error.kind === "reset");
  return isTransient && retry <= policy.retriesMax ? backoffOf(failed) : undefined;
}

function backoffOf({ retry, policy: { backoffMsInitial, backoffMsMax }, random }: FailedAttempt): number {
  return backoffMs({ initialMs: backoffMsInitial, maxMs: backoffMsMax, jitter: 0.25 }, retry, random);
}

/**
 * Runs `attempt` until it succeeds or {@linkcode retryDelayMs} returns undefined; `attempt` gets the retry's number,
 * from 0.
 *
 * @throws the last attempt's error, or the signal's reason.
 */
export async function withRetries<T>(
  attempt: (retry: number) => Promise<T>,
  options: Omit<FailedAttempt, "error" | "retry"> & {
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    readonly delayMs?: (failed: FailedAttempt) => number | undefined;
  },
): Promise<T> {
  const { idempotent, policy, random, clock, signal, delayMs: delayOf = retryDelayMs } = options;
  for (let retry = 0;; retry++) {
    try {
      return await attempt(retry);
    } catch (error) {
      signal?.throwIfAborted();
      const delayMs = delayOf({ error, retry: retry + 1, idempotent, policy, random });
      if (delayMs === undefined) throw error;
      await sleep(clock, delayMs, signal);
    }
  }
}
