// FR-508
// deno-lint-ignore-file no-console
/**
 * What exploring costs: plans per second of a scenario of the shipped operator, and whether memory grows with their
 * number. The ratio compares a plan with a run without a fault.
 *
 * ```sh
 * deno task bench:exploration          # 2,000 plans
 * deno task bench:exploration 10000
 * ```
 *
 * @module
 */
import { controlAmbientCalls } from "../lib/explore/ambient_calls.ts";
import { explore } from "../lib/explore/mod.ts";
import { prepare, runSimulated } from "../lib/explore/simulated_run.ts";
import { planRun } from "../lib/harness/mod.ts";
import { replication } from "../tests/replicator/replication_scenarios.ts";

const OPTIONS = { waitMsMax: 600_000, signal: new AbortController().signal };
const PLANS_MAX = Number(Deno.args[0] ?? 2_000), RUNS = 200;

/** Megabytes that remain after plans whose results nobody keeps. */
function heapMegabytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return Deno.memoryUsage().heapUsed / 1e6;
}

const [planned] = planRun([replication]), prepared = await prepare(planned!, { ...OPTIONS, seed: 1 });
let plans = 0, seconds = 0, failed = 0;
const heap: number[] = [];
for (let seed = 1; plans < PLANS_MAX; seed++) {
  const startMs = performance.now();
  const { explored, failures } = await explore(planned!, { ...OPTIONS, seed, plansMax: PLANS_MAX - plans });
  seconds += (performance.now() - startMs) / 1_000;
  plans += explored;
  failed += failures.length;
  heap.push(heapMegabytes());
}
let perRun = 0;
{
  using _controlled = controlAmbientCalls();
  const startMs = performance.now();
  for (let seed = 1; seed <= RUNS; seed++) await runSimulated(planned!, { ...OPTIONS, seed, prepared });
  perRun = (performance.now() - startMs) / RUNS;
}
const perPlan = seconds * 1_000 / plans, [first = 0] = heap, growth = (heap.at(-1)! / first - 1) * 100;
console.log(`${plans} plans, ${failed} failed: ${(1_000 / perPlan).toFixed(0)} plans/s, ${perPlan.toFixed(1)} ms each`);
console.log(`a run without a fault: ${perRun.toFixed(1)} ms, ratio ${(perPlan / perRun).toFixed(2)}`);
console.log(
  `heap after the first ${Math.round(plans / heap.length)} plans: ${first.toFixed(0)} MB, in the end ${
    heap.at(-1)!.toFixed(0)
  } MB (${growth >= 0 ? "+" : ""}${growth.toFixed(0)} %)`,
);
