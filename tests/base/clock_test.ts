import assert from "node:assert/strict";
import { sleep, SystemClock, VirtualClock } from "../../lib/base/mod.ts";

Deno.test("the virtual clock fires timers in order of due time, then of creation", async () => {
  const clock = new VirtualClock(1_000);
  const fired: string[] = [];
  for (const [name, delayMs] of [["late", 30], ["first", 10], ["second", 10], ["past", -5]] as const) {
    clock.schedule(() => fired.push(`${name}@${clock.now()}`), delayMs);
  }
  assert.equal(clock.nextInMs, 0);
  await clock.advance(29);
  assert.deepEqual(fired, ["past@1000", "first@1010", "second@1010"]);
  assert.deepEqual([clock.pending, clock.nextInMs, clock.now()], [1, 1, 1_029]);
  await clock.advance(1);
  assert.deepEqual([fired.at(-1), clock.pending, clock.nextInMs], ["late@1030", 0, undefined]);
});

Deno.test("scheduling never calls back at once, not even without a delay", async () => {
  const clock = new VirtualClock();
  let rang = false;
  clock.schedule(() => rang = true, 0);
  assert.equal(rang, false);
  await clock.advance(0);
  assert.equal(rang, true);
});

Deno.test("a timer that a timer starts fires within the same advance", async () => {
  const clock = new VirtualClock(0), fired: number[] = [];
  clock.schedule(() => {
    fired.push(clock.now());
    clock.schedule(() => fired.push(clock.now()), 5);
  }, 5);
  await clock.advance(10);
  assert.deepEqual(fired, [5, 10]);
});

Deno.test("code between two timers runs before the later one", async () => {
  const clock = new VirtualClock(0), seen: string[] = [];
  const worker = (async () => {
    await sleep(clock, 10);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    seen.push(`worker@${clock.now()}`);
  })();
  clock.schedule(() => seen.push("later"), 11);
  await clock.advance(11);
  await worker;
  assert.deepEqual(seen, ["worker@10", "later"]);
});

Deno.test("a cleared timer does not fire; clearing it again, or a fired one, is harmless", async () => {
  for (const clock of [new VirtualClock(), new SystemClock()]) {
    const handle = clock.schedule(() => assert.fail("cleared"), 0);
    clock.clear(handle);
    clock.clear(handle);
    clock.clear({ id: 4_711 });
    const rang = Promise.withResolvers<void>();
    const other = clock.schedule(rang.resolve, 0);
    if (clock instanceof VirtualClock) await clock.advance(0);
    await rang.promise;
    clock.clear(other);
  }
});

Deno.test("the virtual clock refuses to run backwards", async () => {
  await assert.rejects(new VirtualClock().advance(-1), RangeError);
});

// FR-300
Deno.test("a clock that is set shows another time, while what has elapsed and what is due stay as they were", async () => {
  const clock = new VirtualClock(1_000_000), fired: number[] = [], beganMs = clock.elapsed();
  clock.schedule(() => fired.push(clock.elapsed() - beganMs), 50);
  clock.set(-100_000);
  assert.deepEqual([clock.now(), clock.elapsed() - beganMs, clock.nextInMs], [900_000, 0, 50]);
  await clock.advance(50);
  assert.deepEqual([fired, clock.now()], [[50], 900_050]);
});

Deno.test("two concurrent advances leave the clock at the later end", async () => {
  const clock = new VirtualClock(0);
  await Promise.all([clock.advance(100), clock.advance(10)]);
  assert.equal(clock.now(), 100);
});

Deno.test("sleep ends at its time, and removes its listener from the signal", async () => {
  const clock = new VirtualClock(0), controller = new AbortController();
  const listeners = countListeners(controller.signal);
  let awake = false;
  const sleeping = sleep(clock, 50, controller.signal).then(() => awake = true);
  await clock.advance(49);
  assert.equal(awake, false);
  assert.equal(listeners(), 1);
  await clock.advance(1);
  await sleeping;
  assert.equal(listeners(), 0);
});

Deno.test("sleep throws the signal's reason as soon as it aborts, and leaves no timer", async () => {
  const clock = new VirtualClock(), controller = new AbortController(), reason = new Error("enough");
  const sleeping = assert.rejects(sleep(clock, 1_000, controller.signal), reason);
  assert.equal(clock.pending, 1);
  controller.abort(reason);
  await sleeping;
  assert.equal(clock.pending, 0);
  await assert.rejects(sleep(clock, 1_000, controller.signal), reason, "nor does one begun after the abort");
  assert.equal(clock.pending, 0);
});

/** How many abort listeners a signal has. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const add = signal.addEventListener.bind(signal), remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => (count++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (count--, remove(...args));
  return () => count;
}

Deno.test("advancing a virtual clock waits for no real timer, each of which takes a millisecond at least", async () => {
  const clock = new VirtualClock(), real = globalThis.setTimeout;
  let ticks = 0;
  const tick = () => {
    ticks++;
    clock.schedule(tick, 1_000);
  };
  tick();
  globalThis.setTimeout = (() => {
    throw new Error("a timer of the machine");
  }) as unknown as typeof setTimeout;
  try {
    await clock.advance(60_000);
  } finally {
    globalThis.setTimeout = real;
  }
  assert.equal(ticks, 61);
});
