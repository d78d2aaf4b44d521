import assert from "node:assert/strict";
import fc from "fast-check";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { WorkQueue } from "../../lib/queue/mod.ts";

type Step =
  | { kind: "add"; key: string; priority: "high" | "low" }
  | { kind: "addAfter"; key: string; delayMs: number }
  | { kind: "retry"; key: string }
  | { kind: "take" }
  | { kind: "done"; nth: number }
  | { kind: "advance"; ms: number };

const KEY = fc.constantFrom("a", "b", "c", "d");
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("add" as const),
      key: KEY,
      priority: fc.constantFrom("high" as const, "low" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("addAfter" as const),
      key: KEY,
      delayMs: fc.integer({ min: -5, max: 500 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("retry" as const), key: KEY }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("done" as const), nth: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 400 }) }) },
);

/** A clock whose timers are fired by hand, without the turns of the event loop that thousands of runs cannot afford. */
class SteppedClock extends VirtualClock {
  readonly #due: { dueMs: number; callback: () => void; id: number }[] = [];
  #atMs = 0;

  override now(): number {
    return this.#atMs;
  }

  override elapsed(): number {
    return this.#atMs;
  }

  override schedule(callback: () => void, delayMs: number): { id: number } {
    const timer = { dueMs: this.#atMs + delayMs, callback, id: this.#due.length };
    this.#due.push(timer);
    return timer;
  }

  override clear({ id }: { id: number }): void {
    this.#due[id]!.callback = () => {};
  }

  step(ms: number): void {
    this.#atMs += ms;
    for (const timer of [...this.#due].sort((left, right) => left.dueMs - right.dueMs)) {
      if (timer.dueMs > this.#atMs) continue;
      const { callback } = timer;
      timer.callback = () => {};
      callback();
    }
  }
}

// FR-14
Deno.test("no key is lost and none is held twice, in any order of adds, delays, retries, takes and ends", async () => {
  await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async (steps) => {
    const clock = new SteppedClock();
    const queue = new WorkQueue({ clock, random: new SeededRandom(1), backoff: { initialMs: 50, maxMs: 200 } });
    const held: string[] = [];
    /** Keys that were requested after they were last taken. */
    const requested = new Set<string>();
    const hold = (key: string) => {
      assert.ok(!held.includes(key), `${key} is held twice`);
      assert.ok(requested.delete(key), `${key} was served without a request`);
      held.push(key);
    };
    for (const step of steps) {
      switch (step.kind) {
        case "add":
          queue.add(step.key, "x", step.priority);
          requested.add(step.key);
          break;
        case "addAfter":
          queue.addAfter(step.key, step.delayMs, "x");
          requested.add(step.key);
          break;
        case "retry":
          queue.retry(step.key, "x");
          requested.add(step.key);
          break;
        case "take":
          if (queue.depth > 0) hold((await queue.take())!.key);
          break;
        case "done": {
          const [key] = held.splice(step.nth % Math.max(1, held.length), 1);
          if (key !== undefined) queue.done(key);
          break;
        }
        case "advance":
          clock.step(step.ms);
          break;
        default:
          step satisfies never;
      }
    }
    for (const key of held.splice(0)) queue.done(key);
    clock.step(10_000);
    while (queue.depth > 0) {
      hold((await queue.take())!.key);
      queue.done(held.pop()!);
    }
    assert.deepEqual([...requested], [], "these were lost");
    assert.ok(queue.idle);
  }));
});
