import assert from "node:assert/strict";
import { sleep, TimeoutError, VirtualClock } from "../../lib/base/mod.ts";
import { runWithTimeout } from "../../lib/handling/mod.ts";

const never = new AbortController().signal;

Deno.test("the result of work that is in time is the result, and its timer is gone", async () => {
  const clock = new VirtualClock();
  assert.equal(await runWithTimeout(clock, 1_000, never, () => 5), 5);
  const slow = runWithTimeout(clock, 1_000, never, (signal) => sleep(clock, 999, signal).then(() => 6));
  await clock.advance(999);
  assert.equal(await slow, 6);
  assert.equal(clock.pending, 0);
});

Deno.test("an error of the work is thrown, also one at once, and the timer is gone", async () => {
  const clock = new VirtualClock();
  const error = new RangeError("work");
  await assert.rejects(runWithTimeout(clock, 1_000, never, () => Promise.reject(error)), error);
  await assert.rejects(
    runWithTimeout(clock, 1_000, never, () => {
      throw error;
    }),
    error,
  );
  assert.equal(clock.pending, 0);
});

Deno.test("work that obeys its signal ends with a timeout", async () => {
  const clock = new VirtualClock();
  let reason: unknown;
  const running = assert.rejects(
    runWithTimeout(clock, 5_000, never, async (signal) => {
      await sleep(clock, 60_000, signal).catch((error) => reason = error);
      throw new Error("my own words");
    }),
    (error: Error) => error instanceof TimeoutError && error.message.includes("5s"),
  );
  await clock.advance(5_000);
  await running;
  assert.ok(reason instanceof TimeoutError);
  assert.equal(clock.pending, 0);
});

for (const late of ["result", "error"] as const) {
  Deno.test(`work that ignores its signal is ended all the same, and its late ${late} is discarded`, async () => {
    const clock = new VirtualClock(), work = Promise.withResolvers<number>();
    const running = assert.rejects(runWithTimeout(clock, 5_000, never, () => work.promise), TimeoutError);
    await clock.advance(5_000);
    await running;
    if (late === "result") work.resolve(1);
    else work.reject(new Error("too late"));
    await clock.advance(0);
  });
}

// FR-30
Deno.test("an abort of the parent ends work that ignores it, with the parent's reason", async () => {
  const clock = new VirtualClock(), parent = new AbortController(), reason = new Error("the grace period is over");
  let seen: AbortSignal | undefined;
  const running = assert.rejects(
    runWithTimeout(clock, 5_000, parent.signal, (signal) => {
      seen = signal;
      return new Promise<never>(() => {});
    }),
    reason,
  );
  parent.abort(reason);
  await running;
  assert.equal(seen?.reason, reason);
  assert.equal(clock.pending, 0);
});

Deno.test("under an aborted parent no work begins", async () => {
  const clock = new VirtualClock(), parent = new AbortController(), reason = new Error("stopped");
  parent.abort(reason);
  await assert.rejects(runWithTimeout(clock, 5_000, parent.signal, () => assert.fail("begun")), reason);
  assert.equal(clock.pending, 0);
});
