import { EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Deno ends a process with code 0 when its event loop is empty, even where a command awaits a promise that never
 * settles. Until this is disposed, such an end has code 1 and a message.
 */
export class UnsettledExit implements Disposable {
  readonly #onEnd: () => void;

  constructor(program: () => string, terminal: Pick<Terminal, "err">) {
    this.#onEnd = () => {
      Deno.exitCode = EXIT.failed;
      terminal.err(
        `${program()}: the process ended before the command had a result: a promise that it awaits never settles`,
      );
    };
    globalThis.addEventListener("beforeunload", this.#onEnd);
  }

  /** The command has its result. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("beforeunload", this.#onEnd);
  }
}
