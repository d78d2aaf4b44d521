import { setImmediate } from "node:timers";
import type { Clock, TimerHandle } from "./clock.ts";

interface Timer {
  readonly id: number;
  readonly dueMs: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test advances it.
 *
 * Guarantees: `now()` goes back only by {@linkcode set}. Timers fire in order of due time, then of creation. Between
 * two timers microtasks and pending macrotasks get a turn, so code runs as in real time.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "@pintle/pintle/testing";
 * const clock = new VirtualClock();
 * let rang = false;
 * clock.schedule(() => rang = true, 60_000);
 * await clock.advance(60_000);
 * if (!rang) throw new Error("the alarm did not ring");
 * ```
 */
export class VirtualClock implements Clock {
  readonly #settle: () => Promise<void>;
  #nowMs: number;
  #setByMs = 0;
  #nextId = 1;
  #timers: Timer[] = [];

  /**
   * `startMs` is in milliseconds since the Unix epoch. `settled` resolves when a timer's code has run; {@linkcode
   * settle} where absent. Programs that wait for others, as for a server behind a socket, need their own.
   */
  constructor(startMs: number = Date.UTC(2026, 0, 1), settled: () => Promise<void> = () => settle()) {
    this.#nowMs = startMs;
    this.#settle = settled;
  }

  /** See {@linkcode Clock.now}. */
  now(): number {
    return this.#nowMs;
  }

  /** {@linkcode set} does not move it. */
  elapsed(): number {
    return this.#nowMs - this.#setByMs;
  }

  /** Sets the time by `deltaMs`, as an administrator or NTP does. No timer fires, no time elapses. */
  set(deltaMs: number): void {
    this.#setByMs += deltaMs;
    this.#nowMs += deltaMs;
    this.#timers = this.#timers.map((timer) => ({ ...timer, dueMs: timer.dueMs + deltaMs }));
  }

  /** See {@linkcode Clock.schedule}. */
  schedule(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    this.#timers.push({ id, dueMs: this.#nowMs + Math.max(0, delayMs), callback });
    return { id };
  }

  /** See {@linkcode Clock.clear}. */
  clear(handle: TimerHandle): void {
    this.#timers = this.#timers.filter((timer) => timer.id !== handle.id);
  }

  /** The number of scheduled callbacks. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next callback, if any. */
  get nextInMs(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.dueMs - this.#nowMs);
  }

  /**
   * Advances the clock by `deltaMs`, fires due timers, and runs what they started.
   *
   * @throws {RangeError} for a negative `deltaMs`.
   */
  async advance(deltaMs: number): Promise<void> {
    if (!(deltaMs >= 0)) throw new RangeError(`a clock cannot advance by ${deltaMs} ms`);
    const endMs = this.#nowMs + deltaMs;
    await this.#settle();
    for (let next = this.#next(); next && next.dueMs <= endMs; next = this.#next()) {
      this.clear(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.callback();
      await this.#settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.id < first.id)) first = timer;
    }
    return first;
  }
}

/** Runs all that is ready in `rounds` macrotasks, without real time. */
export async function settle(rounds: number = 10): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
