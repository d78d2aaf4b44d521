// FR-172
import assert from "node:assert/strict";
import fc from "fast-check";
import { settle } from "../../lib/base/mod.ts";
import { RwLock } from "../../lib/harness/rw_lock.ts";

/** Who is inside of a lock, watched from outside. */
class Crowd {
  readonly lock = new RwLock();
  readonly entered: number[] = [];
  readonly #inside = new Map<number, { readonly alone: boolean; readonly leave: Disposable }>();
  #next = 0;

  /** Requests the lock. */
  come(alone: boolean): void {
    const nth = this.#next++;
    void this.lock.acquire(alone).then((leave) => {
      this.entered.push(nth);
      this.#inside.set(nth, { alone, leave });
    });
  }

  /** A holder releases the lock: twice, as it may happen. */
  leave(which: number): void {
    const nth = [...this.#inside.keys()][which % Math.max(1, this.#inside.size)];
    if (nth === undefined) return;
    const { leave } = this.#inside.get(nth)!;
    this.#inside.delete(nth);
    leave[Symbol.dispose]();
    leave[Symbol.dispose]();
  }

  get inside(): readonly boolean[] {
    return [...this.#inside.values()].map(({ alone }) => alone);
  }

  get came(): number {
    return this.#next;
  }
}

const STEP = fc.oneof(
  fc.record({ come: fc.boolean() }),
  fc.record({ leave: fc.nat(20) }),
);

Deno.test("a writer is alone, and all get the lock, in the order of their requests", async () => {
  await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 40 }), async (steps) => {
    const crowd = new Crowd();
    const settled = async () => {
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      assert.ok(!crowd.inside.includes(true) || crowd.inside.length === 1, `inside: ${crowd.inside}`);
      assert.deepEqual(crowd.entered, crowd.entered.toSorted((a, b) => a - b));
    };
    for (const step of steps) {
      if ("come" in step) crowd.come(step.come);
      else crowd.leave(step.leave);
      await settled();
    }
    // No starvation: as long as those inside leave, everybody who waits gets in.
    while (crowd.inside.length > 0) {
      crowd.leave(0);
      await settled();
    }
    assert.equal(crowd.entered.length, crowd.came);
  }));
});

Deno.test("shared holders run together: none of them waits for another", async () => {
  const crowd = new Crowd();
  for (let nth = 0; nth < 5; nth++) crowd.come(false);
  await settle(1);
  assert.equal(crowd.inside.length, 5);
});

Deno.test("a stream of shared holders does not starve an exclusive one", async () => {
  const crowd = new Crowd();
  crowd.come(false);
  crowd.come(true);
  crowd.come(false);
  await settle(1);
  assert.deepEqual(crowd.inside, [false]);
  crowd.leave(0);
  await settle(1);
  assert.deepEqual(crowd.inside, [true], "the later one stands behind");
});
