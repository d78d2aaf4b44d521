import type { Clock } from "../base/mod.ts";

/** A moment by both of a clock's measures. */
export interface Instant {
  readonly nowMs: number;
  readonly elapsedMs: number;
}

/** This very moment. */
export function instantOf(clock: Clock): Instant {
  return { nowMs: clock.now(), elapsedMs: clock.elapsed() };
}

/**
 * How long a process may rely on what it was told: until the first of its clock's two measures says that time is over.
 * The time of day goes on while the machine sleeps, the elapsed time also where somebody sets the time of day back.
 */
export class LeaseValidity {
  readonly #clock: Clock;
  #since: Instant | undefined;
  #forMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether it may be relied on now. */
  get holds(): boolean {
    return this.leftMs > 0;
  }

  /** For how long it may still be relied on; 0 or less where it may not. */
  get leftMs(): number {
    if (!this.#since) return 0;
    const { nowMs, elapsedMs } = instantOf(this.#clock);
    return this.#forMs - Math.max(nowMs - this.#since.nowMs, elapsedMs - this.#since.elapsedMs);
  }

  /** It holds for `forMs` from a moment on. */
  renew(since: Instant, forMs: number): void {
    this.#since = since;
    this.#forMs = forMs;
  }

  /** It holds no longer. */
  end(): void {
    this.#since = undefined;
  }
}
