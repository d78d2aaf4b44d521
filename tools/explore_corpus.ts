/**
 * `deno task explore:corpus`: explores every planted bug, its fixed twin and the correct operators of `tests/explore/`.
 * Its last line is `bugs found: N of N, false alarms: N, plans: N, seconds: S`. It fails on an alarm, and on a bug that
 * no plan shows. `--plans-max` bounds the plans of each operator without a bug.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SystemClock } from "../lib/base/mod.ts";
import {
  type Exploration,
  ExplorationWorkers,
  type ExploreOptions,
  formatPlan,
  isExplorationWorker,
  type PlanKind,
  serveExplorations,
} from "../lib/explore/mod.ts";
import { planRun, type Suite } from "../lib/harness/mod.ts";
import { BUGS, CORRECT } from "../tests/explore/corpus.ts";

const SPECS: readonly PlanKind[] = ["specs"];
const SUITES = [...BUGS.flatMap(({ buggy, fixed }) => [buggy, fixed]), ...CORRECT];
if (isExplorationWorker()) await serveExplorations(SUITES.map((suite) => planRun([suite])[0]!));

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { seed: { type: "string", default: "7" }, "plans-max": { type: "string", default: "48" } },
  allowPositionals: true,
});
const isChosen = ({ name }: { readonly name: string }) => positionals.length === 0 || positionals.includes(name);
const clock = new SystemClock(), startMs = clock.elapsed();
const options = {
  seed: Number(values.seed),
  waitMsMax: 600_000,
  signal: new AbortController().signal,
  plansMax: Number(values["plans-max"]),
};
using workers = new ExplorationWorkers({
  module: import.meta.url,
  countMax: navigator.hardwareConcurrency,
  clock,
});
let found = 0, alarms = 0, plans = 0;

/** The first failure, or undefined. */
async function explore(
  suite: Suite,
  own: Pick<ExploreOptions, "kinds" | "failuresMax" | "plansMax">,
): Promise<string | undefined> {
  const exploration: Exploration = await workers.explore(SUITES.indexOf(suite), { ...options, ...own });
  const { problem, failures: [failure], explored } = exploration;
  plans += explored;
  return problem ?? (failure && `${formatPlan(failure.plan)}: ${failure.findings[0]!.message.split("\n")[0]}`);
}

/** Plans without and with changed specs. */
function exploreCorrect(suite: Suite): Promise<(string | undefined)[]> {
  return Promise.all([undefined, SPECS].map((kinds) => explore(suite, { kinds })));
}

function printAlarms(name: string, all: readonly (string | undefined)[]): void {
  for (const alarm of all.filter((each) => each !== undefined)) {
    alarms++;
    print(`  false alarm: ${name}: ${alarm}`);
  }
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

const bugs = BUGS.filter(isChosen).map(({ name, pattern, buggy, fixed }) => ({
  name,
  failure: explore(buggy, {
    kinds: pattern === "specs" ? SPECS : undefined,
    failuresMax: 1,
    plansMax: undefined,
  }),
  alarms: exploreCorrect(fixed),
}));
const correct = CORRECT.filter(isChosen).map((suite) => ({ name: suite.name, alarms: exploreCorrect(suite) }));
for (const { name, ...ended } of bugs) {
  const failure = await ended.failure;
  if (failure !== undefined) found++;
  print(`${name}: ${failure ?? "not found"}`);
  printAlarms(`${name}, fixed`, await ended.alarms);
}
for (const { name, ...ended } of correct) printAlarms(name, await ended.alarms);
const seconds = Math.round((clock.elapsed() - startMs) / 1_000);
print(`bugs found: ${found} of ${bugs.length}, false alarms: ${alarms}, plans: ${plans}, seconds: ${seconds}`);
if (alarms > 0 || found < bugs.length) Deno.exitCode = 1;
