import { createHmac, randomBytes } from "node:crypto";
import {
  type Clock,
  describeError,
  isObject,
  type Logger,
  type Mask,
  SeededRandom,
  type Transport,
  type TransportRequest,
  UsageError,
} from "../base/mod.ts";
import { learnSecrets } from "../apimachinery/mod.ts";
import {
  comparable,
  digestText,
  isOfSecrets,
  RECORDING_FORMAT,
  type RecordingHeader,
  type RecordingLine,
  withoutOwnSecrets,
  withSecretValues,
} from "./recording.ts";

/** Bound of a recording; the operator goes on without it. */
const BYTES_MAX = 256 * 2 ** 20;
/** Of an answer, as far as clients read them. */
const HEADERS = ["content-type", "retry-after", "warning"];
/** Values that are found again in other objects; shorter ones are ordinary words. */
const KNOWN_MAX = 10_000, KNOWN_LENGTH_MIN = 8;

interface RecorderParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly mask: Mask;
  /** Bound of the file; 256 MiB where absent. */
  readonly bytesMax?: number;
}

/**
 * Writes what an operator observes to a file of mode 0600, a JSON line each: requests, answers, watch events and their
 * times. Secret values become digests with a key that is not kept: equal values stay equal, and none can be recovered.
 *
 * A file that cannot be written any more ends the recording, never the operator.
 */
export class Recorder implements Disposable {
  /** Of the engine, so that a replay draws the same. */
  readonly random: SeededRandom;
  readonly #parts: RecorderParts;
  readonly #key = randomBytes(32);
  /** Digests of values that answers showed, by value. */
  readonly #known = new Map<string, string>();
  readonly #beginMs: number;
  #file: Deno.FsFile | undefined;
  #bytes = 0;
  #requests = 0;

  private constructor(file: Deno.FsFile, seed: number, parts: RecorderParts) {
    this.#file = file;
    this.#parts = parts;
    this.random = new SeededRandom(seed);
    this.#beginMs = parts.clock.elapsed();
  }

  /** Replaces `path`. @throws {UsageError} if it cannot be written. */
  static open(path: string, { operator, version, settings }: RecordedProgram, parts: RecorderParts): Recorder {
    const seed = randomBytes(4).readUInt32LE(), { clock } = parts;
    try {
      const file = Deno.openSync(path, { write: true, create: true, truncate: true, mode: 0o600 });
      const recorder = new Recorder(file, seed, parts);
      const header: RecordingHeader = {
        recording: "pintle",
        format: RECORDING_FORMAT,
        operator,
        version,
        startMs: clock.now(),
        seed,
        settings,
      };
      recorder.#writeText(JSON.stringify(header));
      return recorder;
    } catch (cause) {
      throw new UsageError(`cannot record to ${path}: ${describeError(cause)}`, "name a file that can be written", {
        cause,
      });
    }
  }

  /** `inner`, recorded. */
  transport(inner: Transport): Transport {
    return {
      get server() {
        return inner.server;
      },
      get refused() {
        return inner.refused;
      },
      fetch: (path, request) => this.#fetch(inner, path, request),
      close: () => inner.close(),
    };
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#write({ stopped: "the operator stopped" });
    this.#end();
  }

  async #fetch(inner: Transport, path: string, request: TransportRequest = {}): Promise<Response> {
    if (!this.#file) return await inner.fetch(path, request);
    const n = ++this.#requests, { method, headers, body, signal, streaming } = request;
    const send = comparable(path, { method, accept: headers?.accept, body: body && this.#sent(body, path) });
    this.#write({ n, send, ...(streaming && { streams: true }) });
    let response: Response;
    try {
      response = await inner.fetch(path, request);
    } catch (error) {
      if (!signal?.aborted) this.#write({ n, failed: this.#parts.mask.text(describeError(error)) });
      throw error;
    }
    const { status } = response,
      kept = HEADERS.flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
    const answer = { n, status, headers: Object.fromEntries(kept) };
    if (streaming && response.ok && response.body) {
      this.#write(answer);
      return new Response(this.#recorded(response.body, { n, path, signal }), response);
    }
    const text = await response.text();
    this.#write({ ...answer, body: this.#hidden(text, path) });
    return new Response(status === 204 ? null : text, response);
  }

  #recorded(
    body: ReadableStream<Uint8Array>,
    { n, path, signal }: { readonly n: number; readonly path: string; readonly signal: AbortSignal | undefined },
  ): ReadableStream<Uint8Array> {
    const reader = body.getReader(), decoder = new TextDecoder();
    let rest = "";
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            this.#write({ n, end: null });
            return controller.close();
          }
          const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
          rest = lines.pop()!;
          for (const line of lines) if (line) this.#write({ n, event: this.#hidden(line, path) });
          controller.enqueue(value);
        } catch (error) {
          if (!signal?.aborted) this.#write({ n, end: describeError(error) });
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }

  /** A request's body. Digests stand for values that an answer showed; the operator made the others itself. */
  #sent(body: string, path: string): string {
    if (!isOfSecrets(path)) return this.#hidden(body, path);
    return this.#withoutKnown(withoutOwnSecrets(path, body, (value) => this.#known.get(value)));
  }

  /** Without values of Secrets, in whatever object they are. */
  #hidden(text: string, path: string): string {
    const { mask } = this.#parts, ofSecrets = isOfSecrets(path);
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return mask.text(text);
    }
    learnSecrets(mask, isObject(body) && isObject(body.object) ? body.object : body, { ofSecrets });
    const hidden = withSecretValues(body, ofSecrets, (value) => this.#digest(value));
    return JSON.stringify(hidden, (_, value) => typeof value === "string" ? this.#withoutKnown(value) : value);
  }

  #digest(value: string): string {
    const known = this.#known.get(value);
    if (known) return known;
    const digest = digestText(createHmac("sha256", this.#key).update(value).digest("base64url"));
    if (this.#known.size < KNOWN_MAX) this.#known.set(value, digest);
    return digest;
  }

  #withoutKnown(text: string): string {
    if (this.#parts.mask.text(text) === text) return text;
    let hidden = text;
    for (const [value, digest] of this.#known) {
      if (value.length < KNOWN_LENGTH_MIN) continue;
      hidden = hidden.replaceAll(value, digest);
    }
    return this.#parts.mask.text(hidden);
  }

  #write(line: Record<string, unknown>): void {
    if (!this.#file) return;
    const { logger, bytesMax = BYTES_MAX } = this.#parts, text = this.#timed(line);
    if (this.#bytes + text.length <= bytesMax) return this.#writeText(text);
    logger.warn("the recording is full and ends; the operator goes on", { bytesMax });
    this.#writeText(this.#timed({ stopped: "the recording was full" }));
    this.#end();
  }

  #timed(line: Record<string, unknown>): string {
    const atMs = Math.round((this.#parts.clock.elapsed() - this.#beginMs) * 1_000) / 1_000;
    return JSON.stringify({ atMs, ...line } as RecordingLine);
  }

  #writeText(text: string): void {
    let bytes = new TextEncoder().encode(`${text}\n`);
    this.#bytes += bytes.length;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(this.#file!.writeSync(bytes));
    } catch (error) {
      const { logger } = this.#parts;
      logger.error("the recording cannot be written and ends; the operator goes on", { error: describeError(error) });
      this.#end();
    }
  }

  #end(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

/** Whose recording it is. */
export interface RecordedProgram {
  readonly operator: string;
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
}
