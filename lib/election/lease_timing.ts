import { type Clock, LinkedAbort, TimeoutError } from "../base/mod.ts";

/** Timing of leases that are renewed; the defaults are client-go's. */
export interface LeaseTiming {
  /** How long the others wait for a holder that says nothing. 15 s. */
  readonly leaseMs: number;
  /**
   * For how long after a renewal its holder relies on it; less than `leaseMs`, so that it stops before another begins.
   * 10 s.
   */
  readonly renewMsMax: number;
  /** Pause between two renewals. 2 s, plus up to a fifth at random. */
  readonly retryMs: number;
}

/** What holds unless somebody says otherwise. */
export const LEASE_TIMING: LeaseTiming = { leaseMs: 15_000, renewMsMax: 10_000, retryMs: 2_000 };

/** Share of a pause that is added at random, so that candidates do not all ask at once. */
export const LEASE_JITTER = 0.2;

/**
 * A look at the others may take so many pauses between two renewals: a server that hangs must not keep a holder from
 * renewing.
 */
export const LOOKS_MAX = 2;

/** What is wrong with a timing; undefined where it holds. The names are those of client-go. */
export function leaseTimingProblem({ leaseMs, renewMsMax, retryMs }: LeaseTiming): string | undefined {
  if (renewMsMax >= leaseMs) return "the renew deadline must be shorter than the lease duration";
  // The pause before the renewal, and the looks at the others that may come before it.
  if (retryMs * (1 + LEASE_JITTER + LOOKS_MAX) >= renewMsMax) {
    return `the retry period must be shorter than the renew deadline divided by ${1 + LEASE_JITTER + LOOKS_MAX}`;
  }
  return undefined;
}

/** Ends requests that take too long, each with the signal that `work` is given. @throws {TimeoutError} */
export async function within<R>(
  clock: Clock,
  limitMs: number,
  parent: AbortSignal,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  using abort = new LinkedAbort([parent]);
  const timer = clock.schedule(() => abort.abort(new TimeoutError("the API server did not answer in time")), limitMs);
  try {
    return await work(abort.signal);
  } finally {
    clock.clear(timer);
  }
}
