import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { type WorkItem, WorkQueue } from "../../lib/queue/mod.ts";

const BACKOFF = { initialMs: 100, maxMs: 1_000 };

function open(): { queue: WorkQueue; clock: VirtualClock } {
  const clock = new VirtualClock(0);
  return { queue: new WorkQueue({ clock, random: new SeededRandom(1), backoff: BACKOFF }), clock };
}

/** Takes what can be taken at once. */
async function takeNow(queue: WorkQueue): Promise<WorkItem> {
  assert.ok(queue.depth > 0, "nothing waits");
  return (await queue.take())!;
}

async function keysInOrder(queue: WorkQueue): Promise<string[]> {
  const keys: string[] = [];
  while (queue.depth > 0) {
    const { key } = await takeNow(queue);
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

// FR-14
Deno.test("repeats of a key coalesce, and their reasons add up", async () => {
  const { queue, clock } = open();
  queue.add("a", "changed");
  await clock.advance(30);
  queue.add("a", "owned");
  queue.add("a", "changed");
  assert.equal(queue.depth, 1);
  const item = await takeNow(queue);
  assert.deepEqual([item.key, [...item.reasons], item.waitedMs], ["a", ["changed", "owned"], 30]);
  queue.done("a");
  assert.ok(queue.idle);
});

Deno.test("keys are served in the order in which they were added first", async () => {
  const { queue } = open();
  for (const key of ["a", "b", "a", "c", "b"]) queue.add(key, "changed");
  assert.deepEqual(await keysInOrder(queue), ["a", "b", "c"]);
});

// FR-14
Deno.test("a key is held by one worker, and served again if it was added meanwhile", async () => {
  const { queue } = open();
  queue.add("a", "changed");
  await takeNow(queue);
  queue.add("a", "owned");
  queue.add("a", "mapped");
  assert.equal(queue.depth, 0, "no second worker gets it");
  assert.equal(queue.idle, false);
  queue.done("a");
  assert.deepEqual([...(await takeNow(queue)).reasons], ["owned", "mapped"]);
  queue.done("a");
  assert.ok(queue.idle);
});

Deno.test("a worker that waits is served as soon as there is a key", async () => {
  const { queue } = open();
  const first = queue.take(), second = queue.take();
  queue.add("a", "changed");
  queue.add("b", "changed");
  assert.deepEqual([(await first)?.key, (await second)?.key], ["a", "b"]);
});

Deno.test("done for a key that was not taken is a bug of the caller", () => {
  const { queue } = open();
  queue.add("a", "changed");
  assert.throws(() => queue.done("a"), /done\("a"\) without take/);
});

// FR-15
Deno.test("changes go before the initial list", async () => {
  const { queue } = open();
  queue.add("old-1", "resume", "low");
  queue.add("old-2", "resume", "low");
  queue.add("new", "changed");
  assert.deepEqual(await keysInOrder(queue), ["new", "old-1", "old-2"]);
});

Deno.test("a change gives a key of the initial list the higher priority, with its reasons and its age", async () => {
  const { queue, clock } = open();
  for (const key of ["a", "b", "c"]) queue.add(key, "resume", "low");
  await clock.advance(10);
  queue.add("c", "changed");
  assert.equal(queue.depth, 3);
  const item = await takeNow(queue);
  assert.deepEqual([item.key, [...item.reasons], item.waitedMs, item.priority], [
    "c",
    ["resume", "changed"],
    10,
    "high",
  ]);
});

Deno.test("a resync of a key that waits as a change does not lower its priority", async () => {
  const { queue } = open();
  queue.add("a", "changed");
  queue.add("a", "resume", "low");
  queue.add("b", "resume", "low");
  assert.equal(queue.depth, 2);
  const item = await takeNow(queue);
  assert.deepEqual([item.key, item.priority, [...item.reasons]], ["a", "high", ["changed", "resume"]]);
});

// FR-15
Deno.test("an endless stream of changes does not starve the initial list", async () => {
  const { queue } = open();
  for (let i = 0; i < 5; i++) queue.add(`old-${i}`, "resume", "low");
  const served: string[] = [];
  for (let i = 0; i < 60; i++) {
    queue.add(`new-${i}`, "changed");
    queue.add(`more-${i}`, "changed");
    const { key } = await takeNow(queue);
    served.push(key);
    queue.done(key);
  }
  const old = served.filter((key) => key.startsWith("old"));
  assert.equal(old.length, 5, "one in nine is served from the load");
  assert.ok(served.slice(0, 8).every((key) => !key.startsWith("old")));
});

Deno.test("a key that is added while it is worked on keeps its priority", async () => {
  const { queue } = open();
  queue.add("a", "changed");
  await takeNow(queue);
  queue.add("a", "resume", "low");
  queue.add("b", "changed");
  queue.done("a");
  assert.deepEqual(await keysInOrder(queue), ["b", "a"]);
});

// FR-303
Deno.test("due timers and retries go behind changes, and alternate with the initial list", async () => {
  const { queue, clock } = open();
  for (const key of ["tick-1", "tick-2"]) queue.addAfter(key, 10, "timer");
  for (const key of ["old-1", "old-2"]) queue.add(key, "resume", "low");
  await clock.advance(10);
  queue.add("new", "changed");
  queue.add("tick-2", "changed");
  assert.deepEqual(await keysInOrder(queue), ["new", "tick-2", "old-1", "tick-1", "old-2"]);
});

// FR-300
Deno.test("setting the machine's clock moves no delay, and no wait", async () => {
  for (const deltaMs of [-100_000, 100_000]) {
    const { queue, clock } = open();
    queue.addAfter("a", 1_000, "timer");
    clock.set(deltaMs);
    queue.addAfter("a", 500, "retry");
    await clock.advance(499);
    assert.equal(queue.depth, 0);
    await clock.advance(1);
    const { waitedMs } = await takeNow(queue);
    assert.equal(waitedMs, 0);
    clock.set(deltaMs);
    assert.deepEqual(queue.workingSinceMs.map((since) => clock.elapsed() - since), [0]);
    queue.close();
  }
});

Deno.test("of two delays the earlier wins, and brings the reasons of both", async () => {
  for (const [first, second] of [[50, 20], [20, 50]] as const) {
    const { queue, clock } = open();
    queue.addAfter("a", first, `in ${first}`);
    queue.addAfter("a", second, `in ${second}`);
    await clock.advance(19);
    assert.equal(queue.depth, 0);
    await clock.advance(1);
    assert.deepEqual([...(await takeNow(queue)).reasons].sort(), ["in 20", "in 50"]);
    queue.done("a");
    await clock.advance(100);
    assert.equal(queue.depth, 0, "there was but one delay");
    assert.equal(clock.pending, 0);
  }
});

Deno.test("a delay of 0 enqueues at once", () => {
  const { queue, clock } = open();
  queue.addAfter("a", 0, "timer");
  queue.addAfter("b", -5, "timer");
  assert.deepEqual([queue.depth, clock.pending], [2, 0]);
});

Deno.test("taking a key ends its delay: the worker decides again when to come back", async () => {
  const { queue, clock } = open();
  queue.addAfter("a", 50, "timer");
  queue.add("a", "changed");
  assert.deepEqual([...(await takeNow(queue)).reasons], ["changed"]);
  assert.equal(clock.pending, 0);
  queue.addAfter("a", 10, "requeue");
  queue.done("a");
  await clock.advance(10);
  assert.deepEqual([...(await takeNow(queue)).reasons], ["requeue"], "what the worker asked for stays");
});

Deno.test("a delay that ends while the key is worked on brings it again afterwards", async () => {
  const { queue, clock } = open();
  queue.add("a", "changed");
  await takeNow(queue);
  queue.addAfter("a", 10, "timer");
  await clock.advance(10);
  assert.equal(queue.depth, 0);
  queue.done("a");
  assert.deepEqual([...(await takeNow(queue)).reasons], ["timer"]);
});

Deno.test("retries wait twice as long each time, up to the maximum, until the key is forgotten", async () => {
  const { queue, clock } = open();
  const delays: number[] = [];
  for (let i = 0; i < 6; i++) {
    delays.push(queue.retry("a", "retry"));
    await clock.advance(2_000);
    queue.done((await takeNow(queue)).key);
  }
  [100, 200, 400, 800, 1_000, 1_000].forEach((expected, index) => {
    assert.ok(Math.abs(delays[index]! - expected) <= expected / 10, `${delays}`);
    assert.ok(delays[index]! <= 1_000, `${delays}`);
  });
  assert.equal(queue.failures("a"), 6);
  queue.forget("a");
  assert.equal(queue.failures("a"), 0);
  assert.ok(queue.retry("a", "retry") <= 110);
  assert.equal(queue.failures("b"), 0, "another key's failures are its own");
});

Deno.test("closing resolves the workers that wait, drops delayed keys, and leaves no timer", async () => {
  const { queue, clock } = open();
  queue.add("held", "changed");
  await takeNow(queue);
  queue.add("held", "again");
  const waiting = queue.take();
  queue.addAfter("later", 50, "timer");
  queue.close();
  assert.equal(await waiting, undefined);
  assert.equal(await queue.take(), undefined);
  assert.equal(clock.pending, 0);
  queue.add("a", "changed");
  queue.addAfter("a", 10, "timer");
  queue.retry("a", "retry");
  queue.done("held");
  assert.deepEqual([queue.depth, queue.idle, clock.pending], [0, true, 0]);
});

Deno.test("closing drops keys that wait to be taken", () => {
  const { queue } = open();
  queue.add("a", "changed");
  queue.add("b", "resume", "low");
  queue.close();
  assert.equal(queue.depth, 0);
  queue.close();
});

Deno.test("the observer is called with depth, waits, work and retries", async () => {
  const clock = new VirtualClock(0), heard: string[] = [];
  const observer = {
    added: (depth: number) => heard.push(`added ${depth}`),
    taken: (waitedMs: number, depth: number) => heard.push(`taken after ${waitedMs}, ${depth} left`),
    done: (workedMs: number) => heard.push(`done in ${workedMs}`),
    retried: () => heard.push("retried"),
  };
  const queue = new WorkQueue({ clock, random: new SeededRandom(1), backoff: BACKOFF, observer });
  queue.add("a", "changed");
  await clock.advance(5);
  await takeNow(queue);
  assert.deepEqual(queue.workingSinceMs, [5]);
  await clock.advance(7);
  queue.retry("a", "retry");
  queue.done("a");
  assert.deepEqual(heard, ["added 1", "taken after 5, 0 left", "retried", "done in 7"]);
  queue.close();
});
