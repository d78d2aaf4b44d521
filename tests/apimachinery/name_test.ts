import assert from "node:assert/strict";
import * as fc from "fast-check";
import { isDnsLabel, joinedName } from "../../lib/apimachinery/mod.ts";

Deno.test("short names are joined unchanged, without empty parts", () => {
  assert.equal(joinedName("door", "config"), "door-config");
  assert.equal(joinedName("door", "", "1"), "door-1");
  assert.equal(joinedName("x".repeat(63)), "x".repeat(63));
});

// FR-268
Deno.test("joined labels are a label, and other parts give another one", () => {
  const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  fc.assert(fc.property(label, label, label, (one, two, three) => {
    const name = joinedName(one, two, three);
    assert.ok(isDnsLabel(name), name);
    if (`${one}-${two}` !== `${one}-${three}`) assert.notEqual(joinedName(one, two), joinedName(one, three));
  }));
});
