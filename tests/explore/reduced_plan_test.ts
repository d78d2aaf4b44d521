import assert from "node:assert/strict";
import { formatPlan, type Plan } from "../../lib/explore/mod.ts";
import { reducePlan } from "../../lib/explore/reduced_plan.ts";

const plan: Plan = {
  kind: "pairs",
  faults: Array.from({ length: 9 }, (_, nth) => ({ at: "write", nth: nth + 1, fate: { kind: "foreign" } })),
};

/** What is left where a plan fails that has all of these writes, and how many parts were run. */
async function reduced(...needed: number[]): Promise<[string, number]> {
  let runs = 0;
  const failsWith = (part: Plan) => {
    const writes = part.faults.map((fault) => "nth" in fault ? fault.nth : 0);
    return needed.every((nth) => writes.includes(nth));
  };
  const shortest = await reducePlan({ plan }, (part) => {
    runs++;
    return Promise.resolve(failsWith(part) ? { plan: part } : undefined);
  });
  return [formatPlan(shortest.plan), runs];
}

// FR-525
Deno.test("of a failing plan of many faults those are left without which it passes", async () => {
  for (const needed of [[1], [9], [5], [2, 8], [1, 2, 9], [3, 4, 5, 6]]) {
    const [name, runs] = await reduced(...needed);
    assert.equal(name, needed.map((nth) => `write:${nth}:foreign`).join("+"));
    assert.ok(runs < 80, `${runs} runs`);
  }
});

// FR-525
Deno.test("a plan that needs all of its faults stays as it is", async () => {
  const [name] = await reduced(1, 2, 3, 4, 5, 6, 7, 8, 9);
  assert.equal(name, formatPlan(plan));
});
