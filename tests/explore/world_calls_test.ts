import assert from "node:assert/strict";
import { observedWorld } from "../../lib/explore/world_calls.ts";

class Bank {
  readonly #accounts = new Map<string, number>();
  readonly dns = { add: (name: string) => name };
  readonly started = new Date(0);

  get size(): number {
    return this.#accounts.size;
  }

  async open(owner: string): Promise<number> {
    await Promise.resolve();
    this.#add(owner);
    return this.size;
  }

  #add(owner: string): void {
    this.#accounts.set(owner, 1);
  }
}

// FR-506
Deno.test("each call of a function of a world goes through the hook, with its name; private members work", async () => {
  const calls: unknown[] = [], bank = new Bank();
  const seen = observedWorld(bank, (name, call, isAsync) => {
    calls.push([name, isAsync]);
    return call();
  });
  assert.equal(await seen.open("ann"), 1);
  assert.equal(seen.dns.add("a"), "a");
  assert.equal(seen.size, bank.size);
  assert.deepEqual(calls, [["world.open", true], ["world.dns.add", false]]);
});

// FR-506
Deno.test("an observed world is what it was: its class, its identities, and objects of built-in classes", () => {
  const bank = new Bank(), seen = observedWorld(bank, (_name, call) => call());
  assert.ok(seen instanceof Bank);
  assert.equal(seen.dns, seen.dns);
  assert.equal(seen.started.getTime(), 0);
  const fixed = Object.freeze({ run: () => 1 });
  assert.equal(observedWorld(fixed, () => 2).run(), 1, "a frozen member cannot be replaced");
  assert.equal(observedWorld(undefined, () => 2), undefined);
  const map = new Map();
  assert.equal(observedWorld(map, () => 2), map);
});
