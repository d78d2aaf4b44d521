import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { backoffMs, TokenBucket } from "../../lib/queue/mod.ts";

const EVEN = { next: () => 0.5 };

Deno.test("backoff doubles from its initial delay to its maximum and never overflows", () => {
  const options = { initialMs: 500, maxMs: 300_000 };
  assert.deepEqual([0, 1, 2, 3, 10, 11].map((failures) => backoffMs(options, failures, EVEN)), [
    500,
    500,
    1_000,
    2_000,
    256_000,
    300_000,
  ]);
  assert.equal(backoffMs(options, 1e9, EVEN), 300_000);
});

Deno.test("backoff is scattered by a tenth, and never above its maximum", () => {
  const random = new SeededRandom(1), delays = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const ms = backoffMs({ initialMs: 1_000, maxMs: 4_000 }, 2, random);
    assert.ok(ms >= 1_800 && ms <= 2_200, `${ms}`);
    delays.add(ms);
    assert.ok(backoffMs({ initialMs: 1_000, maxMs: 4_000 }, 9, random) <= 4_000);
  }
  assert.ok(delays.size > 90);
});

Deno.test("a token bucket lets its burst through, then one per refill, and saves up no more than its burst", async () => {
  const clock = new VirtualClock();
  const bucket = new TokenBucket(clock, { burst: 3, refillMs: 100 });
  const takeAll = () => {
    let taken = 0;
    while (bucket.take()) taken++;
    return taken;
  };
  assert.equal(takeAll(), 3);
  await clock.advance(99);
  assert.equal(takeAll(), 0);
  await clock.advance(1);
  assert.equal(takeAll(), 1);
  await clock.advance(250);
  assert.equal(takeAll(), 2);
  await clock.advance(50);
  assert.equal(takeAll(), 1, "half a token was kept");
  await clock.advance(1_000_000);
  assert.equal(takeAll(), 3);
});

// FR-300
Deno.test("a machine's clock that is set back takes no tokens away, and one set forward adds none", async () => {
  const clock = new VirtualClock(), bucket = new TokenBucket(clock, { burst: 2, refillMs: 100 });
  clock.set(-1_000_000);
  assert.deepEqual([bucket.take(), bucket.take(), bucket.take()], [true, true, false]);
  clock.set(5_000_000);
  assert.equal(bucket.take(), false);
  await clock.advance(100);
  assert.equal(bucket.take(), true, "and refills from there");
});
