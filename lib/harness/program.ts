/** Characters of a program's output that are kept for the message of a failure. */
const TAIL_LENGTH_MAX = 4_000;
const TAIL_LINES_SHOWN = 12;

/** A program that runs beside this one. Its output is read to the end, and the last of it kept. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<void>;
  #tail = "";
  #exit: Deno.CommandStatus | undefined;

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
    });
    this.#child = command.spawn();
    this.#drained = this.#drain(this.#child.stderr);
    this.#child.status.then((status) => this.#exit = status);
  }

  /** How it ended, in words, with its last lines; undefined while it runs. */
  get failure(): string | undefined {
    if (!this.#exit) return undefined;
    const how = this.#exit.signal ? `was ended by ${this.#exit.signal}` : `exited with ${this.#exit.code}`;
    const lines = this.#tail.trim().split("\n").slice(-TAIL_LINES_SHOWN).join("\n  ");
    return `${this.name} ${how}; it said last:\n  ${lines}`;
  }

  /** Ends it at once (SIGKILL: nothing it holds is worth a graceful stop) and waits until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#exit) {
      try {
        this.#child.kill("SIGKILL");
      } catch {
        // It ended by itself between the look and the call.
      }
    }
    await this.#child.status;
    await this.#drained;
  }

  async #drain(output: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of output) {
      this.#tail = (this.#tail + decoder.decode(chunk, { stream: true })).slice(-TAIL_LENGTH_MAX);
    }
  }
}
