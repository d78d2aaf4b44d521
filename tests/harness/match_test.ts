// FR-171
import assert from "node:assert/strict";
import fc from "fast-check";
import { describeMismatches, mismatches } from "../../lib/harness/match.ts";

const OBJECT = {
  kind: "ConfigMap",
  metadata: { name: "a", labels: { "app.kubernetes.io/name": "shop" }, finalizers: ["one", "two"] },
  data: { key: "some text", empty: "" },
  status: { ready: 0, conditions: [{ type: "Ready", status: "True" }] },
};

/** What is told of a pattern that does not match. */
function told(pattern: unknown, actual: unknown = OBJECT, secret = false): string {
  return describeMismatches(mismatches(pattern, actual, { secret }));
}

const MATCHING: [string, unknown][] = [
  ["no field at all", {}],
  ["a value", { kind: "ConfigMap" }],
  ["a field deep inside", { metadata: { labels: { "app.kubernetes.io/name": "shop" } } }],
  ["zero and the empty text", { data: { empty: "" }, status: { ready: 0 } }],
  ["a RegExp", { data: { key: /^some/ } }],
  ["a predicate", { status: { ready: (count: number) => count < 1 } }],
  ["undefined for what is absent", { spec: undefined, data: { gone: undefined } }],
  ["undefined inside of what is absent as a whole", { spec: { size: undefined } }],
  ["a list, item by item", { metadata: { finalizers: ["one", /tw/] }, status: { conditions: [{ type: "Ready" }] } }],
];
for (const [what, pattern] of MATCHING) {
  Deno.test(`a pattern with ${what} matches`, () => assert.deepEqual(mismatches(pattern, OBJECT), []));
}

const DIFFERING: [string, unknown, string][] = [
  ["another value", { data: { key: "other" } }, `  data.key: expected "other", found "some text"`],
  ["a value of another type", { status: { ready: "0" } }, `  status.ready: expected "0", found 0`],
  ["a field that is absent", { spec: { size: 1 } }, "  spec.size: expected 1, found nothing"],
  ["a field that should be absent", { data: { key: undefined } }, `  data.key: expected nothing, found "some text"`],
  ["a RegExp", { data: { key: /^text/ } }, `  data.key: expected a string like /^text/, found "some text"`],
  ["a RegExp for what is no text", { status: { ready: /0/ } }, "  status.ready: expected a string like /0/, found 0"],
  [
    "a predicate that has a name",
    { status: { ready: isMany } },
    "  status.ready: expected a value that is isMany, found 0",
  ],
  [
    "a predicate that has its field's name",
    { status: { ready: (count: number) => count > 1 } },
    "  status.ready: expected a value that the test accepts, found 0",
  ],
  [
    "a list that is longer",
    { metadata: { finalizers: ["one"] } },
    `  metadata.finalizers: expected ["one"], found ["one","two"]`,
  ],
  [
    "an item of a list",
    { metadata: { finalizers: ["one", "2"] } },
    `  metadata.finalizers[1]: expected "2", found "two"`,
  ],
  ["an object for a list", { metadata: { finalizers: {} } }, `  metadata.finalizers: expected {}, found ["one","two"]`],
  [
    "a key that is no word",
    { metadata: { labels: { "app.kubernetes.io/name": "x" } } },
    `  metadata.labels["app.kubernetes.io/name"]: expected "x", found "shop"`,
  ],
];
for (const [what, pattern, message] of DIFFERING) {
  Deno.test(`a pattern that differs in ${what} names the field, and both values`, () => {
    assert.equal(told(pattern), message);
  });
}

function isMany(count: number): boolean {
  return count > 10;
}

Deno.test("every field that differs is reported, not the first alone", () => {
  assert.equal(mismatches({ kind: "x", data: { key: "y", empty: "z" } }, OBJECT).length, 3);
});

Deno.test("a predicate that throws does not hold, and its message is reported", () => {
  const pattern = { spec: { name: (text: string) => text.length > 3 } };
  assert.match(told(pattern), /^ {2}spec\.name: expected .* found nothing; the test threw: Cannot read/);
});

Deno.test("a RegExp that remembers its position matches every time", () => {
  const pattern = { data: { key: /text/g } };
  for (let time = 0; time < 3; time++) assert.deepEqual(mismatches(pattern, OBJECT), []);
});

Deno.test("a field of a prototype is absent", () => {
  assert.equal(told({ data: { toString: "x" } }), `  data.toString: expected "x", found nothing`);
});

Deno.test("a long value is cut, and its length shown", () => {
  assert.match(told({ kind: "x" }, { kind: "k".repeat(5_000) }), /found "k{199}… \(5002 characters\)$/);
});

Deno.test("no message about a Secret has a value of it, wherever the pattern looks", () => {
  const hidden = "swordfish", encoded = btoa(hidden);
  const object = {
    kind: "Secret",
    metadata: {
      name: "a",
      annotations: {
        "kubectl.kubernetes.io/last-applied-configuration": `{"stringData":{"key":"${hidden}"}}`,
        note: "n",
      },
    },
    data: { key: encoded, "other.key": encoded },
    stringData: { key: hidden },
  };
  const isRight = () => false,
    throws = () => {
      throw new Error(`${hidden} and ${encoded} are wrong`);
    };
  const patterns = [
    { data: { key: "x" } },
    { data: { key: undefined, "other.key": isRight } },
    { data: { key: /^x/ }, stringData: { key: throws } },
    { data: isRight },
    { data: [] },
    { data: undefined, stringData: undefined },
    { metadata: isRight },
    { metadata: { annotations: undefined } },
    { metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "x", note: "m" } } },
    isRight,
    throws,
    [],
    "text",
    { data: { key: encoded.slice(1) } },
    { data: { wanted: encoded } },
    { data: { wanted: new RegExp(encoded) } },
  ];
  for (const pattern of patterns) {
    const message = told(pattern, object, true);
    assert.notEqual(message, "", JSON.stringify(pattern));
    for (const trace of [hidden, encoded, encoded.slice(1)]) assert.ok(!message.includes(trace), message);
  }
  assert.equal(
    told({ metadata: { name: "b", annotations: { note: "m" } }, type: "x", data: { key: "x" } }, object, true),
    [
      `  metadata.name: expected "b", found "a"`,
      `  metadata.annotations["note"]: expected "m", found "n"`.replace(`["note"]`, ".note"),
      `  type: expected "x", found nothing`,
      "  data.key: expected a secret value of 1 characters, found a secret value of 12 characters",
    ].join("\n"),
  );
});

Deno.test("an object matches itself, and any part of itself", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.func(fc.boolean()), (object, keep) => {
    assert.deepEqual(mismatches(object, object), []);
    const part = Object.fromEntries(Object.entries(object).filter(([key]) => keep(key)));
    assert.deepEqual(mismatches(part, object), []);
  }));
});
