import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import type { FaultContext } from "./fault.ts";
import { Figures } from "./figures.ts";
import type { OperatorProcess } from "./operator_process.ts";
import { checkIdle, recover, underLoad } from "./quiesce.ts";
import type { Site, SiteState } from "./site.ts";

const RIGHT: SiteState = { problems: [], ending: [] };

/** A context without a cluster, on a clock that the test turns. */
function rig(): { readonly context: FaultContext; readonly clock: VirtualClock; readonly figures: Figures } {
  const clock = new VirtualClock(), figures = new Figures(), { signal } = new AbortController();
  return {
    context: { clock, figures, signal, random: new SeededRandom(1), say: () => {} } as unknown as FaultContext,
    clock,
    figures,
  };
}

/** A site that is in each of these states in turn, and stays in the last one. */
function site(...states: readonly SiteState[]): Site {
  let looks = 0;
  const look = () => Promise.resolve(states[Math.min(looks++, states.length - 1)]!);
  return { look, step: () => Promise.resolve(), remove: () => Promise.resolve() };
}

/** Turns the clock until something has ended. */
async function turned<T>(clock: VirtualClock, ending: Promise<T>): Promise<T> {
  let isOver = false;
  void ending.catch(() => {}).finally(() => isOver = true);
  while (!isOver) await clock.advance(100);
  return await ending;
}

Deno.test("the load goes on as long as the fault, and no longer", async () => {
  const { context, clock } = rig();
  let steps = 0;
  const load = { ...site(RIGHT), step: () => Promise.resolve(void steps++) };
  const struck = Promise.withResolvers<void>(), running = underLoad(context, [load], () => struck.promise);
  await clock.advance(1_000);
  assert.ok(steps > 20, `${steps}`);
  struck.resolve();
  await turned(clock, running);
  const before = steps;
  await clock.advance(1_000);
  assert.equal(steps, before);
});

Deno.test("a load or a fault that fails ends the round, and what it threw is known", async () => {
  const { context, clock } = rig(), fail = () => Promise.reject(new Error("wrong"));
  await assert.rejects(turned(clock, underLoad(context, [site(RIGHT)], fail)), /wrong/);
  const failing = { ...site(RIGHT), step: fail };
  await assert.rejects(turned(clock, underLoad(context, [failing], () => Promise.resolve())), /wrong/);
});

Deno.test("a recovery takes until the state is right; namespaces that end do not count", async () => {
  const { context, clock, figures } = rig(), wrong = { problems: ["a copy is missing"], ending: ["t"] };
  await turned(clock, recover(context, [site(wrong, wrong, { ...RIGHT, ending: ["t"] }), site(RIGHT)]));
  assert.deepEqual([figures.checks, figures.violations, figures.medianMs], [1, [], 300]);
});

// FR-371
Deno.test("a state that stays wrong, or cannot be read, is a violation with its reason", async () => {
  const { context, clock, figures } = rig();
  const problems = ["1", "2", "3", "4", "5", "6"];
  await turned(clock, recover(context, [site({ problems, ending: [] })]));
  const unread = { ...site(RIGHT), look: () => Promise.reject(new Error("no server")) };
  await turned(clock, recover(context, [unread]));
  assert.deepEqual(figures.violations, [
    "not recovered: 1; 2; 3; 4; 5; and 1 more",
    "not recovered: the state cannot be read: no server",
  ]);
  assert.equal(figures.checks, 0);
});

// FR-371
Deno.test("an idle operator that writes, or reads without end, is a violation; so is a state that does not last", async () => {
  const { context, clock, figures } = rig();
  const gate = {
    get requests() {
      return clock.elapsed() / 10;
    },
    get writes() {
      return clock.elapsed() / 2_000;
    },
  };
  const operator = { host: "busy", gate } as unknown as OperatorProcess;
  await turned(clock, checkIdle(context, [site(RIGHT, { problems: ["a copy is gone"], ending: [] })], [operator]));
  assert.deepEqual(figures.violations, [
    "busy wrote 2 times in 4000 ms with nothing to do",
    "busy sent 400 requests in 4000 ms with nothing to do",
    "right at first, and then: a copy is gone",
  ]);
});
