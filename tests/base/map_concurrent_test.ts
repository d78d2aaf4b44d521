import assert from "node:assert/strict";
import { mapConcurrent, SeededRandom, sleep, VirtualClock } from "../../lib/base/mod.ts";

Deno.test("results are in the order of the items, in whichever order the work ends", async () => {
  const clock = new VirtualClock(), random = new SeededRandom(1);
  const items = Array.from({ length: 20 }, (_, index) => index);
  const mapped = mapConcurrent(items, 4, async (item, index) => {
    await sleep(clock, random.next() * 100);
    return `${item}:${index}`;
  });
  await clock.advance(2_000);
  assert.deepEqual(await mapped, items.map((item) => `${item}:${item}`));
});

Deno.test("no more than the allowed number of items is worked on at once, and all lanes are used", async () => {
  const clock = new VirtualClock();
  let under = 0, most = 0;
  const mapped = mapConcurrent(Array.from({ length: 10 }), 3, async () => {
    most = Math.max(most, ++under);
    await sleep(clock, 10);
    under--;
  });
  await clock.advance(100);
  await mapped;
  assert.equal(most, 3);
});

Deno.test("after an error nothing new begins, and it is thrown once the running work has ended", async () => {
  const clock = new VirtualClock(), begun: number[] = [], ended: number[] = [];
  const mapped = assert.rejects(
    mapConcurrent([0, 1, 2, 3, 4], 2, async (item) => {
      begun.push(item);
      await sleep(clock, item === 0 ? 10 : 50);
      ended.push(item);
      if (item < 2) throw new Error(`item ${item}`);
    }),
    /^Error: item 0$/,
  );
  await clock.advance(50);
  await mapped;
  assert.deepEqual([begun, ended], [[0, 1], [0, 1]]);
});

Deno.test("work that throws at once counts as an error of the work", async () => {
  await assert.rejects(
    mapConcurrent([1], 1, () => {
      throw new TypeError("at once");
    }),
    TypeError,
  );
});

Deno.test("no items are no work, and a concurrency below one is a RangeError", async () => {
  assert.deepEqual(await mapConcurrent([], 5, () => assert.fail("no items")), []);
  for (const concurrency of [0, -1, NaN]) {
    await assert.rejects(mapConcurrent([1], concurrency, () => Promise.resolve()), RangeError);
  }
});
