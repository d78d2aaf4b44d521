import type { SystemClock } from "../base/clock.ts";

/**
 * SIGINT and SIGTERM as a signal. A second one ends the process at once with code 130: whoever presses Ctrl-C twice means it.
 */
export class Interrupts implements Disposable {
  readonly #abort = new AbortController();
  readonly #names: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  readonly #received = Promise.withResolvers<void>();
  readonly #listener = () => {
    if (this.#abort.signal.aborted) Deno.exit(130);
    this.#abort.abort(new InterruptedError());
    this.#received.resolve();
  };

  constructor() {
    for (const name of this.#names) Deno.addSignalListener(name, this.#listener);
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves with the first signal. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  /** Gives the signals back to the runtime. */
  [Symbol.dispose](): void {
    for (const name of this.#names) Deno.removeSignalListener(name, this.#listener);
  }
}

/** What a handler that ignored its signal left behind may live on for so long after everything else has ended. */
const LINGER_MS_MAX = 1_000;

/**
 * Sees to it that a process that was asked to end does: where a handler left a timer or a socket, it would live on until it
 * is killed. One that has nothing left ends by itself, earlier.
 */
export function endLingering(clock: SystemClock, code: number): void {
  clock.unref(clock.schedule(() => Deno.exit(code), LINGER_MS_MAX));
}

/** A person or the kubelet asked the process to end. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}
