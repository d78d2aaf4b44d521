// FR-32
import assert from "node:assert/strict";
import { afterRepeatedWrite, cooled, coolMs, type HotLoopState, isHot, pauseMs } from "../../lib/handling/mod.ts";

const OPTIONS = { writesInARowMax: 3, windowMs: 10_000, pauseMsMax: 8_000 };

function writes(...timesMs: number[]): HotLoopState | undefined {
  return timesMs.reduce<HotLoopState | undefined>((state, ms) => afterRepeatedWrite(state, ms, OPTIONS), undefined);
}

Deno.test("a key is hot once it has written again often enough, each time within the window", () => {
  assert.equal(isHot(undefined, OPTIONS), false);
  assert.equal(isHot(writes(0, 9_000), OPTIONS), false);
  assert.equal(isHot(writes(0, 9_000, 18_000), OPTIONS), true);
  assert.equal(isHot(writes(0, 10_000, 20_000), OPTIONS), false, "further apart is no loop");
});

Deno.test("the pause of a hot key doubles with each write, up to its maximum", () => {
  const pauses = [2, 3, 4, 5, 6, 7, 2_000].map((writesInARow) => pauseMs({ writesInARow, lastMs: 0 }, OPTIONS));
  assert.deepEqual(pauses, [0, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  assert.equal(pauseMs(undefined, OPTIONS), 0);
});

Deno.test("the pause that the guard itself puts in does not cool a key", () => {
  const hot = writes(0, 1, 2, 3, 4, 5)!;
  const next = afterRepeatedWrite(hot, 5 + 8_000 + 9_999, OPTIONS);
  assert.equal(next.writesInARow, 7);
});

Deno.test("a key cools when nothing was written again for a window after the pause, and not before", () => {
  const hot = writes(0, 1, 2)!;
  assert.equal(coolMs(hot, OPTIONS), 2 + 1_000 + 10_000);
  assert.equal(cooled(hot, coolMs(hot, OPTIONS) - 1, OPTIONS), hot);
  assert.equal(cooled(hot, coolMs(hot, OPTIONS), OPTIONS), undefined);
  assert.equal(cooled(undefined, 0, OPTIONS), undefined);
});
