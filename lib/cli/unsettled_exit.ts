import { EXIT } from "./exit.ts";
import type { Terminal } from "./terminal.ts";

/**
 * A process ends when its event loop has nothing left to do, and with code 0, even where a command still waits for a
 * promise that nothing will settle. Until it is disposed of, such an end has code 1 and a message.
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
