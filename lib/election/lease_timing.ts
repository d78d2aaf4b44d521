/** Timing of leases that are renewed; the defaults are client-go's. */
export interface LeaseTiming {
  /** How long the others wait for a holder that says nothing. 15 s. */
  readonly leaseMs: number;
  /** For how long after a renewal its holder relies on it; less than `leaseMs`, so that it stops before another begins. 10 s. */
  readonly renewMsMax: number;
  /** Pause between two renewals. 2 s, plus up to a fifth at random. */
  readonly retryMs: number;
}

/** What holds unless somebody says otherwise. */
export const LEASE_TIMING: LeaseTiming = { leaseMs: 15_000, renewMsMax: 10_000, retryMs: 2_000 };

/** Share of a pause that is added at random, so that candidates do not all ask at once. */
export const LEASE_JITTER = 0.2;
