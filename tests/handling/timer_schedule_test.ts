// FR-23
import assert from "node:assert/strict";
import { firstTick, nextTick, tickDueMs } from "../../lib/handling/mod.ts";

Deno.test("the first tick comes at once, or after the initial delay", () => {
  assert.deepEqual(firstTick({ interval: "30s" }, 1_000), { dueMs: 1_000 });
  assert.deepEqual(firstTick({ interval: "30s", initialDelay: "5s" }, 1_000), { dueMs: 6_000 });
});

Deno.test("the interval counts from the end of a tick", () => {
  assert.deepEqual(nextTick({ interval: "30s" }, 1_000, 4_000), { dueMs: 34_000 });
});

Deno.test("a sharp interval counts from start to start, and skips what was missed", () => {
  const sharp = { interval: "10s", sharp: true } as const;
  assert.deepEqual(nextTick(sharp, 1_000, 4_000), { dueMs: 11_000 });
  assert.deepEqual(nextTick(sharp, 1_000, 1_000), { dueMs: 11_000 });
  assert.deepEqual(
    nextTick(sharp, 1_000, 11_000),
    { dueMs: 21_000 },
    "a tick that ends with the next is due after that",
  );
  assert.deepEqual(nextTick(sharp, 1_000, 35_000), { dueMs: 41_000 });
});

Deno.test("an interval of nothing is still a step forward", () => {
  assert.deepEqual(nextTick({ interval: 0 }, 1_000, 1_000), { dueMs: 1_001 });
  assert.deepEqual(nextTick({ interval: 0, sharp: true }, 1_000, 1_000), { dueMs: 1_001 });
});

Deno.test("an idle timer waits until the object has been left alone for long enough", () => {
  const options = { interval: "30s", idle: "5m" } as const;
  assert.equal(tickDueMs(options, { dueMs: 50_000 }, 40_000), 340_000);
  assert.equal(tickDueMs(options, { dueMs: 500_000 }, 40_000), 500_000);
  assert.equal(tickDueMs({ interval: "30s" }, { dueMs: 50_000 }, 49_000), 50_000);
});
