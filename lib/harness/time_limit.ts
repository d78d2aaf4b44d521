import { type Clock, formatDuration, LinkedAbort, TimeoutError, type TimerHandle, untilAborted } from "../base/mod.ts";

/**
 * A signal that aborts after a while. Teardown needs its own: an interrupted run's signal has aborted, and without one
 * a hang never ends.
 */
export class TimeLimit implements Disposable {
  readonly #abort: LinkedAbort;
  readonly #clock: Clock;
  readonly #timer: TimerHandle;

  /** `what` is in the error; `parents` abort it too. */
  constructor(clock: Clock, limitMs: number, what: string, parents: readonly (AbortSignal | undefined)[] = []) {
    this.#abort = new LinkedAbort(parents);
    this.#clock = clock;
    const late = () => this.#abort.abort(new TimeoutError(`${what} took longer than ${formatDuration(limitMs)}`));
    this.#timer = clock.schedule(late, limitMs);
  }

  /** Aborts with a {@linkcode TimeoutError}, or a parent's reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Cancels the timer. */
  [Symbol.dispose](): void {
    this.#clock.clear(this.#timer);
    this.#abort[Symbol.dispose]();
  }
}

/**
 * Awaits `act` until `limitMs` or the signal; ignores a later result.
 *
 * @throws {TimeoutError} that `what` took longer; the signal's reason; what `act` throws.
 */
export async function limited<R>(
  act: () => Promise<R>,
  { clock, limitMs, what, signal }: {
    readonly clock: Clock;
    readonly limitMs: number;
    readonly what: string;
    readonly signal?: AbortSignal;
  },
): Promise<R> {
  using limit = new TimeLimit(clock, limitMs, what, [signal]); // before `act` begins: its first turn counts
  return await untilAborted(act(), limit.signal);
}
