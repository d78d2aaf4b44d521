import { hangingLines, randomSuffix, SystemClock, SystemRandom } from "../base/mod.ts";
import { formatPlan, type Plan, type PlanReplay, replayPlan } from "../explore/mod.ts";
import { NOTHING_RECORDED, type Paint, type PlannedScenario, type ScenarioResult } from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { shellWord } from "./shell_word.ts";
import { paint } from "./terminal.ts";
import { sourceOf } from "./test_cluster.ts";
import { checkReports, reportFiles, writeReports } from "./test_reports.ts";
import type { TestFlags, TestSettings } from "./test_settings.ts";

interface ReplayedPlan {
  readonly planned: PlannedScenario;
  readonly plan: Plan;
  readonly seed: number;
  /** Bound of each expectation in the simulation. */
  readonly simulatedWaitMsMax: number;
}

/** `test --explore --plan ID --cluster envtest|kind`: one plan on a real control plane. */
export async function replayOnCluster(
  context: CommandContext,
  flags: TestFlags,
  { planned, plan, seed, simulatedWaitMsMax }: ReplayedPlan,
): Promise<number> {
  const { terminal, program, version, command } = context, settings = context.settings as unknown as TestSettings;
  const clock = new SystemClock(), startMs = clock.now(), cluster = settings.testCluster, name = formatPlan(plan);
  const again = (scenario: string) =>
    `${command} test --explore --cluster ${cluster} --seed ${seed} --filter ${shellWord(scenario)} --plan ${name}`;
  const title = `${planned.suite.name}: ${planned.scenario.name}`;
  const files = reportFiles(flags, `${program} ${version}`, () => again(title));
  await checkReports(files);
  using interrupts = new Interrupts({ hangup: true });
  const painted: Paint = (style, text) => paint(terminal, style, text);
  terminal.out(`replaying ${name} on ${cluster}, seed ${seed}`);
  const replayed = await replayPlan(planned, plan, {
    source: sourceOf(context, flags, clock),
    clock,
    seed,
    runId: `replay-${randomSuffix(new SystemRandom())}`,
    waitMsMax: { simulated: simulatedWaitMsMax, real: settings.testWaitMsMax },
    signal: interrupts.signal,
    onStage: (what) => terminal.out(painted("dim", `… ${what}`)),
  }).catch((error) => {
    if (interrupts.signal.aborted) return undefined;
    throw error;
  });
  if (!replayed || interrupts.signal.aborted) return EXIT.interrupted;
  const failures = failuresOf(replayed), isFailed = failures.length > 0;
  terminal.out(`${title} ... ${isFailed ? painted("red", "failed") : painted("green", "ok")}`);
  for (const text of [`${plan.kind}  ${name}`, ...replayed.faults, ...failures]) {
    for (const line of hangingLines(`  ${text}`, "    ")) terminal.out(line);
  }
  const result = {
    cluster: { kind: cluster, version: "" },
    operator: "in-process" as const,
    startMs,
    endMs: clock.now(),
    seed,
    scenarios: [resultOf(replayed, { planned, plan }, startMs)],
    failures: [],
  };
  const problems = await writeReports(files, result, (line) => terminal.out(line));
  for (const problem of problems) terminal.err(problem);
  const failed = (isFailed ? 1 : 0) + problems.length;
  terminal.out(`${isFailed ? 0 : 1} passed, ${failed} failed`);
  return failed > 0 ? EXIT.failed : EXIT.done;
}

function failuresOf({ problem, missed, findings }: PlanReplay): string[] {
  return [
    ...(problem === undefined ? [] : [`not replayed: ${problem}`]),
    ...missed.map((fault) => `the plan's fault was never reached, so this run shows nothing: ${fault}`),
    ...findings.map((finding) => `failed: ${finding}`),
  ];
}

function resultOf(
  replayed: PlanReplay,
  { planned: { suite, scenario }, plan }: Pick<ReplayedPlan, "planned" | "plan">,
  startMs: number,
): ScenarioResult {
  const failures = failuresOf(replayed), base = { ...NOTHING_RECORDED, startMs, endMs: startMs, ...replayed.result };
  return {
    ...base,
    suite: suite.name,
    name: `${scenario.name} (${plan.kind})`,
    outcome: failures.length > 0 ? { kind: "failed", message: failures.join("\n") } : { kind: "passed" },
  };
}
