import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { describeError, UsageError } from "../base/mod.ts";

interface DownloadOptions {
  readonly url: URL;
  readonly digest: string;
  readonly algorithm: "sha256" | "sha512";
  /** A longer download is refused as it comes. */
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

const HINT =
  "check the network and its proxy (HTTPS_PROXY), or name a mirror with --envtest-index and --kubernetes-url";

/**
 * Downloads a file and verifies it before use. The folder's owner removes an incomplete file.
 *
 * @throws {UsageError} if the download fails; {@linkcode Error} if the content is wrong.
 */
export async function downloadFile(path: string, options: DownloadOptions): Promise<void> {
  const { url, digest, algorithm, bytesMax, signal } = options;
  const body = await open(url, signal), hash = createHash(algorithm);
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  let bytes = 0;
  for await (const chunk of chunks(body, url, signal)) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`${url} has more than the maximum of ${bytesMax} bytes`);
    hash.update(chunk);
    let rest: Uint8Array = chunk;
    while (rest.length > 0) rest = rest.subarray(await file.write(rest));
  }
  const got = hash.digest("hex");
  if (Buffer.from(got).equals(Buffer.from(digest.toLowerCase()))) return;
  throw new Error(
    `${url} does not match its ${algorithm}: ${bytes} bytes with ${shortened(got)} instead of ${shortened(digest)}`,
  );
}

export async function downloadText(url: URL, bytesMax: number, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "", bytes = 0;
  for await (const chunk of chunks(await open(url, signal), url, signal)) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`${url} has more than the maximum of ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

async function open(url: URL, signal: AbortSignal): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const response = await fetch(url, { signal }).catch((cause) => {
    signal.throwIfAborted();
    throw new UsageError(`${url} cannot be downloaded: ${describeError(cause)}`, HINT, { cause });
  });
  if (response.ok && response.body) return response.body;
  await response.body?.cancel();
  throw new UsageError(`${url} cannot be downloaded: ${response.status} ${response.statusText}`.trimEnd(), HINT);
}

async function* chunks(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  url: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause) => {
        signal.throwIfAborted();
        throw new UsageError(`the download of ${url} broke off: ${describeError(cause)}`, HINT, { cause });
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // it broke off, or the rest is not needed
  }
}

function shortened(digest: string): string {
  return `${digest.slice(0, 12)}…`;
}
