import { type Clock, formatDuration, LinkedAbort, TimeoutError, type TimerHandle } from "../base/mod.ts";

/**
 * A signal that aborts by itself after a while. Teardown takes one of its own: the run's signal has aborted by then where the
 * run was interrupted, and without any, what hangs would hang for ever.
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
