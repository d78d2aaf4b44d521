import assert from "node:assert/strict";
import { SeededRandom } from "../../lib/base/mod.ts";
import { formatPlan, makePlans, parsePlan } from "../../lib/explore/plan.ts";
import { type Lifetime, Trace, type TracedRequest } from "../../lib/explore/trace.ts";

const request = (revision: number, actor: TracedRequest["actor"]): TracedRequest => ({
  actor,
  process: actor,
  method: "PATCH",
  path: "",
  atMs: revision,
  isEffective: true,
  revision,
});

function stalePlans(
  lifetimes: readonly Lifetime[],
  settledAfter = Infinity,
): { plans: string[]; released: number | undefined } {
  const trace = new Trace();
  trace.settledAfter = settledAfter;
  // Created, held by a finalizer, deleted by the scenario, released by the operator, and one more write.
  for (const [index, actor] of (["scenario", "operator", "scenario", "operator", "operator"] as const).entries()) {
    trace.requests.push(request(index + 1, actor));
  }
  for (const [index, lifetime] of lifetimes.entries()) trace.lifetimes.set(`uid-${index}`, lifetime);
  const { plans, pruned } = makePlans(trace, new SeededRandom(1));
  return {
    plans: plans.filter(({ kind }) => kind === "stale").map(formatPlan),
    released: pruned.get("released object"),
  };
}

const held = { place: "widgets home/w", created: 1, deletedAt: 3, gone: 4, isHeld: true };

// FR-522
Deno.test("no view shows an object alive that the operator has released, unless another has its name", () => {
  const all = stalePlans([]).plans;
  assert.deepEqual(stalePlans([held]), {
    plans: all.filter((plan) => !/^revision:[45]:shows:[12]$/.test(plan)),
    released: 4,
  });
  assert.deepEqual(stalePlans([{ ...held, isHeld: false }]).plans, all, "the garbage collector removes its children");
  const deleted = { place: "widgets home/w", created: 1, deletedAt: 3, gone: 3, isHeld: false };
  assert.deepEqual(stalePlans([deleted]).plans, all, "the scenario's body goes on after its deletion");
  assert.deepEqual(
    stalePlans([deleted], 2).plans,
    all.filter((plan) => !/^revision:[345]:shows:[12]$/.test(plan)),
    "the teardown deleted it",
  );
  const other = { ...held, created: 5, deletedAt: undefined, gone: undefined };
  assert.deepEqual(stalePlans([held, other]).plans, all.filter((plan) => !/^revision:4:shows:[12]$/.test(plan)));
});

// FR-536
Deno.test("a name whose numbers mean nothing is no plan", () => {
  for (
    const name of [
      "write:1:fail:abc:true",
      "write:1:fail:200:true",
      "write:1:clock:x",
      "event:1:delay:",
      "event:1:delay",
    ]
  ) {
    assert.equal(parsePlan(name), undefined, name);
  }
  for (const name of ["write:1:fail:504:true", "write:1:clock:-3600000", "event:1:delay:10000"]) {
    assert.equal(formatPlan(parsePlan(name)!), name);
  }
});
