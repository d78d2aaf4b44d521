import assert from "node:assert/strict";
import { jitter, randomSuffix, randomUuid, SeededRandom, SystemRandom } from "../../lib/base/mod.ts";

Deno.test("a seed repeats its numbers, another seed gives others", () => {
  const numbers = (seed: number) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 50 }, () => random.next());
  };
  assert.deepEqual(numbers(7), numbers(7));
  assert.notDeepEqual(numbers(7), numbers(8));
  assert.equal(new Set(numbers(7)).size, 50);
  assert.deepEqual(numbers(-1), numbers(2 ** 32 - 1), "seeds are 32 bits");
});

Deno.test("numbers lie in [0, 1) and spread evenly", () => {
  for (const random of [new SeededRandom(1), new SystemRandom()]) {
    for (let i = 0; i < 1_000; i++) {
      const number = random.next();
      assert.ok(number >= 0 && number < 1, `${number}`);
    }
  }
  const random = new SeededRandom(3), tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) tenths[Math.floor(random.next() * 10)]!++;
  for (const count of tenths) assert.ok(count > 900 && count < 1_100, tenths.join());
});

Deno.test("jitter stays within its fraction of the value", () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 1_000; i++) {
    const ms = jitter(random, 1_000);
    assert.ok(ms >= 900 && ms < 1_100, `${ms}`);
    assert.equal(jitter(random, 1_000, 0), 1_000);
  }
});

Deno.test("suffixes and UUIDs have the letters and the shape that Kubernetes and RFC 9562 ask for", () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 200; i++) {
    assert.match(randomSuffix(random), /^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    assert.match(randomUuid(random), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  assert.equal(randomSuffix(random, 0), "");
  assert.equal(randomUuid(new SeededRandom(5)), randomUuid(new SeededRandom(5)));
});
