import type { Clock, TimerHandle } from "../../lib/base/mod.ts";

/** A clock that runs as fast as another one and whose time of day is set: by NTP, or on resume. */
export class SkewedClock implements Clock {
  #byMs = 0;

  constructor(readonly inner: Clock) {}

  /** Sets the time of day forward, or back. */
  shift(byMs: number): void {
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
