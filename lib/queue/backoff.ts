import { jitter, type Random } from "../base/mod.ts";

/** Bounds of exponential backoff, in milliseconds. */
export interface BackoffOptions {
  /** Delay after the first failure. */
  readonly initialMs: number;
  /** Longest delay. */
  readonly maxMs: number;
  /** Share of a delay that is added or subtracted at random; a tenth where absent. */
  readonly jitter?: number;
}

/** The delay after `failures` failures in a row: doubling from `initialMs` to `maxMs`, with jitter. */
export function backoffMs(options: BackoffOptions, failures: number, random: Random): number {
  const { initialMs, maxMs } = options;
  const exponent = Math.min(Math.max(0, failures - 1), 32); // 2³² initial delays exceed every maximum
  return Math.min(jitter(random, Math.min(initialMs * 2 ** exponent, maxMs), options.jitter), maxMs);
}
