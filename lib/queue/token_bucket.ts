import type { Clock } from "../base/clock.ts";

/** Lets `burst` through at once and then one per `refillMs`, by the clock. Not fair, not waiting: it only says no. */
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
    this.#atMs = clock.now();
  }

  /** Takes a token; false where none is left. */
  take(): boolean {
    const nowMs = this.#clock.now();
    // A machine's clock may be set back: that takes no tokens away.
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#tokens = Math.min(this.#burst, this.#tokens + passedMs / this.#refillMs);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
