import {
  type Clock,
  describeError,
  durationMs,
  formatDuration,
  LinkedAbort,
  SeededRandom,
  untilAborted,
} from "../base/mod.ts";
import { installNamespace, type Operator } from "../operator/mod.ts";
import { type Cluster, serviceAccountUser } from "./cluster.ts";
import { InProcessOperator, type OperatorHost } from "./in_process_operator.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { ScenarioOutcome, ScenarioResult } from "./result.ts";
import { RbacRecorder } from "./rbac.ts";
import { ScenarioEnvironment } from "./scenario_environment.ts";
import type { ScenarioWorld } from "./scenario_world.ts";
import { limitMsOf, type Scenario, type Suite } from "./suite.ts";
import { limited } from "./time_limit.ts";
import { type StepKind, Timeline } from "./timeline.ts";
import type { PendingWait } from "./waiting.ts";
import { SkippedError } from "./workloads.ts";

/** Longest part of a teardown, beside one wait. */
const TEARDOWN_MS_MAX = 5 * 60_000;

interface ScenarioRun {
  readonly suite: Suite;
  readonly scenario: Scenario;
  readonly within: ScenarioWorld;
  readonly cluster: Cluster;
  /** An operator in a pod; undefined for one in this process. */
  readonly deployed?: OperatorUnderTest;
  readonly clock: Clock;
  readonly seed: number;
  /** Distinguishes scenarios on a shared cluster; a DNS label of at most 40 characters. */
  readonly prefix: string;
  readonly waitMsMax: number;
  /** Of the body; as the scenario declares if absent. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
  /** Leave the namespaces of a failed scenario. */
  readonly keepFailed?: boolean;
  readonly onStep?: (kind: StepKind, title: string, ended: boolean) => void;
  readonly diagnose?: () => Promise<ScenarioResult["attachments"]>;
  /** Starts an operator in this process. */
  readonly host?: OperatorHost;
  /** Whether it is recorded which RBAC rules are used, although a host injects faults. */
  readonly recordsRbac?: boolean;
  /** The cluster ends with the run: a teardown deletes the objects of the operator's kinds, and those outside of
   * namespaces, and no Event is collected. */
  readonly isDiscarded?: boolean;
  /** Called when the body has ended, before anything that it made is removed. */
  readonly onBodyEnd?: (outcome: ScenarioOutcome) => Promise<void>;
  /** Called when that is removed, while the operator still works. */
  readonly onCleared?: () => Promise<void>;
}

export interface ScenarioEnd {
  readonly result: ScenarioResult;
  /** Closes the connections, after its objects are gone if wanted: a run waits for all namespaces at its end. */
  readonly close: (awaitGone: boolean) => Promise<void>;
}

/** Runs one scenario and always cleans up after it. Never throws: problems are in the result. */
export async function runScenario(run: ScenarioRun): Promise<ScenarioEnd> {
  const { suite, scenario, clock } = run, timeline = new Timeline(clock), startMs = clock.now();
  const ended = (outcome: ScenarioOutcome, attachments: ScenarioResult["attachments"] = []): ScenarioResult => ({
    suite: suite.name,
    name: scenario.name,
    outcome: timeline.mask.json(outcome),
    startMs,
    endMs: clock.now(),
    ...timeline.snapshot(),
    attachments: timeline.mask.json(attachments),
    rbac: rbac?.use,
  });
  using abort = new LinkedAbort([run.signal]);
  const limitMs = run.limitMs ?? limitMsOf(scenario.options);
  const beginning = () =>
    operator.runs || scenario.options.operator === "stopped"
      ? "its first step had not begun"
      : "the operator had not started";
  const late = () => lateMessage(limitMs, timeline, beginning(), environment?.pendingWaits ?? []);
  const onLate = () => abort.abort(new Error(late()));
  const timer = clock.schedule(onLate, limitMs - run.within.tookMs);
  let environment: ScenarioEnvironment | undefined, outcome: ScenarioOutcome = { kind: "passed" };
  let attachments: ScenarioResult["attachments"] = [];
  const { world, operator: make } = run.within, declared = make();
  // Faults, which a host injects, need other rules by chance.
  const rbac = run.deployed || (run.host && !run.recordsRbac) ? undefined : new RbacRecorder(declared);
  const operator = run.deployed ?? inProcess(run, declared, { timeline, rbac });
  try {
    const onError = (error: unknown) => abort.abort(error);
    environment = await ScenarioEnvironment.open({
      ...run,
      world,
      declared,
      operator,
      timeline,
      signal: abort.signal,
      onError,
    });
    await untilAborted(perform(scenario, environment, operator), abort.signal); // may ignore its signal
  } catch (error) {
    outcome = run.signal.aborted ? { kind: "interrupted" } : outcomeOf(error);
    if (outcome.kind === "failed") attachments = await run.diagnose?.().catch(() => []) ?? [];
  } finally {
    clock.clear(timer);
  }
  await run.onBodyEnd?.(outcome);
  outcome = await teardown(run, { environment, operator, timeline }, outcome);
  return {
    result: ended(outcome, attachments),
    close: (awaitGone) => close(environment, awaitGone && !isKept(run, outcome)),
  };
}

const WAITS_MAX = 2;

function lateMessage(limitMs: number, timeline: Timeline, beginning: string, waits: readonly PendingWait[]): string {
  const step = timeline.steps.findLast(({ endMs }) => endMs === undefined), last = timeline.steps.at(-1);
  const where = step
    ? `"${step.kind} ${step.title}" had not ended after ${formatDuration(timeline.clock.now() - step.startMs)}`
    : last
    ? `no step was under way since "${last.kind} ${last.title}" had ended`
    : beginning;
  const described = waits.slice(0, WAITS_MAX).map((wait) => wait.describe());
  return [`it took longer than ${formatDuration(limitMs)}: ${where}`, ...described].join("\n");
}

async function perform(scenario: Scenario, within: ScenarioEnvironment, operator: OperatorUnderTest): Promise<void> {
  const { operator: state, workloads } = scenario.options;
  if (workloads) await within.simulateWorkloads(durationMs(workloads.readyAfter));
  if (state !== "stopped") await operator.start();
  await scenario.body(within.context());
}

interface ScenarioResources {
  readonly environment: ScenarioEnvironment | undefined;
  readonly operator: OperatorUnderTest;
  readonly timeline: Timeline;
}

/** A failed teardown fails a passed scenario. */
async function teardown(
  run: ScenarioRun,
  { environment, operator, timeline }: ScenarioResources,
  outcome: ScenarioOutcome,
): Promise<ScenarioOutcome> {
  const title = isKept(run, outcome) ? `kept: ${environment?.namespaces.join(", ")}` : "delete what it created";
  const step = timeline.begin("teardown", title);
  run.onStep?.("teardown", title, false);
  const problems: unknown[] = [];
  const attempt = (what: string, act: () => Promise<void>) =>
    limited(act, { clock: run.clock, limitMs: TEARDOWN_MS_MAX + run.waitMsMax, what }).catch((error) =>
      void problems.push(error)
    );
  if (environment) {
    await attempt("waiting for its last writes", () => environment.endBody());
    if (!run.isDiscarded) await attempt("collecting its Events", () => environment.collectEvents());
  }
  // Clean-up needs a running operator, and a failed body may leave it in any state.
  if (outcome.kind !== "passed" && !run.deployed) await attempt("ending its operator", () => operator.crash());
  if (environment && !isKept(run, outcome)) await attempt("deleting what it created", () => environment.clear());
  await run.onCleared?.();
  if (operator instanceof InProcessOperator) {
    await attempt("ending its operator", () => operator[Symbol.asyncDispose]());
  }
  await run.within[Symbol.asyncDispose]().catch((error) => void problems.push(error));
  const problem = [...new Set(problems.map(describeError))].join("\n");
  step.failure = problem || undefined;
  step.endMs = timeline.clock.now();
  run.onStep?.("teardown", title, true);
  return problem ? withTeardownFailure(outcome, problem) : outcome;
}

/** The body's own failure comes first, and an interruption stays one. */
function withTeardownFailure(outcome: ScenarioOutcome, problem: string): ScenarioOutcome {
  if (outcome.kind === "interrupted") return outcome;
  if (outcome.kind !== "failed") return failed(new Error(`its teardown failed: ${problem}`));
  return { ...outcome, message: `${outcome.message}\nits teardown failed too: ${problem}` };
}

async function close(environment: ScenarioEnvironment | undefined, awaitGone: boolean): Promise<void> {
  try {
    if (awaitGone) await environment?.gone();
  } finally {
    environment?.close();
  }
}

function isKept({ keepFailed }: ScenarioRun, outcome: ScenarioOutcome): boolean {
  return keepFailed === true && outcome.kind === "failed";
}

function inProcess(
  { within, scenario, cluster, clock, seed, host }: ScenarioRun,
  declared: Operator,
  record: { readonly timeline: Timeline; readonly rbac: RbacRecorder | undefined },
) {
  return new InProcessOperator({
    operator: within.operator,
    cluster,
    webhooksStay: scenario.options.webhooksStay,
    user: serviceAccountUser(installNamespace(declared.name), declared.name),
    clock,
    random: () => new SeededRandom(seed),
    ...record,
    host,
  });
}

function outcomeOf(error: unknown): ScenarioOutcome {
  return error instanceof SkippedError ? { kind: "skipped", reason: error.message } : failed(error);
}

function failed(error: unknown): ScenarioOutcome {
  return { kind: "failed", message: describeError(error), stack: error instanceof Error ? error.stack : undefined };
}
