import { killSession } from "./command.ts";
import { ExitHook } from "./exit_hook.ts";

const TAIL_LENGTH_MAX = 4_000;
const TAIL_LINES_SHOWN = 12;

/**
 * A child process in its own session, so that Ctrl-C does not end it before clean-up. It ends with this process at the
 * latest. All output is read, and the last part kept.
 */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;
  readonly #exitHook: ExitHook;
  #tail = "";
  #exit: Deno.CommandStatus | undefined;
  #isDrained = false;

  /** @throws {Deno.errors.NotFound} if there is no such program. */
  constructor(
    readonly name: string,
    path: string,
    args: readonly string[],
    options: { cwd?: string; env?: Record<string, string> } = {},
  ) {
    const command = new Deno.Command(path, {
      ...options,
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true,
    });
    this.#child = command.spawn();
    this.#exitHook = new ExitHook(() => killSession(this.#child));
    this.#drained = this.#drain(this.#child.stderr);
    this.#child.status.then((status) => this.#exit = status);
  }

  /**
   * How it ended, with its last lines; undefined while it runs or its output is open, because lines may follow the exit
   * code.
   */
  get failure(): string | undefined {
    if (!this.#exit || !this.#isDrained) return undefined;
    const how = this.#exit.signal ? `was ended by ${this.#exit.signal}` : `exited with ${this.#exit.code}`;
    const lines = this.#tail.trim().split("\n").slice(-TAIL_LINES_SHOWN).join("\n  ");
    return `${this.name} ${how}; its last output:\n  ${lines}`;
  }

  /** Kills it (a graceful stop would save nothing) and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Even if it has ended, its children may hold its output open.
    if (!this.#exit || !this.#isDrained) killSession(this.#child);
    await this.#child.status;
    await this.#drained;
    this.#exitHook[Symbol.dispose]();
  }

  async #drain(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of output) {
      this.#tail = (this.#tail + decoder.decode(chunk, { stream: true })).slice(-TAIL_LENGTH_MAX);
    }
    this.#isDrained = true;
  }
}
