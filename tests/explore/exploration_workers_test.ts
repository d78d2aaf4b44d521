import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/mod.ts";
import { ExplorationWorkers, explore, failureStory } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { buggy } from "./bugs/second_certificate.ts";

const NOTHING = "data:text/javascript,", BROKEN = "data:text/javascript,throw new Error('the disk is gone')";

function options(signal = new AbortController().signal) {
  return { seed: 1, waitMsMax: 60_000, signal };
}

// FR-560
Deno.test("a main module that fails is the problem of each scenario that waits", async () => {
  using workers = new ExplorationWorkers({ module: BROKEN, countMax: 1, clock: new VirtualClock() });
  const explorations = await Promise.all([workers.explore(0, options()), workers.explore(1, options())]);
  for (const { problem } of explorations) {
    assert.match(problem!, /^a worker of the exploration failed: .*the disk is gone/);
  }
});

// FR-560
Deno.test("a main module that explores nothing in a worker is named after two minutes", async () => {
  const clock = new VirtualClock();
  using workers = new ExplorationWorkers({ module: NOTHING, countMax: 1, clock });
  const exploration = workers.explore(0, options());
  await clock.advance(120_000);
  assert.match((await exploration).problem!, /does not explore when it is the main module of a worker$/);
});

// FR-560
Deno.test("a worker that says nothing any more is ended: after five minutes, or five seconds after an interrupt", async () => {
  const module = "data:text/javascript,onmessage=()=>postMessage({kind:'plan',plans:{}});postMessage({kind:'ready'})";
  for (const isInterrupted of [false, true]) {
    const clock = new VirtualClock(), interrupted = new AbortController(), begun = Promise.withResolvers<void>();
    using workers = new ExplorationWorkers({ module, countMax: 1, clock });
    const exploration = workers.explore(0, { ...options(interrupted.signal), onPlan: () => begun.resolve() });
    await begun.promise;
    if (isInterrupted) interrupted.abort();
    await clock.advance(isInterrupted ? 5_000 : 300_000);
    const ended = await exploration;
    assert.equal(ended.isInterrupted, isInterrupted);
    if (!isInterrupted) assert.match(ended.problem!, /code of the scenario or the operator does not end$/);
  }
});

// FR-560
Deno.test("a worker explores as this process does, and stops at an interrupt with what it has found", async () => {
  const [planned] = planRun([buggy]);
  const module = import.meta.resolve("./explored_program.ts");
  using workers = new ExplorationWorkers({ module, countMax: 2, clock: new VirtualClock() });
  const interrupted = new AbortController(), progress: number[] = [];
  const [found, partial] = await Promise.all([
    workers.explore(0, { ...options(), failuresMax: 1 }),
    workers.explore(1, {
      ...options(interrupted.signal),
      onPlan: ({ done }) => {
        progress.push(done);
        if (done === 2) interrupted.abort();
      },
    }),
  ]);
  const here = await explore(planned!, { ...options(), failuresMax: 1 });
  assert.equal(found.failures.length, 1);
  assert.deepEqual(found.failures[0]!.findings, here.failures[0]!.findings);
  assert.deepEqual([found.explored, found.requests, found.pruned], [here.explored, here.requests, here.pruned]);
  assert.deepEqual(failureStory(found, found.failures[0]!), failureStory(here, here.failures[0]!));
  assert.ok(partial.explored >= 2 && partial.explored < partial.generated, `${partial.explored}`);
  assert.deepEqual(progress.slice(0, 3), [0, 1, 2]);
  assert.equal((await workers.explore(1, options(interrupted.signal))).explored, 0, "none begins afterwards");
});
