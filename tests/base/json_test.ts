import assert from "node:assert/strict";
import fc from "fast-check";
import {
  canonicalJson,
  deepFreeze,
  formatJson,
  isObject,
  jsonClone,
  jsonEqual,
  narrowIntegers,
  ownValue,
  parseJson,
} from "../../lib/base/mod.ts";

// FR-126, FR-290
Deno.test("__proto__ is a key of data at every depth, however it is written, and reaches no prototype", () => {
  for (const key of ["__proto__", "\\u005f_proto__", "__pr\\u006fto__"]) {
    const parsed = parseJson<Record<string, unknown>>(`{"a":[{"${key}":{"polluted":1},"b":2}],"${key}":{"x":1}}`);
    assert.equal(formatJson(parsed), `{"a":[{"__proto__":{"polluted":1},"b":2}],"__proto__":{"x":1}}`);
    for (const copy of [parsed, jsonClone(parsed), narrowIntegers(parsed) as typeof parsed]) {
      assert.deepEqual(Object.getOwnPropertyNames(copy), ["a", "__proto__"]);
      assert.deepEqual(Object.getOwnPropertyNames((copy.a as object[])[0]), ["b", "__proto__"].toReversed());
      assert.equal(Object.getPrototypeOf(copy), Object.prototype);
      assert.equal((copy as { x?: unknown }).x, undefined);
      assert.deepEqual(ownValue(copy, "__proto__"), { x: 1 });
      assert.ok(jsonEqual(copy, parsed));
      assert.equal(canonicalJson(copy), canonicalJson(parsed));
    }
    assert.ok(!jsonEqual(parsed, { a: parsed.a }));
    assert.ok(!jsonEqual({ a: parsed.a }, parsed));
  }
  assert.equal(ownValue({}, "__proto__"), undefined);
  assert.equal(ownValue({}, "constructor"), undefined);
});

Deno.test("an int64 beyond the exact numbers is a bigint, and is written as it was read", () => {
  const exact = [
    "9007199254740992",
    "-9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
  ];
  for (const text of exact) {
    for (
      const whole of [text, `{"a":${text}}`, `[1, ${text}]`, `{\n  "a":\n${text}\n}`, `{"__proto__":[-1,${text},0.5]}`]
    ) {
      assert.equal(formatJson(parseJson(whole)), whole.replaceAll(/\s/g, ""));
    }
    assert.equal(parseJson<bigint>(text), BigInt(text));
  }
});

Deno.test("every other number is a number: small integers, floats, integers beyond int64, digits in strings", () => {
  const texts = ["0", "-9007199254740991", "9007199254740991", "0.12345678901234567", "12345678901234567.5", "1e300"];
  for (const text of [...texts, "9223372036854775808", "-9223372036854775809", "1234567890123456e3"]) {
    assert.equal(parseJson<number>(text), Number(text));
  }
  assert.deepEqual(parseJson('{"a":"x: 12345678901234567"}'), { a: "x: 12345678901234567" });
});

Deno.test("values with bigints are compared, copied, frozen and hashed as what they are written as", () => {
  const large = 2n ** 60n, value = { a: [large, 5n], b: 1 };
  assert.ok(jsonEqual(value, jsonClone(value)));
  assert.ok(jsonEqual(value, structuredClone(value)));
  assert.ok(jsonEqual(value, parseJson(formatJson(value))), "a small bigint is read again as a number, and equals it");
  assert.ok(jsonEqual(5, 5n));
  assert.ok(!jsonEqual(6, 5n));
  assert.ok(!jsonEqual(large, large + 1n));
  assert.ok(!jsonEqual(Number(large), large), "the number stands for many integers");
  assert.ok(jsonEqual(2 ** 60, parseJson(formatJson(2 ** 60))), "it is read as the integer that it was written as");
  for (const other of [0.5, "0", null, false, undefined, [], {}]) {
    assert.ok(!jsonEqual(other, 0n));
    assert.ok(!jsonEqual(0n, other));
  }
  assert.equal(canonicalJson(value), '{"a":[1152921504606846976,5],"b":1}');
  assert.equal(deepFreeze(value), value);
  assert.deepEqual(narrowIntegers({ a: [5n, large, 2n ** 70n] }), { a: [5, large, 2 ** 70] });
});

// FR-290
Deno.test("any integer of 64 bits survives reading and writing, wherever it stands", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value, integer) => {
    const text = `{"value":${JSON.stringify(value)},"list":[${integer}],"integer":${integer}}`;
    const read = parseJson<{ integer: number | bigint; list: [number | bigint] }>(text);
    assert.equal(BigInt(read.integer), integer);
    assert.equal(typeof read.integer, Number.isSafeInteger(Number(integer)) ? "number" : "bigint");
    assert.ok(jsonEqual(parseJson(formatJson(read)), read));
    assert.ok(formatJson(read).endsWith(`"list":[${integer}],"integer":${integer}}`));
  }));
});

// FR-291
Deno.test("characters that YAML forbids or folds are escaped, and an unpaired surrogate is replaced", () => {
  const hostile = "a\x7f\x80\x85\x9f\u2028\u2029\ufeff\ufffe\uffffz";
  const written = formatJson({ [hostile]: hostile });
  const escaped = "a\\u007f\\u0080\\u0085\\u009f\\u2028\\u2029\\ufeff\\ufffe\\uffffz";
  assert.equal(written, `{"${escaped}":"${escaped}"}`);
  assert.deepEqual(parseJson(written), { [hostile]: hostile });
  assert.equal(formatJson("\ud800"), '"\ufffd"');
  assert.equal(formatJson("x\\\udfffy"), '"x\\\\\ufffdy"');
  assert.equal(formatJson("\\ud800"), '"\\\\ud800"', "a text that only looks like an escape");
  assert.equal(formatJson("\ud83d\ude00"), '"\ud83d\ude00"');
  assert.equal(formatJson({ a: [1n] }, 2), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(formatJson(undefined), "null");
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.throws(() => formatJson(circle), TypeError);
});

Deno.test("any text that UTF-8 can hold is the same after writing as JSON and reading as YAML", async () => {
  const { parse } = await import("../../lib/base/yaml.ts");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const written = formatJson({ [text]: [text] });
    assert.deepEqual(parse(written, { version: "1.1" }), parseJson(written));
    assert.deepEqual(parseJson(written), { [text.toWellFormed()]: [text.toWellFormed()] });
  }));
});

Deno.test("text that contains __proto__ is kept", () => {
  assert.deepEqual(parseJson(`{"note": "__proto__", "constructor": "kept"}`), {
    note: "__proto__",
    constructor: "kept",
  });
});

Deno.test("malformed JSON is a SyntaxError", () => {
  for (const text of ["", "{", "{__proto__: 1}", "undefined"]) assert.throws(() => parseJson(text), SyntaxError);
});

Deno.test("keys of Object.prototype are ordinary keys", () => {
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
