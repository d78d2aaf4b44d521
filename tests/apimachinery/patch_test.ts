import { JsonPatchError } from "../../lib/apimachinery/json_patch.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { createPatch } from "rfc6902";
import { applyJsonPatch, applyMergePatch } from "../../lib/apimachinery/mod.ts";
import { formatJson, jsonClone, jsonEqual } from "../../lib/base/mod.ts";

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => jsonClone(value));
const withoutNull = json.filter((value) => !JSON.stringify(value).includes("null"));
const object = fc.dictionary(fc.constantFrom("a", "b", "c", "d/e", "f~g"), json);

Deno.test("a merge patch behaves as every example of RFC 7396, appendix A", () => {
  const examples: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
    [["a", "b"], ["c", "d"], ["c", "d"]],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, null, null],
    [{ a: "foo" }, "bar", "bar"],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [target, patch, expected] of examples) assert.deepEqual(applyMergePatch(target, patch), expected);
});

Deno.test("a merge patch applied twice changes nothing the second time, and never edits its arguments", () => {
  fc.assert(fc.property(json, json, (target, patch) => {
    const before = JSON.stringify([target, patch]);
    const once = applyMergePatch(target, patch);
    assert.ok(jsonEqual(applyMergePatch(once, patch), once));
    assert.equal(JSON.stringify([target, patch]), before);
  }));
});

Deno.test("a merge patch without null onto nothing is the patch itself", () => {
  fc.assert(
    fc.property(withoutNull, (patch) => assert.ok(jsonEqual(applyMergePatch<unknown>(undefined, patch), patch))),
  );
});

Deno.test("a JSON patch between two documents turns the one into the other", () => {
  fc.assert(fc.property(object, object, (from, to) => {
    assert.ok(jsonEqual(applyJsonPatch(from, createPatch(from, to)), to));
  }));
});

Deno.test("a JSON patch of single fields does what the merge patch of the same fields does", () => {
  fc.assert(fc.property(object, fc.constantFrom("a", "b", "c"), withoutNull, (document, key, value) => {
    assert.ok(jsonEqual(
      applyJsonPatch(document, [{ op: "add", path: `/${key}`, value }]),
      applyMergePatch({ ...document, [key]: undefined }, { [key]: value }),
    ));
  }));
});

Deno.test("a JSON patch that fails half way leaves the document unchanged and names the operation", () => {
  const document = { metadata: { labels: { a: "1" } }, list: [1, 2] };
  const cases: [unknown, string, JsonPatchError["kind"]][] = [
    [{ op: "remove", path: "/gone" }, "Unable to remove nonexistent key: gone", "does-not-apply"],
    [{ op: "add", path: "/a/b", value: 1 }, 'doc is missing path: "/a/b"', "does-not-apply"],
    [{ op: "replace", path: "/metadata/x", value: 1 }, "doc is missing key: /metadata/x", "does-not-apply"],
    [{ op: "test", path: "/metadata/labels/a", value: "2" }, "testing value /metadata/labels/a failed", "test-failed"],
    [{ op: "add", path: "/list/9", value: 1 }, "Unable to access invalid index: 9", "does-not-apply"],
    [{ op: "add", path: "/list/x", value: 1 }, "not a proper array index: 'x'", "does-not-apply"],
    [{ op: "frob", path: "/list" }, "Unexpected kind: frob", "malformed"],
    [{ op: "add" }, "failed to decode path", "malformed"],
    [{ op: "move", path: "/list" }, "failed to decode from", "malformed"],
    ["nonsense", "Unexpected kind", "malformed"],
  ];
  const before = JSON.stringify(document);
  for (const [operation, message, kind] of cases) {
    const patch = [{ op: "add", path: "/metadata/labels/b", value: "x" }, operation];
    assert.throws(
      () => applyJsonPatch(document, patch),
      (error) => error instanceof JsonPatchError && error.kind === kind && error.message.includes(message),
    );
    assert.equal(JSON.stringify(document), before);
  }
  assert.throws(() => applyJsonPatch(document, { op: "add" }), JsonPatchError);
  assert.throws(
    () => applyJsonPatch(document, Array(10_001).fill({ op: "test", path: "/list/0", value: 1 })),
    /maximum/,
  );
});

Deno.test("move, copy, test of an absent key and indices from the end work as in kube-apiserver", () => {
  assert.deepEqual(
    applyJsonPatch({ a: { b: 1 }, c: [1, 2, 3] } as Record<string, unknown>, [
      { op: "move", from: "/a/b", path: "/d" },
      { op: "copy", from: "/c", path: "/a/e" },
      { op: "test", path: "/absent", value: null },
      { op: "remove", path: "/c/-1" },
      { op: "add", path: "/c/-", value: 9 },
      { op: "add", path: "/c/0", value: 0 },
      { op: "replace", path: "/c/1", value: 7 },
    ]),
    { a: { e: [1, 2, 3] }, c: [0, 7, 2, 9], d: 1 },
  );
});

// FR-126
Deno.test("patches write __proto__ as a key of data, and never reach a prototype", () => {
  const evil = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}');
  const merged = applyMergePatch<Record<string, unknown>>({}, evil);
  assert.equal((merged as { polluted?: unknown }).polluted, undefined);
  assert.equal(formatJson(merged), formatJson(evil));
  assert.equal(formatJson(applyMergePatch(merged, JSON.parse('{"__proto__":null,"a":null}'))), "{}");
  const added = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: true } }]);
  assert.equal(formatJson(added), '{"__proto__":{"polluted":true}}');
  assert.equal(formatJson(applyJsonPatch(added, [{ op: "remove", path: "/__proto__/polluted" }])), '{"__proto__":{}}');
  assert.throws(() => applyJsonPatch({}, [{ op: "add", path: "/__proto__/polluted", value: true }]), JsonPatchError);
  assert.throws(() => applyJsonPatch({}, [{ op: "add", path: "/constructor/polluted", value: true }]), JsonPatchError);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});
