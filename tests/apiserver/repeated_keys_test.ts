import assert from "node:assert/strict";
import { repeatedKeys } from "../../lib/apiserver/repeated_keys.ts";

// FR-634
Deno.test("repeated keys are found at their paths, and none where texts look like keys", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['{"a":1,"b":{"c":1}}', []],
    ['{"a":1,"a":2}', ["a"]],
    ['{"a":[{"b":1},{"b":1,"b":2,"b":3}]}', ["a[1].b"]],
    ['{"a":{"x":"\\":","y":1},"b":"{\\"a\\":1,\\"a\\":2}"}', []],
    ['{"a" : 1, "a" : [1, [2, {"c":1,"c":2}]]}', ["a", "a[1][1].c"]],
    ["[1]", []],
  ];
  for (const [text, paths] of cases) assert.deepEqual(repeatedKeys(text, JSON.parse(text)), paths, text);
});
