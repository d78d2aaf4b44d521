import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";

/** Undefined where the body exceeds `bytesMax`, with at most one chunk more in memory, or `mayHold` refuses. */
export async function boundedBody(
  request: IncomingMessage,
  bytesMax: number,
  reserve: (bytes: number) => boolean = () => true,
): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    if (length > bytesMax || !reserve(chunk.byteLength)) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
