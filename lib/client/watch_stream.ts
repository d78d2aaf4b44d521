import { parseJson } from "../base/mod.ts";
import { ReusedBuffer } from "./stream_body.ts";
import { MalformedAnswerError, UnreachableError } from "./unreachable.ts";

/** An object of etcd's 1.5 MiB grows when JSON escapes it. */
export const LINE_LENGTH_MAX = 16 * 2 ** 20;

/**
 * Decodes newline-delimited JSON. Each yield holds every value that one chunk completed, in order, at least one.
 *
 * Guarantees: work is linear in the bytes, whatever the chunks; the stream is cancelled when the caller stops early.
 *
 * @throws {MalformedAnswerError} for a line that is longer than `lineLengthMax` characters or is not JSON.
 * @throws {UnreachableError} where the stream ends inside a line.
 * @throws the signal's reason as soon as `signal` aborts; the stream's errors.
 */
export async function* decodeJsonLines<T>(
  stream: ReadableStream<Uint8Array>,
  options: { lineLengthMax?: number; signal?: AbortSignal; onChunk?: () => void } = {},
): AsyncGenerator<T[]> {
  const { lineLengthMax = LINE_LENGTH_MAX, signal, onChunk } = options;
  const lines = new LineBuffer(lineLengthMax);
  const decoder = new TextDecoder();
  const reader = new ReusedBuffer(stream);
  // Some streams ignore their request's signal (a body whose producer hangs); a cancelled reader ends.
  const abort = () => void reader.cancel(signal!.reason).catch(() => {});
  signal?.addEventListener("abort", abort, { once: true });
  try {
    while (true) {
      signal?.throwIfAborted();
      const value = await reader.read();
      signal?.throwIfAborted();
      if (!value) break;
      onChunk?.();
      const values = lines.push(decoder.decode(value, { stream: true })).map((line) => parseLine<T>(line));
      if (values.length > 0) yield values;
    }
    const rest = lines.rest + decoder.decode();
    // A connection broken inside a line can look like an end; a partial line is no event.
    if (rest.trim() !== "") throw new UnreachableError("", "reset");
  } finally {
    signal?.removeEventListener("abort", abort);
    // A failed stream rejects again, with an error already thrown.
    await reader.cancel().catch(() => {});
    reader.release();
  }
}

function parseLine<T>(line: string): T {
  try {
    return parseJson<T>(line);
  } catch {
    // Without the parser's error as `cause`: it quotes the line, which may hold Secret data.
    throw new MalformedAnswerError(`the stream sent a line of ${line.length} characters that is not JSON`);
  }
}

class LineBuffer {
  #pieces: string[] = [];
  #length = 0;

  constructor(readonly lineLengthMax: number) {}

  get rest(): string {
    return this.#pieces.join("");
  }

  push(text: string): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#add(text.slice(start, end));
      const line = this.#pieces.length === 1 ? this.#pieces[0]! : this.rest;
      if (line.length > 0 && line !== "\r") lines.push(line);
      this.#pieces = [];
      this.#length = 0;
      start = end + 1;
    }
    if (start < text.length) this.#add(text.slice(start));
    return lines;
  }

  #add(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.lineLengthMax) {
      throw new MalformedAnswerError(`the stream sent a line of more than ${this.lineLengthMax} characters`);
    }
    this.#pieces.push(piece);
  }
}
