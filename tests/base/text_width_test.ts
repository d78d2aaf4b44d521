import assert from "node:assert/strict";
import fc from "fast-check";
import { truncate } from "../../lib/base/mod.ts";

// FR-292
Deno.test("a text is cut between characters, keeps as much as fits, and is valid UTF-8", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.nat(40), (text, lengthMax) => {
    const cut = truncate(text, lengthMax), whole = text.toWellFormed();
    assert.ok(cut.length <= lengthMax);
    assert.ok(cut.isWellFormed());
    assert.ok(whole.startsWith(cut));
    if (cut !== whole) assert.ok(cut.length >= lengthMax - 1, "only half of a character is left out");
  }));
  assert.equal(truncate("ab😀", 3), "ab");
  assert.equal(truncate("ab😀", 4), "ab😀");
  assert.equal(truncate("😀", 1), "");
  assert.equal(truncate("😀", 0), "");
  assert.equal(truncate("a\ud83d", 9), "a\ufffd", "a half that the text brings");
});
