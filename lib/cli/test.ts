import { describeError, hangingLines, randomSuffix, SystemClock, SystemRandom, UsageError } from "../base/mod.ts";
import {
  countOutcomes,
  formatPermissions,
  LineReporter,
  type Paint,
  type PlannedScenario,
  planRun,
  rbacFailures,
  rbacReports,
  type RunListener,
  type RunResult,
  runScenarios,
  type Suite,
  summaryLines,
  TerminalReporter,
} from "../harness/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import { openLiveArea } from "./live_area.ts";
import type { CommandContext } from "./command_context.ts";
import { shellWord } from "./shell_word.ts";
import { paint } from "./terminal.ts";
import { checkKeep, deploymentOf, sourceOf } from "./test_cluster.ts";
import { checkReports, reportFiles, writeReports } from "./test_reports.ts";
import type { TestFlags, TestSettings } from "./test_settings.ts";

/** `test`: the operator's scenarios on the chosen cluster. Its last line is `N passed, N failed`. */
export async function test(context: CommandContext, names: readonly string[], flags: TestFlags): Promise<number> {
  const { terminal, program, command, version } = context, settings = context.settings as unknown as TestSettings;
  const planned = choose(await context.suites!(), names, flags.filter);
  if (flags.list) {
    for (const { suite, scenario } of planned) terminal.out(`${suite.name}: ${scenario.name}`);
    return EXIT.done;
  }
  requireEffects(settings, flags);
  const clock = new SystemClock(), random = new SystemRandom();
  const seed = settings.testSeed || 1 + Math.floor(random.next() * (2 ** 31 - 2));
  if (explores(flags)) {
    const { exploreAll } = await import("./explore.ts");
    const isWhole = names.length === 0 && flags.filter === undefined;
    return await exploreAll(context, flags, { planned, seed, isWhole });
  }
  checkKeep(settings, flags);
  if (flags.rbac && flags.deployed) {
    throw new UsageError(
      "--rbac sees the requests of an operator in this process, not those of a pod",
      "leave out --deployed: the operator's own ServiceAccount sends the requests in both cases",
    );
  }
  const source = sourceOf(context, flags, clock), deploy = flags.deployed && deploymentOf(context, clock);
  const files = reportFiles(flags, `${program} ${version}`, (result, name) => rerun(command, result, name));
  await checkReports(files);
  await source.agree?.();
  using interrupts = new Interrupts({ hangup: true });
  // First, so that a run that never ends can be repeated.
  const what = `${planned.length} ${
    planned.length === 1 ? "scenario" : "scenarios"
  } on ${settings.testCluster}, seed ${seed}`;
  if (!terminal.interactive) terminal.out(what);
  const painted: Paint = (style, text) => paint(terminal, style, text);
  const result = await watched(context, painted, interrupts, (listener) =>
    runScenarios(planned, {
      source,
      deploy,
      clock,
      seed,
      signal: interrupts.signal,
      parallelMax: settings.testParallelMax,
      waitMsMax: settings.testWaitMsMax,
      // Unique for each run and seed, so that no earlier run's objects conflict.
      runId: `test-${randomSuffix(random)}`,
      keepFailed: flags.keep,
      listener,
    }));
  const isWhole = names.length === 0 && flags.filter === undefined && !interrupts.signal.aborted;
  const rbac = rbacFailures(result.scenarios, isWhole), judged = flags.rbac ? withFailures(result, rbac) : result;
  const problems = await writeReports(files, judged, (line) => terminal.out(line));
  const complete = withFailures(judged, problems);
  for (const line of rbacLines(complete, flags, { rbac, isWhole })) terminal.out(painted("yellow", line));
  for (const line of summaryLines(complete, painted)) terminal.out(line);
  if (interrupts.signal.aborted) return EXIT.interrupted;
  const { failed, interrupted } = countOutcomes(complete);
  return failed + interrupted > 0 ? EXIT.failed : EXIT.done;
}

function explores({ explore, specs, plan }: TestFlags): boolean {
  return Boolean(explore || specs || plan !== undefined);
}

/** @throws {UsageError} for a flag that this run would ignore. */
function requireEffects({ testCluster }: TestSettings, flags: TestFlags): void {
  const ignored: [isIgnored: boolean, flag: string, fix: string][] = [
    [flags.plansMax !== undefined && !explores(flags), "--plans-max", "add --explore or --specs, or leave it out"],
    [flags.plansMax !== undefined && flags.plan !== undefined, "--plans-max", "leave it out: --plan runs one plan"],
    [flags.keep === true && explores(flags), "--keep", "leave it out: explorations keep no namespaces"],
    [flags.keepCluster === true && testCluster !== "kind", "--keep-cluster", "add --cluster kind, or leave it out"],
    [flags.reuse === true && testCluster !== "kind", "--reuse", "add --cluster kind, or leave it out"],
    [flags.download === true && testCluster !== "envtest", "--download", "add --cluster envtest, or leave it out"],
  ];
  for (const [isIgnored, flag, fix] of ignored) {
    if (isIgnored) throw new UsageError(`${flag} would have no effect on this run`, fix);
  }
}

function withFailures(result: RunResult, failures: readonly string[]): RunResult {
  return { ...result, failures: [...result.failures, ...failures] };
}

/** What is known of the RBAC rules and is no failure. */
function rbacLines(
  { scenarios }: RunResult,
  flags: TestFlags,
  { rbac, isWhole }: { readonly rbac: readonly string[]; readonly isWhole: boolean },
): string[] {
  if (!flags.rbac) return rbac.flatMap((failure) => hangingLines(failure));
  if (!isWhole) return ["RBAC: only some scenarios ran, so unused rules are not listed"];
  return rbacReports(scenarios).flatMap(({ operator, unused, spare }) => {
    const owned = formatPermissions(spare.filter((each) => !unused.includes(each)));
    return owned.length === 0 ? [] : [
      `RBAC of ${operator}: \`owns\` also allows what no scenario used: ${owned.join("; ")}`,
      "  fix: if handlers never do that, withoutPermissions() removes it",
    ];
  });
}

async function watched(
  { terminal }: CommandContext,
  painted: Paint,
  interrupts: Interrupts,
  run: (listener: RunListener) => Promise<RunResult>,
): Promise<RunResult> {
  if (!terminal.interactive) {
    const onAbort = () => terminal.out("interrupted: cleaning up");
    interrupts.signal.addEventListener("abort", onAbort, { once: true });
    return await run(new LineReporter((line) => terminal.out(line), painted));
  }
  const options = { area: await openLiveArea(), columns: () => terminal.columns(), paint: painted };
  using reporter = new TerminalReporter({ ...options, clock: new SystemClock() });
  interrupts.signal.addEventListener("abort", () => reporter.onInterrupt(), { once: true });
  return await run(reporter);
}

/** The command that repeats one scenario as it ran. */
function rerun(command: string, { cluster, operator, seed }: RunResult, name: string): string {
  const deployed = operator === "deployed" ? " --deployed" : "";
  return `${command} test --cluster ${cluster.kind}${deployed} --seed ${seed} --filter ${shellWord(name)}`;
}

/** @throws {UsageError} for an unknown suite, an invalid filter, or nothing left to run. */
function choose(suites: readonly Suite[], names: readonly string[], filter: string | undefined): PlannedScenario[] {
  const known = suites.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UsageError(`there is no suite ${unknown.join(", ")}`, `the suites are ${known.join(", ")}`);
  }
  const planned = planRun(
    names.length === 0 ? suites : suites.filter(({ name }) => names.includes(name)),
    filter === undefined ? undefined : matcher(filter),
  );
  if (planned.length > 0) return planned;
  throw new UsageError("no scenario matches", "`test --list` shows all of them");
}

/** A text matches literally, `/…/` as a regular expression, as with `deno test --filter`. */
function matcher(filter: string): (name: string) => boolean {
  const pattern = /^\/(.+)\/$/s.exec(filter)?.[1];
  if (pattern === undefined) return (name) => name.includes(filter);
  try {
    const regexp = new RegExp(pattern);
    return (name) => regexp.test(name);
  } catch (cause) {
    throw new UsageError(`--filter ${filter} is not a regular expression: ${describeError(cause)}`, undefined, {
      cause,
    });
  }
}
