import { type Clock, TimeLimit } from "../base/mod.ts";

/** Timing of Leases; the defaults are client-go's. */
export interface LeaseTiming {
  /** How long others wait for a holder that does not renew. 15 s. */
  readonly leaseDurationMs: number;
  /** How long a renewal counts; less than `leaseDurationMs`, so that the holder stops before another begins. 10 s. */
  readonly renewDeadlineMs: number;
  /** Pause between renewals or attempts. 2 s, plus up to a fifth at random. */
  readonly retryPeriodMs: number;
}

export const LEASE_TIMING: LeaseTiming = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 };

/** Random share added to a pause, so that candidates do not all send at once. */
export const LEASE_JITTER = 0.2;

/** For reading the members between renewals: a hanging server must not prevent a renewal. */
export const POLL_PAUSES_MAX = 2;

/** Why a timing is invalid, in client-go's names; undefined if it is valid. */
export function leaseTimingProblem(
  { leaseDurationMs, renewDeadlineMs, retryPeriodMs }: LeaseTiming,
): string | undefined {
  if (renewDeadlineMs >= leaseDurationMs) return "the renew deadline must be shorter than the lease duration";
  // The pause before the renewal, and the time in which members are read before it.
  const pauses = 1 + LEASE_JITTER + POLL_PAUSES_MAX;
  if (retryPeriodMs * pauses >= renewDeadlineMs) {
    return `the retry period must be shorter than the renew deadline divided by ${pauses}`;
  }
  return undefined;
}

/** @throws {TimeoutError} after `limitMs`, which ends the requests of `work`. */
export async function within<R>(
  clock: Clock,
  limitMs: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  using limit = new TimeLimit(clock, limitMs, "the API server did not respond within", [parent]);
  return await work(limit.signal);
}
