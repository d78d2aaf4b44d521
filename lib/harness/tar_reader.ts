/** A stream that is not a tar archive, is cut off, or would write outside of its folder. */
export class TarError extends Error {
  override readonly name = "TarError";
}

interface TarEntry {
  /** Path in the archive: relative, without `..`. */
  readonly path: string;
  /** A file with content: not a folder, link or device. */
  readonly isFile: boolean;
  readonly size: number;
  /** Its content; the unread rest is skipped. */
  readonly content: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

const BLOCK = 512;
const PATH_LENGTH_MAX = 4_096;

/**
 * Reads a tar archive (ustar, pax, GNU long names) entry by entry.
 *
 * @throws {TarError} for no tar archive, a cut-off one, or a path that leads out of the target folder.
 */
export async function* readTar(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<TarEntry> {
  const bytes = new ByteReader(stream);
  let longPath: string | undefined;
  try {
    for (;;) {
      const header = await bytes.read(BLOCK);
      if (header.every((byte) => byte === 0)) return; // the end is marked by empty blocks
      const { path, type, size } = parseHeader(header);
      if (type === "x" || type === "L") {
        if (size > PATH_LENGTH_MAX) throw new TarError("a path in it is too long");
        longPath = longPathOf(type, await bytes.read(size)) ?? longPath;
        await bytes.skip(padding(size));
        continue;
      }
      const entry = { path: longPath ?? path, isFile: type === "0" || type === "\0", size };
      if (type !== "g") requireInside(entry.path);
      longPath = undefined;
      const content = bytes.take(size);
      if (type !== "g") yield { ...entry, content };
      for await (const _ of content); // the unread rest
      await bytes.skip(padding(size));
    }
  } finally {
    await bytes.cancel();
  }
}

function padding(size: number): number {
  return (BLOCK - size % BLOCK) % BLOCK;
}

function parseHeader(header: Uint8Array): { path: string; type: string; size: number } {
  const text = (from: number, to: number) => {
    const field = header.subarray(from, to), end = field.indexOf(0);
    return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
  };
  const sum = header.reduce((all, byte, nth) => all + (nth >= 148 && nth < 156 ? 32 : byte), 0);
  if (Number.parseInt(text(148, 156).trim(), 8) !== sum) throw new TarError("it is not a tar archive");
  const size = text(124, 136).trim(), prefix = text(257, 262) === "ustar" ? text(345, 500) : "";
  if (!/^[0-7]+$/.test(size)) throw new TarError("an entry in it has no readable size");
  const name = text(0, 100);
  const type = String.fromCharCode(header[156]!);
  return { path: prefix ? `${prefix}/${name}` : name, type, size: Number.parseInt(size, 8) };
}

/** A GNU long name is the path; of pax records, `length key=value`, only the path counts. */
function longPathOf(type: string, content: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(content);
  if (type === "L") return text.replace(/\0+$/, "");
  return /^\d+ path=(.*)$/m.exec(text)?.[1];
}

/** An archive with such a path is damaged; this program writes to none. */
function requireInside(path: string): void {
  if (!/^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)/i.test(path)) return;
  throw new TarError(`it has a path that leads out of its folder: ${JSON.stringify(path)}`);
}

class ByteReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  async read(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    let filled = 0;
    for await (const part of this.take(count)) {
      all.set(part, filled);
      filled += part.length;
    }
    return all;
  }

  async skip(count: number): Promise<void> {
    for await (const _ of this.take(count));
  }

  /** The next `count` bytes, in parts. After an early exit, the next call of the same one continues. */
  take(count: number): AsyncIterable<Uint8Array<ArrayBuffer>> {
    let left = count;
    const next = async (): Promise<IteratorResult<Uint8Array<ArrayBuffer>>> => {
      if (left === 0) return { done: true, value: undefined };
      while (this.#rest.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) throw new TarError("it is cut off");
        this.#rest = value;
      }
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      return { done: false, value: part };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {}); // a broken stream has thrown already
  }
}
