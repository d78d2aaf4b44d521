import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, deepFreeze, isObject, jsonClone, jsonEqual, parseJson } from "../../lib/base/mod.ts";

Deno.test("parsing drops __proto__ at every depth, however it is written", () => {
  for (const key of ["__proto__", "\\u005f_proto__", "__pr\\u006fto__"]) {
    const parsed = parseJson<Record<string, unknown>>(
      `{"a": [{"${key}": {"polluted": 1}, "b": 2}], "${key}": {"x": 1}}`,
    );
    assert.deepEqual(Object.getOwnPropertyNames(parsed), ["a"]);
    assert.deepEqual(Object.getOwnPropertyNames((parsed.a as object[])[0]), ["b"]);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  }
});

Deno.test("text that only speaks of __proto__ is kept", () => {
  assert.deepEqual(parseJson(`{"note": "__proto__", "constructor": "kept"}`), {
    note: "__proto__",
    constructor: "kept",
  });
});

Deno.test("what is no JSON is a SyntaxError", () => {
  for (const text of ["", "{", "{__proto__: 1}", "undefined"]) assert.throws(() => parseJson(text), SyntaxError);
});

Deno.test("keys of every object's prototype count like any other", () => {
  for (const key of ["constructor", "toString", "hasOwnProperty", "valueOf"]) {
    assert.equal(jsonEqual({}, { [key]: "x" }), false, `${key} added`);
    assert.equal(jsonEqual({ [key]: "x" }, {}), false, `${key} removed`);
    assert.equal(jsonEqual({ [key]: "x" }, { [key]: "x" }), true);
    assert.deepEqual(jsonClone({ [key]: "x" }), { [key]: "x" });
  }
});

Deno.test("an undefined member is an absent one, key order does not count, the order of a list does", () => {
  assert.ok(jsonEqual({ a: 1, b: undefined }, { a: 1 }));
  assert.ok(jsonEqual({ a: 1 }, { b: undefined, a: 1 }));
  assert.ok(jsonEqual({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }));
  assert.ok(!jsonEqual({ a: null }, {}), "null is a value");
  assert.ok(!jsonEqual([1, 2], [2, 1]));
  assert.ok(!jsonEqual([], {}));
  assert.ok(!jsonEqual({}, []));
  assert.ok(!jsonEqual([1], [1, 2]));
  assert.ok(!jsonEqual("1", 1));
  assert.ok(!jsonEqual(null, {}));
});

Deno.test("a clone equals its original, shares nothing with it, and has no undefined members", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const copy = jsonClone(value);
    assert.ok(jsonEqual(copy, parseJson(JSON.stringify(value))));
    if (typeof value === "object" && value !== null) assert.notEqual(copy, value);
  }));
  assert.deepEqual(Object.keys(jsonClone({ a: undefined, b: 1 })), ["b"]);
  const hostile = JSON.parse('{"__proto__": {"polluted": 1}, "a": 1}');
  assert.deepEqual(Object.getOwnPropertyNames(jsonClone(hostile)), ["a"]);
});

Deno.test("equal values have one canonical text", () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}');
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    return isObject(value)
      ? Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, shuffled(v)]))
      : value;
  };
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const safe = jsonClone(value);
    assert.equal(canonicalJson(safe), canonicalJson(shuffled(safe)));
  }));
});

Deno.test("freezing reaches every depth", () => {
  const frozen = deepFreeze({ a: [{ b: 1 }] });
  assert.throws(() => frozen.a.push({ b: 2 }), TypeError);
  assert.throws(() => frozen.a[0]!.b = 2, TypeError);
  assert.equal(deepFreeze(null), null);
});
