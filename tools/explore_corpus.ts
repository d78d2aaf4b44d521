/**
 * `deno task explore:corpus`: explores every planted bug, its fixed twin and the correct operators of `tests/explore/`.
 * Its last line is `bugs found: N of N, false alarms: N, plans: N, seconds: S`. It fails on an alarm, and on a bug that
 * no plan shows. `--plans-max` bounds the plans of operators without a bug.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Exploration, explore, type ExploreOptions, formatPlan, type PlanKind } from "../lib/explore/mod.ts";
import { planRun, type Suite } from "../lib/harness/mod.ts";
import { BUGS, CORRECT } from "../tests/explore/corpus.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { seed: { type: "string", default: "7" }, "plans-max": { type: "string" } },
  allowPositionals: true,
});
const seed = Number(values.seed),
  plansMax = values["plans-max"] === undefined ? undefined : Number(values["plans-max"]);
const isChosen = (name: string) => positionals.length === 0 || positionals.includes(name);
const signal = new AbortController().signal, startMs = performance.now();
const SPECS: readonly PlanKind[] = ["specs"];
let found = 0, missed = 0, alarms = 0, plans = 0;

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function run(
  suite: Suite,
  { kinds, failuresMax }: Pick<ExploreOptions, "kinds" | "failuresMax"> = {},
): Promise<Exploration> {
  const [planned] = planRun([suite]);
  const exploration = await explore(planned!, {
    seed,
    waitMsMax: 600_000,
    signal,
    failuresMax,
    kinds,
    ...(failuresMax === undefined && { plansMax }),
  });
  plans += exploration.explored;
  return exploration;
}

function firstOf({ problem, failures: [failure] }: Exploration): string | undefined {
  return problem ?? (failure && `${formatPlan(failure.plan)}: ${failure.findings[0]!.message.split("\n")[0]}`);
}

async function expectNothing(name: string, suite: Suite): Promise<void> {
  for (const kinds of [undefined, SPECS]) {
    const alarm = firstOf(await run(suite, { kinds }));
    if (alarm === undefined) continue;
    alarms++;
    print(`  false alarm: ${name}: ${alarm}`);
  }
}

for (const { name, pattern, buggy, fixed } of BUGS.filter((bug) => isChosen(bug.name))) {
  const failure = firstOf(await run(buggy, { kinds: pattern === "specs" ? SPECS : undefined, failuresMax: 1 }));
  if (failure !== undefined) found++;
  else missed++;
  print(`${name}: ${failure ?? "not found"}`);
  await expectNothing(`${name}, fixed`, fixed);
}
for (const suite of CORRECT.filter(({ name }) => isChosen(name))) await expectNothing(suite.name, suite);
const seconds = Math.round((performance.now() - startMs) / 1_000),
  of = BUGS.filter(({ name }) => isChosen(name)).length;
print(`bugs found: ${found} of ${of}, false alarms: ${alarms}, plans: ${plans}, seconds: ${seconds}`);
if (alarms + missed > 0) Deno.exitCode = 1;
