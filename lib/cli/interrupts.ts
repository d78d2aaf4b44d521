import type { SystemClock } from "../base/mod.ts";

/** What else than SIGINT and SIGTERM counts. */
interface InterruptOptions {
  /**
   * Whether a terminal that is closed interrupts too. For commands that have to clear up; others die of it, or go on
   * where somebody had it ignored (nohup).
   */
  readonly hangup?: boolean;
  /** Called before a second signal ends the process. */
  readonly onSecond?: () => void;
}

/**
 * SIGINT and SIGTERM as a signal. A second one ends the process at once with code 130: whoever presses Ctrl-C twice
 * means it. Exit duties (../harness/exit_hook.ts) are done even then.
 */
export class Interrupts implements Disposable {
  readonly #abort = new AbortController();
  readonly #names: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  readonly #received = Promise.withResolvers<void>();
  readonly #listener = () => {
    if (this.#abort.signal.aborted) {
      this.#onSecond?.();
      Deno.exit(130);
    }
    this.#abort.abort(new InterruptedError());
    this.#received.resolve();
  };
  // A shell and the kernel may both tell that a terminal is gone: the second time means nothing.
  readonly #hangup = () => this.#abort.signal.aborted || this.#listener();
  readonly #hearsHangup: boolean;
  readonly #onSecond: (() => void) | undefined;

  constructor({ hangup = false, onSecond }: InterruptOptions = {}) {
    this.#onSecond = onSecond;
    this.#hearsHangup = hangup && Deno.build.os !== "windows";
    for (const name of this.#names) Deno.addSignalListener(name, this.#listener);
    if (this.#hearsHangup) Deno.addSignalListener("SIGHUP", this.#hangup);
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
    if (this.#hearsHangup) Deno.removeSignalListener("SIGHUP", this.#hangup);
  }
}

/** What a handler that ignored its signal left behind may live on for so long after everything else has ended. */
const LINGER_MS_MAX = 1_000;

/**
 * Sees to it that a process that was asked to end does: where a handler left a timer or a socket, it would live on
 * until it is killed. One that has nothing left ends by itself, earlier.
 */
export function endLingering(clock: SystemClock, code: number): void {
  clock.unref(clock.schedule(() => Deno.exit(code), LINGER_MS_MAX));
}

/** How often an operator's process looks whether the process that serves its cluster lives. */
const PARENT_CHECK_MS = 500;

/** Ends this process after the one that started it, however that one ended: its cluster has gone too. */
export function endWithParent(clock: SystemClock): void {
  const parent = Deno.ppid;
  const check = () => {
    if (Deno.ppid !== parent) Deno.exit(130);
    clock.unref(clock.schedule(check, PARENT_CHECK_MS));
  };
  check();
}

/** A person or the kubelet asked the process to end. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}
