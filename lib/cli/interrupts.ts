import type { SystemClock } from "../base/mod.ts";

/** Options of {@linkcode Interrupts}. */
interface InterruptOptions {
  /**
   * Whether a terminal that is closed interrupts too. For commands that clean up; others end by it, or ignore it under
   * nohup.
   */
  readonly hangup?: boolean;
  /** Called before a second signal ends the process. */
  readonly onSecond?: () => void;
}

/**
 * SIGINT and SIGTERM as a signal. A second one ends the process at once with code 130: Exit hooks
 * (../harness/exit_hook.ts) run even then.
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
  // A shell and the kernel may both report a closed terminal: the second signal counts for nothing.
  readonly #hangup = () => this.#abort.signal.aborted || this.#listener();
  readonly #listensHangup: boolean;
  readonly #onSecond: (() => void) | undefined;

  constructor({ hangup = false, onSecond }: InterruptOptions = {}) {
    this.#onSecond = onSecond;
    this.#listensHangup = hangup && Deno.build.os !== "windows";
    for (const name of this.#names) Deno.addSignalListener(name, this.#listener);
    if (this.#listensHangup) Deno.addSignalListener("SIGHUP", this.#hangup);
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves with the first signal. */
  get received(): Promise<void> {
    return this.#received.promise;
  }

  /** Removes the listeners. */
  [Symbol.dispose](): void {
    for (const name of this.#names) Deno.removeSignalListener(name, this.#listener);
    if (this.#listensHangup) Deno.removeSignalListener("SIGHUP", this.#hangup);
  }
}

/** How long a timer or socket of a handler may keep the process alive after everything else has ended. */
const LINGER_MS_MAX = 1_000;

/**
 * Ends a process that timers or sockets of a handler would keep alive. One that has nothing left ends earlier by
 * itself.
 */
export function endLingering(clock: SystemClock, code: number): void {
  clock.unref(clock.schedule(() => Deno.exit(code), LINGER_MS_MAX));
}

/** How often an operator's process checks that the process that serves its cluster lives. */
const PARENT_CHECK_MS = 500;

/** Ends this process when its parent has ended in any way: the cluster ended with it. */
export function endWithParent(clock: SystemClock): void {
  const parent = Deno.ppid;
  const check = () => {
    if (Deno.ppid !== parent) Deno.exit(130);
    clock.unref(clock.schedule(check, PARENT_CHECK_MS));
  };
  check();
}

/** A person or the kubelet interrupted the process. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}
