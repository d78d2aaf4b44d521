import { type Clock, formatDuration, LinkedAbort, TimeoutError, type TimerHandle, untilAborted } from "../base/mod.ts";

/**
 * A signal that aborts by itself after a while. Teardown takes one of its own: the run's signal has aborted by then
 * where the run was interrupted, and without any, what hangs would hang for ever.
 */
export class TimeLimit implements Disposable {
  readonly #abort: LinkedAbort;
  readonly #clock: Clock;
  readonly #timer: TimerHandle;

  /** `what` stands in the error; `parents` abort it as well. */
  constructor(clock: Clock, limitMs: number, what: string, parents: readonly (AbortSignal | undefined)[] = []) {
    this.#abort = new LinkedAbort(parents);
    this.#clock = clock;
    const late = () => this.#abort.abort(new TimeoutError(`${what} took longer than ${formatDuration(limitMs)}`));
    this.#timer = clock.schedule(late, limitMs);
  }

  /** Aborts with a {@linkcode TimeoutError}, or with a parent's reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Lets the time run out unnoticed. */
  [Symbol.dispose](): void {
    this.#clock.clear(this.#timer);
    this.#abort[Symbol.dispose]();
  }
}

/**
 * What `act` gives, unless it takes longer than `limitMs` or the signal aborts: what it gives later is left behind.
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
