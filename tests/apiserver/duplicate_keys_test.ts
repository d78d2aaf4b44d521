import assert from "node:assert/strict";
import { duplicateKeys } from "../../lib/apiserver/duplicate_keys.ts";

function duplicatesOf(text: string): string[] {
  return duplicateKeys(text, JSON.parse(text));
}

// FR-654
Deno.test("a field that JSON has twice is named by its path", () => {
  assert.deepEqual(duplicatesOf('{"a":1,"b":{"c":[{"d":1},{"d":1,"d":2}]},"a":3}'), ["b.c[1].d", "a"]);
});

Deno.test("texts that look like keys, and equal keys of different objects, are no duplicates", () => {
  assert.deepEqual(duplicatesOf('{"a":"\\"a\\":","b":["a:","a:"],"c":{"a":1},"d":{"a":1}}'), []);
});

Deno.test("depth costs no calls", () => {
  const text = `{"a":${"[".repeat(9_000)}${"]".repeat(9_000)},"a":1}`;
  assert.deepEqual(duplicatesOf(text), ["a"]);
});
