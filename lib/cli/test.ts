import { SystemClock } from "../base/clock.ts";
import { describeError, UsageError } from "../base/errors.ts";
import { SystemRandom } from "../base/random.ts";
import {
  countOutcomes,
  junitReport,
  LineReporter,
  type PlannedScenario,
  planRun,
  type RunResult,
  runScenarios,
  type Suite,
  summaryLines,
} from "../harness/mod.ts";
import { EXIT } from "./exit.ts";
import { Interrupts } from "./interrupts.ts";
import type { CommandContext } from "./program.ts";
import { paint } from "./terminal.ts";
import { deploymentOf, sourceOf } from "./test_cluster.ts";
import type { TestSettings } from "./test_settings.ts";

/** Flags of `test`, beside its settings. */
export interface TestFlags {
  readonly filter?: string | undefined;
  readonly keep?: true | undefined;
  readonly list?: true | undefined;
  readonly keepCluster?: true | undefined;
  readonly reuse?: true | undefined;
  readonly deployed?: true | undefined;
  readonly yes?: true | undefined;
  readonly junit?: string | undefined;
}

/** `test`: the operator's own scenarios, on the cluster of one's choice. Its last line is `N passed, N failed`. */
export async function test(context: CommandContext, names: readonly string[], flags: TestFlags): Promise<number> {
  const { terminal } = context, settings = context.settings as unknown as TestSettings;
  const planned = choose(await context.suites!(), names, flags.filter);
  if (flags.list) {
    for (const { suite, scenario } of planned) terminal.out(`${suite.name}: ${scenario.name}`);
    return EXIT.done;
  }
  const clock = new SystemClock(),
    seed = settings.testSeed || 1 + Math.floor(new SystemRandom().next() * (2 ** 31 - 2));
  using interrupts = new Interrupts();
  const painted: Parameters<typeof summaryLines>[1] = (style, text) => paint(terminal, style, text);
  const result = await runScenarios(planned, {
    source: sourceOf(context, flags, clock),
    deploy: flags.deployed && deploymentOf(context, clock),
    clock,
    seed,
    signal: interrupts.signal,
    parallelMax: settings.testParallelMax,
    waitMsMax: settings.testWaitMsMax,
    runId: `test-${seed.toString(36)}`,
    keepFailed: flags.keep,
    listener: new LineReporter((line) => terminal.out(line), painted),
  });
  await writeReports(result, flags, (line) => terminal.out(line));
  for (const line of summaryLines(result, painted)) terminal.out(line);
  if (interrupts.signal.aborted) return EXIT.interrupted;
  return countOutcomes(result).failed > 0 ? EXIT.failed : EXIT.done;
}

/** @throws {UsageError} for an unknown suite, a filter that cannot be read, and a choice that leaves nothing to run. */
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

/** A text is looked for as it is, `/…/` as a regular expression, as with `deno test --filter`. */
function matcher(filter: string): (name: string) => boolean {
  const pattern = /^\/(.+)\/$/s.exec(filter)?.[1];
  if (pattern === undefined) return (name) => name.includes(filter);
  try {
    const regexp = new RegExp(pattern);
    return (name) => regexp.test(name);
  } catch (cause) {
    throw new UsageError(`--filter ${filter} is no regular expression: ${describeError(cause)}`, undefined, { cause });
  }
}

async function writeReports(result: RunResult, flags: TestFlags, out: (line: string) => void): Promise<void> {
  if (flags.junit) await writeReport(flags.junit, "--junit", junitReport(result), out);
}

async function writeReport(path: string, flag: string, text: string, out: (line: string) => void): Promise<void> {
  try {
    await Deno.writeTextFile(path, text);
  } catch (cause) {
    throw new UsageError(`cannot write ${path}: ${describeError(cause)}`, `give ${flag} a file that can be written`, {
      cause,
    });
  }
  out(`report: ${path}`);
}
