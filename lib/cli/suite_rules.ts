import { hangingLines, randomSuffix, SystemClock, SystemRandom, UsageError } from "../base/mod.ts";
import { isSamePermission, type Permission, rulesOf } from "../operator/mod.ts";
import {
  EmbeddedSource,
  formatPermissions,
  planRun,
  rbacFailures,
  rbacReports,
  type RunResult,
  runScenarios,
  scenarioLines,
} from "../harness/mod.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import type { TestSettings } from "./test_settings.ts";

/**
 * `manifests --from-suite`: runs every scenario on an embedded cluster, and removes from the operator's rules what none
 * used. Says on stderr what it left out. Undefined if it did; else the exit code.
 */
export async function keepUsedRules(context: CommandContext): Promise<number | undefined> {
  const { operator, program, terminal } = context;
  if (!context.suites) throw new UsageError("--from-suite needs scenarios, and this program has none");
  using interrupts = new Interrupts({ hangup: true });
  const result = await runSuites(context, interrupts.signal);
  if (interrupts.signal.aborted) return EXIT.interrupted;
  const problems = [
    ...result.scenarios.filter(({ outcome }) => outcome.kind === "failed").flatMap((each) =>
      scenarioLines(each, (_style, text) => text)
    ),
    ...[...result.failures, ...rbacFailures(result.scenarios, false)].flatMap((failure) => hangingLines(failure)),
  ];
  for (const problem of problems) terminal.err(problem);
  if (problems.length > 0) {
    terminal.err(`${program}: what the scenarios need is not known before all of them pass: nothing is written`);
    return EXIT.failed;
  }
  const report = rbacReports(result.scenarios).find((each) => each.operator === operator.name);
  if (!report) {
    throw new UsageError(`--from-suite: no scenario runs operator ${operator.name}`, "give its suites to cli()");
  }
  const spare = report.spare.filter((each) =>
    operator.declaredPermissions().some((own) => isSamePermission(own, each))
  );
  for (const line of withoutLines(spare, result.scenarios.length)) terminal.err(line);
  operator.withoutPermissions(...rulesOf(spare));
  return undefined;
}

async function runSuites({ suites, settings }: CommandContext, signal: AbortSignal): Promise<RunResult> {
  const clock = new SystemClock(), { testParallelMax, testWaitMsMax } = settings as unknown as TestSettings;
  return await runScenarios(planRun(await suites!()), {
    source: new EmbeddedSource({ clock }),
    clock,
    signal,
    seed: 1,
    parallelMax: testParallelMax,
    waitMsMax: testWaitMsMax,
    runId: `rules-${randomSuffix(new SystemRandom())}`,
  });
}

function withoutLines(spare: readonly Permission[], scenarios: number): string[] {
  if (spare.length === 0) return [`${scenarios} scenarios need every declared rule`];
  return [
    `left out, as none of ${scenarios} scenarios needs it:`,
    ...formatPermissions(spare).map((line) => `  ${line}`),
    "  fix: declare less, so that install and doctor agree: shorten permissions(), or call withoutPermissions()",
  ];
}
