/** Maximum of one read: an HTTP/2 frame. */
const CHUNK_BYTES_MAX = 16 * 1024;

/**
 * `source`, with `onEnd` called once: `completed` where the server ended it, false where it failed or was cancelled.
 * Nothing is read ahead.
 *
 * A byte stream reuses one buffer, because Deno's fetch would allocate 64 KiB for each read.
 */
export function endingBody(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEnd: (completed: boolean) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new ReusedBuffer(source, CHUNK_BYTES_MAX);
  let ended = false;
  const end = (completed: boolean) => {
    if (ended) return;
    ended = true;
    onEnd(completed);
  };
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const request = controller.byobRequest, view = request?.view;
      try {
        const chunk = await bytes.read(view?.byteLength);
        if (chunk && view) {
          new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(chunk);
          request.respond(chunk.byteLength);
        } else if (chunk) {
          controller.enqueue(chunk.slice());
        } else {
          end(true);
          controller.close();
          request?.respond(0); // ends the read of a reader with its own buffer
        }
      } catch (error) {
        end(false);
        controller.error(error);
      }
    },
    async cancel(reason) {
      end(false);
      await bytes.cancel(reason);
    },
  }, { highWaterMark: 0 });
}

/** Reads a byte stream into one buffer; other streams as they come. */
export class ReusedBuffer {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  #buffer: ArrayBuffer;
  #rest: Uint8Array | undefined;

  constructor(stream: ReadableStream<Uint8Array>, bytesMax = CHUNK_BYTES_MAX) {
    this.#reader = readerOf(stream);
    this.#buffer = new ArrayBuffer(this.#reader instanceof ReadableStreamBYOBReader ? bytesMax : 0);
  }

  /** The next piece, valid until the next call; undefined at the end. */
  async read(bytesMax = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    if (this.#reader instanceof ReadableStreamBYOBReader) {
      const size = Math.min(bytesMax, this.#buffer.byteLength);
      const { done, value } = await this.#reader.read(new Uint8Array(this.#buffer, 0, size));
      if (value) this.#buffer = value.buffer as ArrayBuffer;
      return done ? undefined : value;
    }
    let piece = this.#rest;
    this.#rest = undefined;
    while (!piece?.byteLength) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      piece = value;
    }
    if (piece.byteLength > bytesMax) this.#rest = piece.subarray(bytesMax);
    return piece.subarray(0, bytesMax);
  }

  async cancel(reason?: unknown): Promise<void> {
    await this.#reader.cancel(reason);
  }

  release(): void {
    this.#reader.releaseLock();
  }
}

function readerOf(stream: ReadableStream<Uint8Array>) {
  try {
    return stream.getReader({ mode: "byob" });
  } catch {
    return stream.getReader(); // not a byte stream: only this error shows it
  }
}
