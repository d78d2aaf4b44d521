import type { SystemClock } from "../base/mod.ts";

interface InterruptOptions {
  /**
   * Whether closing the terminal interrupts too, as commands that clean up need. Others end, or ignore it under nohup.
   */
  readonly hangup?: boolean;
  /** Called before a second signal ends the process. */
  readonly onSecond?: () => void;
}

/**
 * SIGINT and SIGTERM as a signal. A second one exits with code 130 at once; exit hooks still run
 * (../harness/exit_hook.ts).
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
  // A shell and the kernel may both report a closed terminal, so a second report is ignored.
  readonly #hangup = () => this.#abort.signal.aborted || this.#listener();
  readonly #listensHangup: boolean;
  readonly #onSecond: (() => void) | undefined;

  constructor({ hangup = false, onSecond }: InterruptOptions = {}) {
    this.#onSecond = onSecond;
    this.#listensHangup = hangup && Deno.build.os !== "windows";
    for (const name of this.#names) Deno.addSignalListener(name, this.#listener);
    if (this.#listensHangup) Deno.addSignalListener("SIGHUP", this.#hangup);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get received(): Promise<void> {
    return this.#received.promise;
  }

  [Symbol.dispose](): void {
    for (const name of this.#names) Deno.removeSignalListener(name, this.#listener);
    if (this.#listensHangup) Deno.removeSignalListener("SIGHUP", this.#hangup);
  }
}

/** Bound of a handler's timers or sockets after everything else ended. */
const LINGER_MS_MAX = 1_000;

/** Ends a process that a handler's timers or sockets would keep alive. */
export function endLingering(clock: SystemClock, code: number): void {
  clock.unref(clock.schedule(() => Deno.exit(code), LINGER_MS_MAX));
}

const PARENT_CHECK_MS = 500;

/** Ends this process after its parent, whose cluster ended with it. */
export function endWithParent(clock: SystemClock): void {
  const parent = Deno.ppid;
  const check = () => {
    if (Deno.ppid !== parent) Deno.exit(130);
    clock.unref(clock.schedule(check, PARENT_CHECK_MS));
  };
  check();
}

export class InterruptedError extends Error {
  override readonly name = "InterruptedError";

  constructor() {
    super("interrupted");
  }
}
