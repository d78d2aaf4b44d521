import assert from "node:assert/strict";
import { SeededRandom } from "../../lib/base/mod.ts";
import { backoffMs } from "../../lib/queue/mod.ts";

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

Deno.test("backoff has a jitter of a tenth, or as declared, and never exceeds its maximum", () => {
  const random = new SeededRandom(1), delays = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const ms = backoffMs({ initialMs: 1_000, maxMs: 4_000 }, 2, random);
    assert.ok(ms >= 1_800 && ms <= 2_200, `${ms}`);
    delays.add(ms);
    assert.ok(backoffMs({ initialMs: 1_000, maxMs: 4_000 }, 9, random) <= 4_000);
  }
  assert.ok(delays.size > 90);
  for (const [next, ms] of [[0, 500], [0.5, 1_000], [1, 1_500]] as const) {
    assert.equal(backoffMs({ initialMs: 1_000, maxMs: 4_000, jitter: 0.5 }, 1, { next: () => next }), ms);
  }
});
