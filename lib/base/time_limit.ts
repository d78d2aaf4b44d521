import type { Clock, TimerHandle } from "./clock.ts";
import { formatDuration } from "./duration.ts";
import { TimeoutError } from "./errors.ts";
import { LinkedAbort } from "./signal.ts";

/** A signal that aborts after `limitMs`, or with any of its parents. Disposing it cancels the timer. */
export class TimeLimit implements Disposable {
  readonly #abort: LinkedAbort;
  readonly #clock: Clock;
  readonly #timer: TimerHandle;

  /** `problem` begins the error's message, as `the download took longer than`; the limit follows. */
  constructor(clock: Clock, limitMs: number, problem: string, parents: readonly (AbortSignal | undefined)[] = []) {
    this.#abort = new LinkedAbort(parents);
    this.#clock = clock;
    const late = () => this.#abort.abort(new TimeoutError(`${problem} ${formatDuration(limitMs)}`));
    this.#timer = clock.schedule(late, limitMs);
  }

  /** Aborts with a {@linkcode TimeoutError}, or a parent's reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    this.#clock.clear(this.#timer);
    this.#abort[Symbol.dispose]();
  }
}
