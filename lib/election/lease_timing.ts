import { type Clock, formatDuration, LinkedAbort, TimeoutError } from "../base/mod.ts";

/** Timing of Leases; the defaults are client-go's. */
export interface LeaseTiming {
  /** How long other processes wait for a holder that does not renew. 15 s. */
  readonly leaseMs: number;
  /**
   * For how long after a renewal its holder relies on it; less than `leaseMs`, so that it stops before another begins.
   * 10 s.
   */
  readonly renewMsMax: number;
  /** Pause between two renewals, or between two attempts to take a Lease. 2 s, plus up to a fifth at random. */
  readonly retryMs: number;
}

/** The defaults. */
export const LEASE_TIMING: LeaseTiming = { leaseMs: 15_000, renewMsMax: 10_000, retryMs: 2_000 };

/** Share of a pause that is added at random, so that not all candidates send their requests at once. */
export const LEASE_JITTER = 0.2;

/**
 * Reading the other members may take so many pauses between two renewals: a server that hangs must not keep a holder
 * from renewing.
 */
export const POLL_PAUSES_MAX = 2;

/** Why a timing is invalid; undefined where it is valid. The names are those of client-go. */
export function leaseTimingProblem({ leaseMs, renewMsMax, retryMs }: LeaseTiming): string | undefined {
  if (renewMsMax >= leaseMs) return "the renew deadline must be shorter than the lease duration";
  // The pause before the renewal, and the time in which members are read before it.
  const pauses = 1 + LEASE_JITTER + POLL_PAUSES_MAX;
  if (retryMs * pauses >= renewMsMax) {
    return `the retry period must be shorter than the renew deadline divided by ${pauses}`;
  }
  return undefined;
}

/** Ends the requests of `work` after `limitMs`. @throws {TimeoutError} */
export async function within<R>(
  clock: Clock,
  limitMs: number,
  parent: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  using abort = new LinkedAbort([parent]);
  const late = () => abort.abort(new TimeoutError(`the API server did not answer within ${formatDuration(limitMs)}`));
  const timer = clock.schedule(late, limitMs);
  try {
    return await work(abort.signal);
  } finally {
    clock.clear(timer);
  }
}
