import { Buffer } from "node:buffer";

/** Minimal ASN.1 DER (ITU-T X.690) for certificates: a library would load longer than the whole server. */

const CLASS_CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

function element(tag: number, content: Uint8Array): Buffer {
  const length = content.length < 0x80
    ? [content.length]
    : content.length < 0x100
    ? [0x81, content.length]
    : [0x82, content.length >> 8, content.length & 0xff];
  if (content.length > 0xffff) throw new RangeError(`a DER element of ${content.length} bytes is too long`);
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return element(0x30, Buffer.concat(items));
}

/** Of one element; more would have to be sorted. */
export function setOf(item: Uint8Array): Buffer {
  return element(0x31, item);
}

/** Not negative, from big-endian bytes. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(first));
  // A set highest bit would read as a minus sign.
  return element(0x02, digits[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** FALSE is a default that DER leaves out. */
export const TRUE: Buffer = element(0x01, Buffer.from([0xff]));

/** From the dotted form. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift(left & 0x7f | 0x80);
    bytes.push(...groups);
  }
  return element(0x06, Buffer.from(bytes));
}

export function utf8(text: string): Buffer {
  return element(0x0c, Buffer.from(text));
}

/** Good until 2049 (RFC 5280 §4.1.2.5.1). */
export function utcTime(ms: number): Buffer {
  return element(0x17, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, "").slice(2, 14)}Z`));
}

export function octets(content: Uint8Array): Buffer {
  return element(0x04, content);
}

/** Without its last `unused` bits. */
export function bits(content: Uint8Array, unused: number = 0): Buffer {
  return element(0x03, Buffer.concat([Buffer.from([unused]), content]));
}

/** `constructed` where it holds elements, else bytes. */
export function tagged(number: number, content: Uint8Array, constructed: boolean): Buffer {
  return element(CLASS_CONTEXT | (constructed ? CONSTRUCTED : 0) | number, content);
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** @throws {RangeError} where the bytes end inside an element, or a tag or length has more than four bytes. */
export function elements(der: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length;) {
    const { start, end } = extentOf(der, at);
    if (end > der.length) throw new RangeError("the DER bytes end inside an element");
    const bytes = Buffer.from(der.subarray(at, end));
    found.push({ tag: der[at]!, content: bytes.subarray(start - at), bytes });
    at = end;
  }
  return found;
}

function extentOf(der: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const digits = first & 0x7f, start = at + 2 + digits;
  if (digits > 4 || (der[at]! & 0x1f) === 0x1f) throw new RangeError("a DER element is too long");
  return { start, end: start + der.subarray(at + 2, start).reduce((length, byte) => length * 256 + byte, 0) };
}
