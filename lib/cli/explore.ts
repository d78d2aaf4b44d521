import { UsageError } from "../base/mod.ts";
import { type Exploration, explore, failureStory, formatPlan, parsePlan } from "../explore/mod.ts";
import type { Paint, PlannedScenario } from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { paint } from "./terminal.ts";
import type { TestFlags } from "./test_settings.ts";

/** Virtual time: long enough for any backoff. */
const WAIT_MS_MAX = 10 * 60_000;
/** Failed plans of a scenario that are printed in full. */
const STORIES_MAX = 3;

interface ExploreRun {
  readonly planned: readonly PlannedScenario[];
  readonly seed: number;
  /** The command that explores one scenario again with one plan. */
  readonly rerun: (name: string, plan: string) => string;
}

/** `test --explore`: each scenario under each fault. Its last line is `N passed, N failed`, of plans. */
export async function exploreAll(context: CommandContext, flags: TestFlags, run: ExploreRun): Promise<number> {
  const { terminal } = context, painted: Paint = (style, text) => paint(terminal, style, text);
  const plan = flags.plan === undefined ? undefined : parsePlan(flags.plan);
  if (flags.plan !== undefined && !plan) {
    throw new UsageError(`${flags.plan} is not a plan of this version`, "plans are in the output of `test --explore`");
  }
  if (plan && run.planned.length > 1) throw new UsageError("--plan is for one scenario", "name it with --filter");
  using interrupts = new Interrupts({ hangup: true });
  const options = { seed: run.seed, waitMsMax: WAIT_MS_MAX, signal: interrupts.signal, plan, plansMax: flags.plansMax };
  terminal.out(`exploring ${run.planned.length} scenarios, seed ${run.seed}`);
  let explored = 0, failed = 0, broken = 0;
  for (const planned of run.planned) {
    if (interrupts.signal.aborted) break;
    const name = `${planned.suite.name}: ${planned.scenario.name}`;
    const exploration = await explore(planned, options);
    if (exploration.problem !== undefined) broken++;
    explored += exploration.explored;
    failed += exploration.failures.length;
    for (const line of linesOf(name, exploration, run, painted)) terminal.out(line);
  }
  terminal.out(`${explored - failed} passed, ${failed + broken} failed`);
  if (interrupts.signal.aborted) return EXIT.interrupted;
  return failed + broken > 0 ? EXIT.failed : EXIT.done;
}

function linesOf(name: string, exploration: Exploration, { rerun }: ExploreRun, painted: Paint): string[] {
  const { problem, requests, generated, explored, pruned, failures, masked, warnings } = exploration;
  if (exploration.skipped) return [`${name} ... skipped: ${exploration.skipped}`];
  if (problem !== undefined) return [`${name} ... ${painted("red", "not explored")}`, `  ${problem}`];
  const left = [...pruned].map(([reason, count]) => `${count} ${reason}`).join(", ");
  const outcome = failures.length === 0 ? painted("green", "ok") : painted("red", `${failures.length} failed`);
  const lines = [
    `${name} ... ${outcome} (${requests} requests, ${explored} of ${generated} plans${left && `; left out: ${left}`})`,
  ];
  if (masked.length > 0) lines.push(`  differs from run to run, so it is not compared: ${masked.join(", ")}`);
  for (const call of warnings) lines.push(`  outside of the simulation: ${call}`);
  for (const failure of failures.slice(0, STORIES_MAX)) {
    const plan = formatPlan(failure.plan);
    lines.push("", painted("bold", `${failure.plan.kind}  ${plan}`), ...failureStory(exploration, failure));
    lines.push(`  again: ${rerun(name, plan)}`, "");
  }
  for (const failure of failures.slice(STORIES_MAX)) {
    lines.push(`  ${failure.plan.kind}  ${formatPlan(failure.plan)}  ${failure.findings[0]!.message.split("\n")[0]}`);
  }
  return lines;
}
