import { formatJson, printable } from "../base/mod.ts";

/** Where a command writes; tests replace it. */
export interface Terminal {
  /** Writes one line. Control characters in it, newlines too, are made visible: only {@linkcode paint} styles text. */
  out(line: string): void;
  /** The same to standard error. */
  err(line: string): void;
  /** Whether a person reads it on a terminal: lines may be redrawn. */
  readonly interactive: boolean;
  readonly color: boolean;
  /** Whether errors show colors: standard error may be a file while standard output is not, and the other way round. */
  readonly errorColor: boolean;
  columns(): number;
}

/** The escape sequences that {@linkcode paint} writes, and the tabs of completion scripts. */
const HARMLESS = new RegExp("(\x1b\\[(?:[0-2]|3[1-36])m|\t)");

/** A line whose control characters are visible; of a colored one, the styles of {@linkcode paint} stay. */
function shown(line: string, color: boolean): string {
  return line.split(HARMLESS).map((part) => part === "\t" || color && HARMLESS.test(part) ? part : printable(part))
    .join("");
}

/** Writes a text of several lines, of which none comes from a cluster. */
export function writeBlock(write: (line: string) => void, text: string): void {
  for (const line of text.split("\n")) write(line);
}

/**
 * Writes a value as JSON. What {@linkcode Terminal.out} would change is escaped, so that the value can be read back.
 */
export function writeJson(terminal: Pick<Terminal, "out">, value: unknown): void {
  const text = formatJson(value, 2).replaceAll(
    /[\u202a-\u202e\u2066-\u2069]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  writeBlock((line) => terminal.out(line), text);
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

/** Whether the reader has gone: `head` has read enough, or the terminal was closed. */
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
