import { isObject } from "../base/mod.ts";

/** Longer texts are compressed. */
const PLAIN_BYTES_MAX = 32 * 1_024;
/** Longer ones are dropped: all annotations of an object share 256 KiB. */
const PACKED_BYTES_MAX = 128 * 1_024;
/** More than any object can have (etcd takes 1.5 MiB). */
const UNPACKED_BYTES_MAX = 4 * 1_024 * 1_024;
const PACKED = "gzip:";

/** For an annotation: compressed if long; undefined if still too long. */
export async function packText(text: string): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.byteLength <= PLAIN_BYTES_MAX) return text;
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = PACKED + new Uint8Array(await new Response(stream).arrayBuffer()).toBase64();
  return packed.length <= PACKED_BYTES_MAX ? packed : undefined;
}

/** Undefined if the text is damaged, or unfolds to more than can have been packed. */
export async function unpackText(text: string): Promise<string | undefined> {
  if (!text.startsWith(PACKED)) return text;
  try {
    const bytes = Uint8Array.fromBase64(text.slice(PACKED.length));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let unpacked = "", length = 0;
    for await (const chunk of stream) {
      length += chunk.byteLength;
      if (length > UNPACKED_BYTES_MAX) return undefined;
      unpacked += decoder.decode(chunk, { stream: true });
    }
    return unpacked + decoder.decode();
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Text fields of an external record, by name; drops the rest. */
export function textFields(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
