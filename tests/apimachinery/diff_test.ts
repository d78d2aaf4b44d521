import assert from "node:assert/strict";
import fc from "fast-check";
import { diff } from "../../lib/apimachinery/mod.ts";
import { jsonClone, jsonEqual } from "../../lib/base/mod.ts";

const document = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.jsonValue({ maxDepth: 3 })).map((v) => jsonClone(v));

Deno.test("a diff names added, changed and removed fields by path; a list is one value", () => {
  assert.deepEqual(diff({ spec: { a: 1, b: 2, l: [1] } }, { spec: { b: 3, c: null, l: [1, 2] } }), [
    { operation: "remove", path: ["spec", "a"], old: 1 },
    { operation: "change", path: ["spec", "b"], old: 2, next: 3 },
    { operation: "add", path: ["spec", "c"], next: null },
    { operation: "change", path: ["spec", "l"], old: [1], next: [1, 2] },
  ]);
  assert.deepEqual(diff(undefined, { a: 1 }), [{ operation: "add", path: [], next: { a: 1 } }]);
});

Deno.test("a diff is empty exactly when the documents are equal", () => {
  fc.assert(fc.property(document, document, (old, next) => {
    assert.equal(diff(old, next).length === 0, jsonEqual(old, next));
    assert.deepEqual(diff(old, jsonClone(old)), []);
  }));
});

Deno.test("applying a diff gives the new document", () => {
  fc.assert(fc.property(document, document, (old, next) => {
    const result = jsonClone(old) as Record<string, unknown>;
    for (const item of diff(old, next)) {
      let parent = result;
      for (const key of item.path.slice(0, -1)) parent = parent[key] as Record<string, unknown>;
      const last = item.path.at(-1)!;
      if (item.operation === "remove") delete parent[last];
      else parent[last] = jsonClone(item.next);
    }
    assert.ok(jsonEqual(result, next));
  }));
});
