import { jitter, type Random } from "../base/mod.ts";

/** Bounds of exponential backoff, in milliseconds. */
export interface BackoffOptions {
  /** Delay after the first failure. */
  readonly initialMs: number;
  /** Longest delay. */
  readonly maxMs: number;
}

/** The delay after `failures` failures in a row: doubling from `initialMs` to `maxMs`, scattered by a tenth. */
export function backoffMs(options: BackoffOptions, failures: number, random: Random): number {
  const exponent = Math.min(Math.max(0, failures - 1), 32); // 2³² initial delays outlast every maximum
  return Math.min(jitter(random, options.initialMs * 2 ** exponent), options.maxMs);
}
