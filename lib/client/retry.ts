import { type Clock, type Random, sleep } from "../base/mod.ts";
import { backoffMs } from "../queue/mod.ts";
import { ServerError, TooManyRequestsError } from "./api_error.ts";
import { MalformedAnswerError, UnreachableError, type UnreachableKind } from "./unreachable.ts";

/** Bounds of the retries of one request. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retriesMax: number;
  /** The first delay where the server named none; it doubles with every retry. */
  readonly backoffMsInitial: number;
  readonly backoffMsMax: number;
  /** A request whose server requests a longer delay than this is not retried: the caller's queue waits instead. */
  readonly retryAfterMsMax: number;
}

/** Four retries within about four seconds, or as the server requests. */
export const RETRY_POLICY: RetryPolicy = {
  retriesMax: 4,
  backoffMsInitial: 250,
  backoffMsMax: 5_000,
  retryAfterMsMax: 30_000,
};

/** Transient failures. A timeout has waited long enough, and a bad certificate stays bad. */
const TRANSIENT: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>(["dns", "refused", "reset", "other"]);

/** A failed attempt. */
export interface FailedAttempt {
  readonly error: unknown;
  /** Number of the retry that would follow; 1 is the first. */
  readonly retry: number;
  /** Whether the request may be carried out twice: not a create, nor a JSON patch. */
  readonly repeatable: boolean;
  readonly policy: RetryPolicy;
  readonly random: Random;
}

/**
 * The delay before a request is retried; undefined where it must not be. A request that is not repeatable is retried
 * only where the server cannot have carried it out: it refused for load (429), or never received it.
 */
export function retryDelayMs(failed: FailedAttempt): number | undefined {
  const { error, retry, repeatable, policy, random } = failed;
  if (retry > policy.retriesMax) return undefined;
  const delayMs = backoffOf(failed);
  if (error instanceof UnreachableError) {
    return TRANSIENT.has(error.kind) && (repeatable || !error.maybeReceived) ? delayMs : undefined;
  }
  const overloaded = error instanceof TooManyRequestsError;
  if (!overloaded && !(error instanceof ServerError && repeatable)) return undefined;
  const { retryAfterMs } = error;
  if (retryAfterMs === undefined) return overloaded || error.code === 503 ? delayMs : undefined;
  if (retryAfterMs > policy.retryAfterMsMax) return undefined;
  // Never earlier than requested, and not all clients at once.
  return retryAfterMs + random.next() * Math.min(delayMs, 1_000);
}

/**
 * The same while a program starts: a server that is starting too, or a proxy before it, may give any answer for a short
 * time. Errors that a request has retried by itself are retried again.
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
 * Runs `attempt` until it succeeds or {@linkcode retryDelayMs} returns undefined; `attempt` gets the number of the
 * retry, 0 first.
 *
 * @throws what the last attempt threw, or the signal's reason.
 */
export async function withRetries<T>(
  attempt: (retry: number) => Promise<T>,
  options: Omit<FailedAttempt, "error" | "retry"> & {
    readonly clock: Clock;
    readonly signal?: AbortSignal | undefined;
    /** {@linkcode retryDelayMs} where absent. */
    readonly delayMs?: (failed: FailedAttempt) => number | undefined;
  },
): Promise<T> {
  const { repeatable, policy, random, clock, signal, delayMs: delayOf = retryDelayMs } = options;
  for (let retry = 0;; retry++) {
    try {
      return await attempt(retry);
    } catch (error) {
      signal?.throwIfAborted();
      const delayMs = delayOf({ error, retry: retry + 1, repeatable, policy, random });
      if (delayMs === undefined) throw error;
      await sleep(clock, delayMs, signal);
    }
  }
}
