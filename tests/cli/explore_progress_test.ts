import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/mod.ts";
import { ExploreProgress } from "../../lib/cli/explore_progress.ts";

function progressAt(columns: number) {
  const drawn: string[] = [], clock = new VirtualClock();
  const area = { draw: (line: string) => void drawn.push(line), print: () => {}, clear: () => {}, end: () => {} };
  return { drawn, clock, progress: new ExploreProgress({ area, columns: () => columns, clock, scenarios: 3 }) };
}

// FR-502
Deno.test("the progress of an exploration shows plans, their rate, failures and the time left", async () => {
  const { drawn, clock, progress } = progressAt(100);
  await clock.advance(2_000);
  progress.update("replication: a Secret is copied", { done: 100, all: 200, failed: 1 });
  await clock.advance(100);
  progress.update("replication: a Secret is copied", { done: 101, all: 200, failed: 1 });
  assert.deepEqual(drawn, [
    "0/3 replication: a Secret is copied  100 plans, 50 plans/s, 1 failed, 10s left",
  ], "the second picture comes too soon");
  progress.end("replication: a Secret is copied", 200, 1);
  await clock.advance(1_900);
  progress.update("deletion: it goes", { done: 40, all: 400, failed: 2 });
  assert.equal(drawn.at(-1), "1/3 deletion: it goes  240 plans, 60 plans/s, 3 failed, 11s left");
});

// FR-502
Deno.test("in a narrow terminal the progress of an exploration leaves the name out, and is cut to one line", async () => {
  for (const columns of [40, 20]) {
    const { drawn, clock, progress } = progressAt(columns);
    await clock.advance(1_000);
    progress.update("replication: a Secret is copied", { done: 100, all: 200, failed: 0 });
    assert.ok(drawn[0]!.length < columns, `${drawn[0]}`);
    assert.match(drawn[0]!, /^0\/3 100 plans/);
  }
});

// FR-560
Deno.test("the progress of scenarios that run at the same time counts the plans of all", async () => {
  const { drawn, clock, progress } = progressAt(100);
  progress.update("a: one", { done: 0, all: 300, failed: 0 });
  assert.equal(drawn.at(-1), "0/3 a: one  0 plans, 0 plans/s, 0 failed");
  await clock.advance(1_000);
  progress.update("a: two", { done: 20, all: 100, failed: 2 });
  assert.equal(drawn.at(-1), "0/3 a: two  20 plans, 20 plans/s, 2 failed, 29s left");
});
