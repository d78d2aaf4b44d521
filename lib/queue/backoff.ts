import { jitter, type Random } from "../base/mod.ts";

/** Bounds of exponential backoff. */
export interface BackoffOptions {
  /** After the first failure. */
  readonly initialMs: number;
  readonly maxMs: number;
  /** Random share of a delay, added or subtracted; a tenth by default. */
  readonly jitter?: number;
}

/** Doubles from `initialMs` to `maxMs` with each consecutive failure, with jitter. */
export function backoffMs(options: BackoffOptions, failures: number, random: Random): number {
  const { initialMs, maxMs } = options;
  const exponent = Math.min(Math.max(0, failures - 1), 32); // 2³² initial delays exceed every maximum
  return Math.min(jitter(random, Math.min(initialMs * 2 ** exponent, maxMs), options.jitter), maxMs);
}
