import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/mod.ts";
import { TokenBucket } from "../../lib/queue/mod.ts";

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
