import assert from "node:assert/strict";
import { hangingLines, printable } from "../../lib/base/mod.ts";

Deno.test("control characters and marks that turn the direction of writing become visible, tabs two spaces", () => {
  assert.equal(printable("a\tb\n\x1b[31m\x7f\x9b\u202e"), "a  b␊␛[31m␡\ufffd\ufffd");
});

Deno.test("later lines of a text are indented, so that none stands for itself", () => {
  assert.deepEqual(hangingLines("it broke\nfix: mend it\n  soon"), ["it broke", "  fix: mend it", "    soon"]);
  assert.deepEqual(hangingLines("  one\ntwo", "    "), ["  one", "    two"]);
});
