import { type Clock, jitter, type Random, sleep } from "../base/mod.ts";
import { ServerError, TooManyRequestsError } from "./api_error.ts";
import { MalformedAnswerError, UnreachableError, type UnreachableKind } from "./unreachable.ts";

/** Bounds of the repetition of one request. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retriesMax: number;
  /** The first pause where the server named none; it doubles with every further one. */
  readonly backoffMsInitial: number;
  readonly backoffMsMax: number;
  /** A server that asks for a longer pause than this gets no other attempt: the caller's queue is the place to wait. */
  readonly retryAfterMsMax: number;
}

/** Four retries within about four seconds, or as the server asks. */
export const RETRY_POLICY: RetryPolicy = {
  retriesMax: 4,
  backoffMsInitial: 250,
  backoffMsMax: 5_000,
  retryAfterMsMax: 30_000,
};

/** Failures that a moment may heal. A timeout has waited long enough, and a certificate does not heal. */
const PASSING: ReadonlySet<UnreachableKind> = new Set<UnreachableKind>(["dns", "refused", "reset", "other"]);

/**
 * How long to wait before request number `retry` (1 is the first repetition) is sent again, or undefined where it must
 * not be. A request that is not `repeatable` (create, JSON patch) is repeated only where the server cannot have acted
 * on it: it refused for load (429), or never saw it.
 */
export function retryDelayMs(
  error: unknown,
  retry: number,
  repeatable: boolean,
  policy: RetryPolicy,
  random: Random,
): number | undefined {
  if (retry > policy.retriesMax) return undefined;
  const backoffMs = jitter(random, Math.min(policy.backoffMsInitial * 2 ** (retry - 1), policy.backoffMsMax), 0.25);
  if (error instanceof UnreachableError) {
    return PASSING.has(error.kind) && (repeatable || !error.maybeReceived) ? backoffMs : undefined;
  }
  const overloaded = error instanceof TooManyRequestsError;
  if (!overloaded && !(error instanceof ServerError && repeatable)) return undefined;
  const { retryAfterMs } = error;
  if (retryAfterMs === undefined) return overloaded || error.code === 503 ? backoffMs : undefined;
  if (retryAfterMs > policy.retryAfterMsMax) return undefined;
  // Never earlier than asked, and not everybody at the same moment.
  return retryAfterMs + random.next() * Math.min(backoffMs, 1_000);
}

/**
 * The same while a program starts: a server that starts too, and what is before it, may give any answer for a moment.
 * What a request has retried by itself is tried again.
 */
export function startDelayMs(
  error: unknown,
  retry: number,
  _repeatable: boolean,
  policy: RetryPolicy,
  random: Random,
): number | undefined {
  const mayPass = error instanceof ServerError || error instanceof MalformedAnswerError ||
    (error instanceof UnreachableError && error.kind === "reset");
  if (!mayPass || retry > policy.retriesMax) return undefined;
  return jitter(random, Math.min(policy.backoffMsInitial * 2 ** (retry - 1), policy.backoffMsMax), 0.25);
}

/**
 * Runs `attempt` until it succeeds or {@linkcode retryDelayMs} says stop; `attempt` gets the number of the repetition,
 * 0 first.
 *
 * @throws what the last attempt threw, or the signal's reason.
 */
export async function withRetries<T>(
  attempt: (retry: number) => Promise<T>,
  options: {
    repeatable: boolean;
    policy: RetryPolicy;
    clock: Clock;
    random: Random;
    signal?: AbortSignal;
    /** {@linkcode retryDelayMs} where absent. */
    delayMs?: typeof retryDelayMs;
  },
): Promise<T> {
  for (let retry = 0;; retry++) {
    try {
      return await attempt(retry);
    } catch (error) {
      options.signal?.throwIfAborted();
      const delayOf = options.delayMs ?? retryDelayMs;
      const delayMs = delayOf(error, retry + 1, options.repeatable, options.policy, options.random);
      if (delayMs === undefined) throw error;
      await sleep(options.clock, delayMs, options.signal);
    }
  }
}
