import { killSession } from "./command.ts";
import { ExitHook } from "./exit_hook.ts";

/** Characters of a program's output that are kept for the message of a failure. */
const TAIL_LENGTH_MAX = 4_000;
const TAIL_LINES_SHOWN = 12;

/**
 * A program that runs beside this one, in a session of its own: Ctrl-C at the terminal does not reach it, since
 * clearing up needs it. It ends with this process at the latest. Its output is read to the end, and the last of it
 * kept.
 */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;
  readonly #duty: ExitHook;
  #tail = "";
  #exit: Deno.CommandStatus | undefined;
  #isDrained = false;

  /** @throws {Deno.errors.NotFound} where there is no such program. */
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
    this.#duty = new ExitHook(() => killSession(this.#child));
    this.#drained = this.#drain(this.#child.stderr);
    this.#child.status.then((status) => this.#exit = status);
  }

  /**
   * How it ended, in words, with its last lines; undefined while it runs, and while its output is open: its last lines
   * may arrive after its exit code.
   */
  get failure(): string | undefined {
    if (!this.#exit || !this.#isDrained) return undefined;
    const how = this.#exit.signal ? `was ended by ${this.#exit.signal}` : `exited with ${this.#exit.code}`;
    const lines = this.#tail.trim().split("\n").slice(-TAIL_LINES_SHOWN).join("\n  ");
    return `${this.name} ${how}; it said last:\n  ${lines}`;
  }

  /** Ends it at once (SIGKILL: nothing it holds is worth a graceful stop) and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Where it has ended by itself, what it started may hold its output still.
    if (!this.#exit || !this.#isDrained) killSession(this.#child);
    await this.#child.status;
    await this.#drained;
    this.#duty[Symbol.dispose]();
  }

  async #drain(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of output) {
      this.#tail = (this.#tail + decoder.decode(chunk, { stream: true })).slice(-TAIL_LENGTH_MAX);
    }
    this.#isDrained = true;
  }
}
