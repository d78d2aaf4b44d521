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
  /** In order of due time, then of creation. */
  #timers: Timer[] = [];
  readonly #dueMs = new Map<number, number>();

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
    for (const { id, dueMs } of this.#timers) this.#dueMs.set(id, dueMs);
  }

  /** See {@linkcode Clock.schedule}. */
  schedule(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++, dueMs = this.#nowMs + Math.max(0, delayMs);
    this.#timers.splice(this.#position(dueMs, id), 0, { id, dueMs, callback });
    this.#dueMs.set(id, dueMs);
    return { id };
  }

  /** See {@linkcode Clock.clear}. */
  clear({ id }: TimerHandle): void {
    const dueMs = this.#dueMs.get(id);
    if (dueMs === undefined) return;
    this.#dueMs.delete(id);
    this.#timers.splice(this.#position(dueMs, id), 1);
  }

  /** The number of scheduled callbacks. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Milliseconds until the next callback, if any. */
  get nextInMs(): number | undefined {
    const [next] = this.#timers;
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
    for (let [next] = this.#timers; next && next.dueMs <= endMs; [next] = this.#timers) {
      this.fireNext();
      await this.#settle();
    }
    this.#nowMs = Math.max(this.#nowMs, endMs);
  }

  /** Advances the clock to the next callback and runs it. Returns false if there is none. */
  fireNext(): boolean {
    const next = this.#timers.shift();
    if (!next) return false;
    this.#dueMs.delete(next.id);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.callback();
    return true;
  }

  /** Where a timer is, or belongs, in the order. */
  #position(dueMs: number, id: number): number {
    let low = 0, high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1, timer = this.#timers[middle]!;
      if (timer.dueMs < dueMs || (timer.dueMs === dueMs && timer.id < id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Runs all that is ready in `rounds` macrotasks, without real time. */
export async function settle(rounds: number = 10): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
