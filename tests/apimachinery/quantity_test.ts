import { compareQuantities, quantityEqual } from "../../lib/apimachinery/quantity.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalQuantity, parseQuantity } from "../../lib/apimachinery/mod.ts";

Deno.test("quantities of one value are equal in all notations", () => {
  const same = [
    ["1", "1000m"],
    ["1Gi", "1024Mi"],
    ["0.5", "500m"],
    ["1e3", "1k"],
    [".5", "500m"],
    ["1.5Gi", "1536Mi"],
    [
      "0",
      "-0",
    ],
    ["+2", "2"],
    ["1E2", "100"],
    ["2E", "2e18"],
  ];
  for (const [left, right] of same) assert.ok(quantityEqual(left, right), `${left} = ${right}`);
  assert.ok(quantityEqual(1, "1000m"));
  for (const [left, right] of [["1", "2"], ["1k", "1Ki"], ["x", "x"], ["", ""], ["1 ", "1"], ["1e9999", "1e9999"]]) {
    assert.ok(!quantityEqual(left, right), `${left} ≠ ${right}`);
  }
});

Deno.test("quantities compare by value, and fractions below a billionth round away from zero", () => {
  assert.ok(compareQuantities(parseQuantity("999m")!, parseQuantity("1")!) < 0);
  assert.ok(compareQuantities(parseQuantity("1Mi")!, parseQuantity("1M")!) > 0);
  assert.equal(parseQuantity("0.1n")!.nanos, 1n);
  assert.equal(parseQuantity("-0.1n")!.nanos, -1n);
});

Deno.test("the canonical string is the stored one", () => {
  const cases: [string, string][] = [
    ["1000m", "1"],
    ["1024Mi", "1Gi"],
    ["0.5", "500m"],
    ["1500m", "1500m"],
    ["1e3", "1e3"],
    [
      "1500",
      "1500",
    ],
    ["1000", "1k"],
    ["1.5Gi", "1536Mi"],
    ["100Ki", "100Ki"],
    ["0", "0"],
    ["0.1", "100m"],
    ["2000000", "2M"],
  ];
  for (const [text, canonical] of cases) assert.equal(canonicalQuantity(text), canonical);
  assert.equal(canonicalQuantity("ten"), undefined);
});

Deno.test("the canonical string keeps the value and is its own canonical string", () => {
  const text = fc.tuple(
    fc.integer({ min: -5000, max: 5000 }),
    fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3"),
  ).map(([n, suffix]) => `${n}${suffix}`);
  fc.assert(fc.property(text, (quantity) => {
    const canonical = canonicalQuantity(quantity)!;
    assert.ok(quantityEqual(quantity, canonical), `${quantity} → ${canonical}`);
    assert.equal(canonicalQuantity(canonical), canonical);
  }));
});
