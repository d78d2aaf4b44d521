import { hangingLines, SystemClock, UsageError } from "../base/mod.ts";
import {
  escapes,
  type Exploration,
  ExplorationWorkers,
  explore,
  type ExploreOptions,
  type FailedPlan,
  failureStory,
  failuresToTell,
  faultSteps,
  formatPlan,
  isExplorationWorker,
  parsePlan,
  type Plan,
  PLAN_KINDS,
  serveExplorations,
} from "../explore/mod.ts";
import {
  countOutcomes,
  NOTHING_RECORDED,
  type Paint,
  type PlannedScenario,
  rbacFailures,
  type RunResult,
  type ScenarioResult,
} from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { type ExploredPlans, ExploreProgress } from "./explore_progress.ts";
import { endLingering, Interrupts } from "./interrupts.ts";
import { openLiveArea } from "./live_area.ts";
import { shellWord } from "./shell_word.ts";
import { paint } from "./terminal.ts";
import { checkReports, reportFiles, writeReports } from "./test_reports.ts";
import type { TestFlags, TestSettings } from "./test_settings.ts";

/** Virtual time: long enough for any backoff. */
const WAIT_MS_MAX = 10 * 60_000;
/** Failed plans of a scenario that are printed in full. */
const STORIES_MAX = 3;

interface ExploredScenarios {
  readonly planned: readonly PlannedScenario[];
  readonly seed: number;
  /** Whether no scenario is left out. */
  readonly isWhole: boolean;
}

/** `test --explore`: each scenario under each fault. Its last line is `N passed, N failed`, of plans. */
export async function exploreAll(
  context: CommandContext,
  flags: TestFlags,
  { planned, seed, isWhole }: ExploredScenarios,
): Promise<number> {
  if (isExplorationWorker()) return await serveExplorations(planned);
  const { terminal, program, version, command } = context, clock = new SystemClock(), startMs = clock.now();
  checkFlags(context, flags, planned);
  const plan = planOf(flags);
  const { testCluster, testParallelMax } = context.settings as unknown as TestSettings;
  if (plan && testCluster !== "embedded") {
    const { replayOnCluster } = await import("./plan_replay.ts");
    return await replayOnCluster(context, flags, { planned: planned[0]!, plan, seed, simulatedWaitMsMax: WAIT_MS_MAX });
  }
  const again = (name: string, named = flags.specs ? " --specs" : "") =>
    `${command} test --explore --seed ${seed} --filter ${shellWord(name)}${named}`;
  const scenarioOf = (name: string) => planned.map(nameOf).find((each) => isReportOf(name, each)) ?? name;
  const failedPlans = new Map<string, string>(); // the first of each scenario of a report, as options
  const rerunOf = (_result: RunResult, name: string) => again(scenarioOf(name), failedPlans.get(name));
  const files = reportFiles(flags, `${program} ${version}`, rerunOf);
  await checkReports(files);
  using interrupts = new Interrupts({ hangup: true });
  const { signal } = interrupts, scenarios: ScenarioResult[] = [];
  const painted: Paint = (style, text) => paint(terminal, style, text);
  for (const line of await headOf(planned, seed)) terminal.out(line);
  using progress = await openProgress(terminal, clock, planned.length);
  using explorer = await openExplorer(planned, testParallelMax, clock);
  const beganMs = new Map<PlannedScenario, number>();
  const onPlan = (each: PlannedScenario, plans: ExploredPlans) => {
    if (!beganMs.has(each)) beganMs.set(each, clock.now());
    progress?.update(nameOf(each), plans);
  };
  const { plansMax, rbac: recordsRbac } = flags, kinds = flags.specs && ["specs" as const];
  const options = { seed, waitMsMax: WAIT_MS_MAX, signal, plan, plansMax, kinds, recordsRbac };
  const explorations = planned.map((each, nth) =>
    explorer.explore(nth, { ...options, onPlan: (plans) => onPlan(each, plans) })
  );
  let ended = 0;
  for (const [nth, each] of planned.entries()) {
    const name = nameOf(each), exploration = await explorations[nth]!, endMs = clock.now(), { planFix } = exploration;
    if (planFix !== undefined) throw new UsageError(`--plan ${flags.plan}: ${exploration.problem}`, planFix);
    if (exploration.isInterrupted && exploration.explored === 0) continue;
    for (const { plan } of exploration.failures.toReversed()) {
      failedPlans.set(`${name} (${plan.kind})`, ` --plan ${shellWord(formatPlan(plan))}`);
    }
    progress?.end(name, exploration.explored, exploration.failures.length);
    const rerun = (text: string) => again(name, ` --plan ${shellWord(text)}`);
    for (const line of linesOf(exploration, { name, rerun, painted })) terminal.out(line);
    scenarios.push(...resultsOf(each, exploration, { startMs: beganMs.get(each) ?? endMs, endMs }));
    if (!exploration.isInterrupted) ended++;
  }
  const rbac = await rbacOf(planned, explorations, isWhole && !plan && !signal.aborted);
  for (const line of rbac.flatMap((each) => each.split("\n"))) terminal.out(painted("yellow", line));
  const run = { ...runOf(scenarios, { startMs, endMs: clock.now(), seed }), failures: rbac };
  const problems = await writeReports(files, run, (line) => terminal.out(line));
  for (const problem of problems) terminal.err(problem);
  if (signal.aborted) {
    terminal.out(`interrupted: ${planned.length - ended} of ${planned.length} scenarios are not explored to the end`);
  }
  const code = concluded(terminal, { ...run, failures: [...rbac, ...problems] }, signal);
  if (explorer.keepsProcess) endLingering(clock, code);
  return code;
}

/** Prints the last line, with the counts of the reports, and returns the exit code. */
function concluded(terminal: CommandContext["terminal"], run: RunResult, signal: AbortSignal): number {
  const { passed, failed, skipped } = countOutcomes(run);
  terminal.out(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return signal.aborted ? EXIT.interrupted : failed > 0 ? EXIT.failed : EXIT.done;
}

interface ScenarioExplorer extends Disposable {
  /** Whether code that does not end keeps the process alive. */
  readonly keepsProcess: boolean;
  /** Explores the scenario at this index. */
  explore(nth: number, options: ExploreOptions): Promise<Exploration>;
}

/**
 * Explores scenarios in workers, so that code without an end neither keeps Ctrl-C from this process nor lasts for ever.
 * Without the permission to read the main module, which a worker loads: in this process, one after the other.
 */
async function openExplorer(
  planned: readonly PlannedScenario[],
  parallelMax: number,
  clock: SystemClock,
): Promise<ScenarioExplorer> {
  const module = Deno.mainModule, countMax = Math.min(parallelMax, navigator.hardwareConcurrency, planned.length);
  if (await canRead(module)) return new ExplorationWorkers({ module, countMax, clock });
  let before: Promise<unknown> = Promise.resolve();
  return {
    keepsProcess: false,
    explore: (nth, options) => {
      const ended = before.then(() => explore(planned[nth]!, options));
      before = ended.catch(() => {});
      return ended;
    },
    [Symbol.dispose]: () => {},
  };
}

/** What is known before the first scenario. */
async function headOf(planned: readonly PlannedScenario[], seed: number): Promise<string[]> {
  const main = Deno.mainModule, isReadable = await canRead(main);
  const { calls, memory } = isReadable
    ? await escapes(main, (url) => Deno.readTextFile(url))
    : { calls: [], memory: [] };
  return [
    `exploring ${planned.length} ${planned.length === 1 ? "scenario" : "scenarios"}, seed ${seed}`,
    ...calls.length > 0 ? [`calls of these are real, and not noticed: ${calls.join(", ")}`] : [],
    ...memory.length > 0
      ? [`a crash does not clear these variables, move them into the operator: ${memory.join(", ")}`]
      : [],
  ];
}

/** What fails `--rbac`: nothing where no rules were recorded. */
async function rbacOf(
  planned: readonly PlannedScenario[],
  explorations: readonly Promise<Exploration>[],
  isWhole: boolean,
): Promise<string[]> {
  const ended = await Promise.all(explorations), noTime = { startMs: 0, endMs: 0 };
  return rbacFailures(planned.map((each, nth) => ({ ...resultOf(each, noTime), rbac: ended[nth]!.rbac })), isWhole);
}

/** Whether a module can be read without a question to the user. */
async function canRead(module: string): Promise<boolean> {
  const { state } = await Deno.permissions.query({ name: "read", path: new URL(module).pathname });
  return state === "granted";
}

/** The one to run. @throws {UsageError} for what does not name a plan, or one that `--specs` has not. */
function planOf({ plan: name, specs }: TestFlags): Plan | undefined {
  if (name === undefined) return undefined;
  const plan = parsePlan(name);
  if (!plan) {
    throw new UsageError(`${name} is not a plan of this version`, "plans are in the output of `test --explore`");
  }
  if (specs && !plan.transition) throw new UsageError(`${name} is a plan of faults`, "leave out --specs");
  return plan;
}

/** Undefined where no person watches. */
async function openProgress(
  terminal: CommandContext["terminal"],
  clock: SystemClock,
  scenarios: number,
): Promise<ExploreProgress | undefined> {
  if (!terminal.interactive) return undefined;
  return new ExploreProgress({ area: await openLiveArea(), columns: () => terminal.columns(), clock, scenarios });
}

function runOf(
  scenarios: readonly ScenarioResult[],
  run: Pick<RunResult, "startMs" | "endMs" | "seed">,
): RunResult {
  return { ...run, cluster: { kind: "embedded", version: "" }, operator: "in-process", scenarios, failures: [] };
}

/** Whether a report's name is the scenario's, alone or with a kind of plan. */
function isReportOf(name: string, scenario: string): boolean {
  return name === scenario || PLAN_KINDS.some((kind) => name === `${scenario} (${kind})`);
}

function nameOf({ suite, scenario }: PlannedScenario): string {
  return `${suite.name}: ${scenario.name}`;
}

/** @throws {UsageError} for what an exploration cannot do. */
function checkFlags({ settings }: CommandContext, flags: TestFlags, planned: readonly PlannedScenario[]): void {
  const { testCluster } = settings as unknown as TestSettings;
  const isReplay = flags.plan !== undefined && (testCluster === "envtest" || testCluster === "kind");
  if (testCluster !== "embedded" && !isReplay || flags.deployed) {
    throw new UsageError(
      "explorations run on the embedded API server, in virtual time",
      "leave out --cluster and --deployed; --plan replays one plan on --cluster envtest or kind",
    );
  }
  if (flags.plan !== undefined && planned.length > 1) {
    throw new UsageError("--plan is for one scenario", "name it with --filter");
  }
}

/** A result without a record. */
function resultOf(
  { suite, scenario }: PlannedScenario,
  times: Pick<ScenarioResult, "startMs" | "endMs">,
): ScenarioResult {
  return { ...NOTHING_RECORDED, suite: suite.name, name: scenario.name, outcome: { kind: "passed" }, ...times };
}

/** For reports: a scenario for each kind of plan, with the record of its first failure; one more if it was cut off. */
function resultsOf(
  { suite, scenario }: PlannedScenario,
  exploration: Exploration,
  times: { readonly startMs: number; readonly endMs: number },
): ScenarioResult[] {
  const { problem, skipped, failures, isInterrupted } = exploration;
  const base = resultOf({ suite, scenario }, times);
  if (skipped !== undefined) return [{ ...base, outcome: { kind: "skipped", reason: skipped } }];
  if (problem !== undefined) return [{ ...base, outcome: { kind: "failed", message: problem } }];
  const cut: ScenarioResult[] = isInterrupted ? [{ ...base, outcome: { kind: "interrupted" } }] : [];
  const results = PLAN_KINDS.filter((kind) => exploration.exploredKinds.has(kind)).map((kind): ScenarioResult => {
    const name = `${scenario.name} (${kind})`, failed = failures.filter(({ plan }) => plan.kind === kind);
    const [first] = failed,
      plans = { passed: exploration.exploredKinds.get(kind)! - failed.length, failed: failed.length };
    if (!first) return { ...base, name, plans, outcome: { kind: "passed" } };
    const message = failuresToTell(failed, STORIES_MAX).map((failure) => storyOf(exploration, failure).join("\n")).join(
      "\n\n",
    );
    const record = recordOf(exploration, first, times.startMs);
    return { ...base, ...record, name, plans, outcome: { kind: "failed", message } };
  });
  return [...results, ...cut];
}

/** What a failed plan's run recorded, as if its virtual time began at `startMs`. */
function recordOf(
  exploration: Exploration,
  failure: FailedPlan,
  startMs: number,
): Pick<ScenarioResult, "steps" | "writes" | "logs" | "events" | "dropped" | "recordEndMs"> {
  const { steps, writes, logs, events, dropped, startMs: virtualMs, endMs } = failure.run.result,
    byMs = startMs - virtualMs;
  const moved = <E extends { readonly atMs: number }>(entries: readonly E[]) =>
    entries.map((entry) => ({ ...entry, atMs: entry.atMs + byMs }));
  return {
    steps: [...steps, ...faultSteps(exploration, failure)].map((step) => ({
      ...step,
      startMs: step.startMs + byMs,
      ...(step.endMs !== undefined && { endMs: step.endMs + byMs }),
    })),
    writes: moved(writes),
    logs: moved(logs),
    events: moved(events),
    dropped,
    recordEndMs: endMs + byMs,
  };
}

function storyOf(exploration: Exploration, failure: FailedPlan): string[] {
  return [`${failure.plan.kind}  ${formatPlan(failure.plan)}`, ...failureStory(exploration, failure)];
}

function linesOf(
  exploration: Exploration,
  { name, rerun, painted }: {
    readonly name: string;
    /** The command of a plan. */
    readonly rerun: (plan: string) => string;
    readonly painted: Paint;
  },
): string[] {
  const { problem, requests, generated, explored, pruned, failures, masked, warnings, restartWrites, isInterrupted } =
    exploration;
  if (exploration.skipped) return hangingLines(`${name} ... skipped: ${exploration.skipped}`);
  const outside = warnings.map((call) => `  outside of the simulation: ${call}`);
  if (problem !== undefined) {
    return [`${name} ... ${painted("red", "not explored")}`, ...hangingLines(`  ${problem}`, "    "), ...outside];
  }
  const leftOut = [...pruned].map(([reason, count]) => `${count} ${reason}`).join(", ");
  const outcome = failures.length > 0
    ? painted("red", `${failures.length} failed`)
    : isInterrupted
    ? painted("yellow", "interrupted")
    : painted("green", "ok");
  const lines = [
    `${name} ... ${outcome} (${requests} requests, ${explored} of ${generated} plans${
      leftOut && `; left out: ${leftOut}`
    })`,
  ];
  if (masked.length > 0) lines.push(`  differs from run to run, so it is not compared: ${masked.join(", ")}`);
  lines.push(...outside);
  for (const each of exploration.faultless) lines.push(painted("yellow", `  without a fault: ${each}`));
  if (restartWrites.length > 0) lines.push(`  writes again at each start without a fault: ${restartWrites.join(", ")}`);
  const told = failuresToTell(failures, STORIES_MAX);
  for (const failure of told) {
    const [title, ...story] = storyOf(exploration, failure);
    lines.push("", painted("bold", title!), ...story, `  again: ${rerun(formatPlan(failure.plan))}`);
  }
  if (told.length > 0) lines.push("");
  for (const failure of failures.filter((each) => !told.includes(each))) {
    lines.push(`  ${failure.plan.kind}  ${formatPlan(failure.plan)}  ${failure.findings[0]!.message.split("\n")[0]}`);
  }
  return lines;
}
