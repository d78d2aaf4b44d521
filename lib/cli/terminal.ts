import { formatJson, printable } from "../base/mod.ts";

export interface Terminal {
  /** Writes one line. Shows its control characters, newlines too: only {@linkcode paint} styles text. */
  out(line: string): void;
  err(line: string): void;
  /** Whether a person reads it on a terminal: lines may be redrawn. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Whether errors show colors: standard output and standard error may differ. */
  readonly errorColor: boolean;
  columns(): number;
}

/** The escape sequences of {@linkcode paint}, and tabs of completion scripts. */
const HARMLESS = new RegExp("(\x1b\\[(?:[0-2]|3[1-36])m|\t)");

/** A line with visible control characters; a colored one keeps the styles of {@linkcode paint}. */
function shown(line: string, color: boolean): string {
  return line.split(HARMLESS).map((part) => part === "\t" || color && HARMLESS.test(part) ? part : printable(part))
    .join("");
}

/** Writes several lines, none of which comes from a cluster. */
export function writeBlock(write: (line: string) => void, text: string): void {
  for (const line of text.split("\n")) write(line);
}

/** Writes JSON. Escapes what {@linkcode Terminal.out} would change, so that it can be read back. */
export function writeJson(terminal: Pick<Terminal, "out">, value: unknown): void {
  const text = formatJson(value, 2).replaceAll(
    /[\u202a-\u202e\u2066-\u2069]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  writeBlock((line) => terminal.out(line), text);
}

/** The process's streams. `NO_COLOR` (no-color.org) or `--no-color` turns color off. */
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
  const color = interactive && !options.noColor, errorColor = Deno.stderr.isTerminal() && !options.noColor;
  return {
    out: (line) => write(Deno.stdout, shown(line, color)),
    err: (line) => write(Deno.stderr, shown(line, errorColor)),
    interactive,
    color,
    errorColor,
    columns: () => {
      try {
        return Deno.consoleSize().columns || 80; // some pseudo-terminals report zero
      } catch {
        return 80;
      }
    },
  };
}

/** `head` has read enough, or the terminal was closed. */
export function isReaderGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || ["EPIPE", "EIO"].includes((error as { code?: string }).code ?? "");
}

/** Some pseudo-terminals have no columns or rows: no picture fits. */
function hasSize(): boolean {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0;
  } catch {
    return false;
  }
}

export function paint(
  terminal: Pick<Terminal, "color">,
  style: "bold" | "dim" | "green" | "yellow" | "red" | "cyan",
  text: string,
): string {
  const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 };
  return terminal.color ? `\x1b[${codes[style]}m${text}\x1b[0m` : text;
}
