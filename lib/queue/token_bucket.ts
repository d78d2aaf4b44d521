import type { Clock } from "../base/mod.ts";

/** Admits `burst` at once, then one per `refillMs` of elapsed time. Neither waits nor keeps an order. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #refillMs: number;
  #tokens: number;
  #lastRefillMs: number;

  constructor(clock: Clock, options: { burst: number; refillMs: number }) {
    this.#clock = clock;
    this.#burst = options.burst;
    this.#refillMs = options.refillMs;
    this.#tokens = options.burst;
    this.#lastRefillMs = clock.elapsed();
  }

  /** False if none is left. */
  take(): boolean {
    const elapsedMs = this.#clock.elapsed();
    const passedMs = elapsedMs - this.#lastRefillMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + passedMs / this.#refillMs);
    this.#lastRefillMs = elapsedMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
