import assert from "node:assert/strict";
import fc from "fast-check";
import { type Random, SeededRandom } from "../../lib/base/mod.ts";
import { nextCrateOperation } from "./crate_site.ts";
import { verdictIn, WEATHERS } from "./network_weather.ts";
import { nextReplicationOperation } from "./replication_site.ts";
import { weighted } from "./site.ts";

const DRAWN = 2_000;

function drawn<T>(next: (random: Random) => T, seed: number): T[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: DRAWN }, () => next(random));
}

for (
  const [what, next, kinds] of [["Replications", nextReplicationOperation, 12], [
    "crates",
    nextCrateOperation,
    7,
  ]] as const
) {
  // FR-372
  Deno.test(`operations on ${what}: a seed repeats them, and each kind comes`, () => {
    const first = drawn<{ readonly kind: string }>(next, 5);
    assert.deepEqual(drawn<{ readonly kind: string }>(next, 5), first);
    assert.notDeepEqual(drawn<{ readonly kind: string }>(next, 6), first);
    assert.equal(new Set(first.map(({ kind }) => kind)).size, kinds);
  });
}

Deno.test("what has no weight is never chosen, and every point chooses something", () => {
  fc.assert(fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (point) => {
    assert.ok(["a", "c"].includes(weighted({ a: 1, b: 0, c: 3 }, point)));
  }));
  assert.deepEqual([0, 0.24, 0.26, 0.99].map((point) => weighted({ a: 1, b: 0, c: 3 }, point)), ["a", "a", "c", "c"]);
});

for (const [name, weather] of Object.entries(WEATHERS)) {
  Deno.test(`a network of kind "${name}" does what it says, and leaves most requests alone`, () => {
    const watches = drawn((random) => verdictIn(weather, random, { isWatch: true }).kind, 1);
    const requests = drawn((random) => verdictIn(weather, random, { isWatch: false }).kind, 1);
    assert.deepEqual([...new Set(watches)].sort(), [...Object.keys(weather), "pass"].sort());
    assert.ok(!requests.includes("stall") && !requests.includes("cutLater"), "these are about watches alone");
    assert.ok(requests.filter((kind) => kind === "pass" || kind === "delay").length > DRAWN / 2);
  });
}
