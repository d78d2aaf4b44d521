import assert from "node:assert/strict";
import { worldState } from "../../lib/explore/world_state.ts";

const titles = (world: unknown) => worldState(world).map(({ kind, name }) => `${kind} ${name}`);

// FR-506
Deno.test("the entries of a world's maps, records, sets and lists are its objects, with their fields", () => {
  const world = {
    accounts: new Map([["ann", { number: 7, tags: ["a"] }]]),
    zones: { home: { ttl: 60 } },
    open: new Set(["x"]),
    mails: [{ to: "ann" }],
  };
  assert.deepEqual(titles(world), [
    "world.accounts ann",
    "world.zones.home ttl",
    "world.open x",
    "world.mails .to=ann",
  ]);
  assert.deepEqual([...worldState(world)[0]!.fields], [["value.number", 7], ["value.tags.0", "a"]]);
});

// FR-506
Deno.test("calls that a fake counts or lists twice are no difference, nor are its functions", () => {
  const fake = (count: number) => ({ count, calls: Array(count).fill("open ann"), open: () => {} });
  assert.deepEqual(worldState(fake(1)), worldState(fake(2)));
});

// FR-506
Deno.test("a world shows its private state by toJSON, and one that holds itself has an end", () => {
  class Bank {
    readonly #accounts = new Map([["ann", 1]]);
    toJSON() {
      return { accounts: this.#accounts };
    }
  }
  assert.deepEqual(titles(new Bank()), ["world.accounts ann"]);
  const ring: { self?: unknown } = {};
  ring.self = ring;
  assert.deepEqual(titles(ring), []);
  assert.deepEqual(titles(undefined), []);
});
