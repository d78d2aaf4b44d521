import type { Clock } from "../base/mod.ts";

/**
 * Lets `burst` through at once and then one per `refillMs`, by the time that passes. Not fair, not waiting: it only
 * says no.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #refillMs: number;
  #tokens: number;
  #atMs: number;

  constructor(clock: Clock, options: { burst: number; refillMs: number }) {
    this.#clock = clock;
    this.#burst = options.burst;
    this.#refillMs = options.refillMs;
    this.#tokens = options.burst;
    this.#atMs = clock.elapsed();
  }

  /** Takes a token; false where none is left. */
  take(): boolean {
    const elapsedMs = this.#clock.elapsed();
    const passedMs = elapsedMs - this.#atMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + passedMs / this.#refillMs);
    this.#atMs = elapsedMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
