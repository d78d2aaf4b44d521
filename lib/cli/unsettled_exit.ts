import { EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Deno ends with code 0 when the event loop is empty, even if a promise never settles. Until disposed, this makes such
 * an end code 1 with a message.
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

  [Symbol.dispose](): void {
    globalThis.removeEventListener("beforeunload", this.#onEnd);
  }
}
