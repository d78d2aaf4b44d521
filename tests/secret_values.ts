import assert from "node:assert/strict";
import type { SecretObject } from "../lib/operator/mod.ts";

/** A text as a Secret holds it. */
export function base64(text: string): string {
  return new TextEncoder().encode(text).toBase64();
}

/** What a Secret holds under a key. */
export function valueOf({ data }: SecretObject, key: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(data![key]!));
}

/** Fails if `text` has 8 characters of a secret value in a row, in any form in which errors quote it. */
export function assertMasked(what: string, text: string, value: string): void {
  const hex = new TextEncoder().encode(value).toHex();
  for (const form of [value, base64(value), JSON.stringify(value), encodeURIComponent(value), hex]) {
    for (let at = 0; at + 8 <= form.length; at++) {
      const part = form.slice(at, at + 8), found = text.indexOf(part);
      assert.ok(found < 0, `${what} has ${JSON.stringify(part)}: ${text.slice(Math.max(0, found - 100), found + 100)}`);
    }
  }
}
