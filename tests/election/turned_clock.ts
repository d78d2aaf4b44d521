import type { Clock, TimerHandle } from "../../lib/base/mod.ts";

/** A clock that runs as fast as another one and whose time of day somebody sets: NTP, or a machine that wakes. */
export class TurnedClock implements Clock {
  #byMs = 0;

  constructor(readonly inner: Clock) {}

  /** Sets it forward, or back. */
  turn(byMs: number): void {
    this.#byMs += byMs;
  }

  now(): number {
    return this.inner.now() + this.#byMs;
  }

  elapsed(): number {
    return this.inner.elapsed();
  }

  schedule(callback: () => void, delayMs: number): TimerHandle {
    return this.inner.schedule(callback, delayMs);
  }

  clear(handle: TimerHandle): void {
    this.inner.clear(handle);
  }
}
