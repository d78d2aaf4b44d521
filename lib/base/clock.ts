/** A scheduled callback; cancel it with {@linkcode Clock.clear}. */
export interface TimerHandle {
  /** Unique within its clock. */
  readonly id: number;
}

/**
 * Time as an argument instead of `Date.now` or `setTimeout`, so that tests control it.
 *
 * Guarantees: `elapsed()` never runs backwards; callbacks never run inside `schedule`. Delays are milliseconds.
 * `elapsed()` measures durations (deadlines, backoffs); `now()` is for timestamps of people, records and leases.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch; the machine's clock may be set forward or back. */
  now(): number;
  /**
   * Milliseconds since a fixed point. It cannot be set, so differences have certainly passed; it may stop while the
   * machine sleeps.
   */
  elapsed(): number;
  /** Runs `callback` once, `delayMs` from now. Never synchronously. */
  schedule(callback: () => void, delayMs: number): TimerHandle;
  /** Unknown or finished handles are ignored. */
  clear(handle: TimerHandle): void;
}

/** JavaScript timers fire longer delays at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's clock. */
export class SystemClock implements Clock {
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  #nextId = 1;

  /** See {@linkcode Clock.now}. */
  now(): number {
    return Date.now();
  }

  /** See {@linkcode Clock.elapsed}. */
  elapsed(): number {
    return performance.now();
  }

  /** See {@linkcode Clock.schedule}. */
  schedule(callback: () => void, delayMs: number): TimerHandle {
    const id = this.#nextId++;
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      callback();
    }, Math.min(Math.max(0, delayMs), DELAY_MS_MAX));
    this.#timers.set(id, timer);
    return { id };
  }

  /** See {@linkcode Clock.clear}. */
  clear(handle: TimerHandle): void {
    clearTimeout(this.#timers.get(handle.id));
    this.#timers.delete(handle.id);
  }

  /** The callback no longer keeps the process alive. */
  unref(handle: TimerHandle): void {
    this.#timers.get(handle.id)?.unref();
  }
}

/**
 * Waits `delayMs` on `clock`.
 *
 * @throws the signal's reason, as soon as `signal` aborts; the timer is then gone.
 * @example
 * ```ts
 * import { sleep } from "@pintle/pintle";
 * import { SystemClock } from "@pintle/pintle/client";
 * await sleep(new SystemClock(), 1);
 * ```
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const abort = () => {
      clock.clear(handle);
      reject(signal!.reason);
    };
    const handle = clock.schedule(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, delayMs);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
