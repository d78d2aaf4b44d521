/** Where a command writes and what it knows of the one who reads: a seam for tests. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Whether a person watches: pictures may move. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Whether errors show colors: standard error may be a file while standard output is not, and the other way round. */
  readonly errorColor: boolean;
  columns(): number;
}

/** The process's own streams. Color is off with `NO_COLOR` (no-color.org) or `--no-color`. */
export function processTerminal(options: { noColor: boolean }): Terminal {
  const encoder = new TextEncoder();
  const write = (stream: { writeSync(bytes: Uint8Array): number }, line: string) => {
    let bytes = encoder.encode(`${line}\n`);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      if (!isReaderGone(error)) throw error;
    }
  };
  const interactive = Deno.stdout.isTerminal() && hasSize();
  return {
    out: (line) => write(Deno.stdout, line),
    err: (line) => write(Deno.stderr, line),
    interactive,
    color: interactive && !options.noColor,
    errorColor: Deno.stderr.isTerminal() && !options.noColor,
    columns: () => {
      try {
        return Deno.consoleSize().columns || 80; // some pseudo-terminals say zero
      } catch {
        return 80;
      }
    },
  };
}

/** Whether nobody can read any more: head has seen enough, or the terminal was closed. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || ["EPIPE", "EIO"].includes((error as { code?: string }).code ?? "");
}

/** Some pseudo-terminals have no columns or no rows: no picture fits in there. */
function hasSize(): boolean {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0;
  } catch {
    return false;
  }
}

/** Text in an SGR color where the terminal shows colors. */
export function paint(
  terminal: Pick<Terminal, "color">,
  style: "bold" | "dim" | "green" | "yellow" | "red" | "cyan",
  text: string,
): string {
  const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
  return terminal.color ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;
}
