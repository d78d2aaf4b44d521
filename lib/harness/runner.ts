import { type Clock, describeError, mapConcurrent, UsageError } from "../base/mod.ts";
import { Client } from "../client/mod.ts";
import type { Cluster, ClusterSource } from "./cluster.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { RunResult, ScenarioResult } from "./result.ts";
import { install } from "./install.ts";
import { runScenario, type ScenarioEnd } from "./run_scenario.ts";
import { isAlone, type Scenario, type Suite } from "./suite.ts";
import type { StepKind } from "./timeline.ts";
import { Turnstile } from "./turnstile.ts";

/** An operator that runs as a pod of the cluster, shared by all scenarios. */
export interface Deployment {
  /** The pod, as scenarios see it. */
  readonly operator: OperatorUnderTest;
  /** Logs, Events and state of its pods, for a failure's report. */
  diagnose(): Promise<ScenarioResult["attachments"]>;
}

/** Told how a run goes, as it goes. */
export interface RunListener {
  /** Something outside of every scenario takes a while, as bringing up a cluster; undefined when it is over. */
  onStage?(what: string | undefined): void;
  /** Called once, before anything else. */
  onBegin?(planned: readonly PlannedScenario[]): void;
  /** A scenario begins. */
  onScenarioBegin?(planned: PlannedScenario): void;
  /** A step of a scenario begins or ends. */
  onStep?(planned: PlannedScenario, kind: StepKind, title: string, ended: boolean): void;
  /** A scenario has ended, its teardown included. */
  onScenarioEnd?(planned: PlannedScenario, result: ScenarioResult): void;
}

/** A scenario that will run. */
export interface PlannedScenario {
  /** The suite that it is of. */
  readonly suite: Suite;
  /** The scenario. */
  readonly scenario: Scenario;
}

/** How suites are run. */
export interface RunOptions {
  /** Where clusters come from. */
  readonly source: ClusterSource;
  /** The run's time. */
  readonly clock: Clock;
  /** Ends the run: scenarios under way are cleared, the rest is not begun. */
  readonly signal: AbortSignal;
  /** Scenarios that run at the same time; on a shared cluster only where the operator is deployed. */
  readonly parallelMax: number;
  /** Bound of each expectation. */
  readonly waitMsMax: number;
  /** Makes the randomness of the operator repeatable: the same seed, the same jitter. */
  readonly seed: number;
  /** First part of every name on a shared cluster. */
  readonly runId: string;
  /** Leave the namespaces of scenarios that fail. */
  readonly keepFailed?: boolean;
  /**
   * More runs follow on the same shared cluster: the operator's CRDs and rights stay, and namespaces may still be on their way
   * out when the run ends.
   */
  readonly moreFollow?: boolean;
  /** Deploys the operator into the shared cluster; in-process operators where absent. */
  readonly deploy?: (cluster: Cluster, signal: AbortSignal) => Promise<Deployment & AsyncDisposable>;
  /** Told how the run goes. */
  readonly listener?: RunListener;
}

/** The scenarios whose full name (`suite: scenario`) matches, in their order; all where `filter` is absent. */
export function planRun(suites: readonly Suite[], filter?: (name: string) => boolean): PlannedScenario[] {
  return suites.flatMap((suite) => suite.scenarios.map((scenario) => ({ suite, scenario })))
    .filter(({ suite, scenario }) => filter?.(`${suite.name}: ${scenario.name}`) ?? true);
}

/**
 * Runs scenarios on clusters of a source. Opens what it needs, and leaves nothing behind: neither on this machine nor, but for
 * `keepFailed`, in the cluster; what is left in spite of that is a failure. After an interruption the rest is `interrupted`.
 *
 * @throws {UsageError} where this machine lacks what the clusters need.
 */
export async function runScenarios(planned: readonly PlannedScenario[], options: RunOptions): Promise<RunResult> {
  const { clock, source, signal, listener, seed } = options, startMs = clock.now();
  const results = new Map<PlannedScenario, ScenarioResult>(), failures: string[] = [];
  let version = "";
  listener?.onBegin?.(planned);
  const note = (each: PlannedScenario, result: ScenarioResult) => {
    results.set(each, result);
    listener?.onScenarioEnd?.(each, result);
  };
  try {
    if (source.isolated) {
      await mapConcurrent(planned, options.parallelMax, async (each, index) => {
        if (signal.aborted) return;
        listener?.onScenarioBegin?.(each);
        await using cluster = await source.open(signal);
        version ||= await serverVersion(cluster, clock);
        await using _installed = await install(cluster, each.suite.operator(), clock, signal);
        const end = await endOf(each, index, cluster, options, undefined);
        await end.close(false);
        note(each, end.result);
      });
    } else version = await runShared(planned, options, note, failures);
  } catch (error) {
    // What this machine lacks is for the person to mend; nothing has begun yet.
    if (error instanceof UsageError && results.size === 0) throw error;
    if (!signal.aborted) failures.push(describeError(error));
  }
  for (const each of planned) if (!results.has(each)) results.set(each, interrupted(each, clock));
  return {
    cluster: { kind: source.kind, version },
    operator: options.deploy ? "deployed" : "in-process",
    startMs,
    endMs: clock.now(),
    seed,
    scenarios: planned.map((each) => results.get(each)!),
    failures,
  };
}

async function runShared(
  planned: readonly PlannedScenario[],
  options: RunOptions,
  note: (each: PlannedScenario, result: ScenarioResult) => void,
  failures: string[],
): Promise<string> {
  const { source, clock, signal, listener } = options;
  listener?.onStage?.(`opening a ${source.kind} cluster`);
  await using cluster = await source.open(signal);
  const version = await serverVersion(cluster, clock);
  await using installed = new AsyncDisposableStack();
  if (options.deploy) listener?.onStage?.("deploying the operator");
  else {
    const operators = new Map(planned.map(({ suite }) => [suite, suite.operator()]));
    for (const operator of operators.values()) {
      const installation = await install(cluster, operator, clock, signal);
      if (!options.moreFollow) installed.use(installation);
    }
  }
  await using deployment = await options.deploy?.(cluster, signal);
  listener?.onStage?.(undefined);
  const turnstile = new Turnstile(), ends: ScenarioEnd[] = [];
  // Operators in this process would all work on all objects of the cluster: one scenario at a time, then.
  const parallelMax = deployment ? options.parallelMax : 1;
  try {
    await mapConcurrent(planned, parallelMax, async (each, index) => {
      using _turn = await turnstile.enter(isAlone(each.scenario.options));
      if (signal.aborted) return;
      listener?.onScenarioBegin?.(each);
      const end = await endOf(each, index, cluster, options, deployment);
      ends.push(end);
      note(each, end.result);
    });
  } finally {
    if (ends.length > 0 && !options.moreFollow) listener?.onStage?.("waiting until nothing is left");
    for (const end of ends) {
      await end.close(!options.moreFollow).catch((error) => failures.push(describeError(error)));
    }
    listener?.onStage?.(undefined);
  }
  return version;
}

async function endOf(
  { suite, scenario }: PlannedScenario,
  index: number,
  cluster: Cluster,
  options: RunOptions,
  deployment: Deployment | undefined,
): Promise<ScenarioEnd> {
  const { clock, seed, waitMsMax, signal, keepFailed, listener, runId } = options;
  const planned = { suite, scenario };
  return await runScenario({
    suite,
    scenario,
    cluster,
    deployed: deployment?.operator,
    diagnose: deployment && (() => deployment.diagnose()),
    clock,
    seed,
    prefix: `${runId}-${index}`,
    waitMsMax,
    signal,
    keepFailed,
    onStep: (kind, title, ended) => listener?.onStep?.(planned, kind, title, ended),
  });
}

function interrupted({ suite, scenario }: PlannedScenario, clock: Clock): ScenarioResult {
  const nowMs = clock.now();
  return {
    suite: suite.name,
    name: scenario.name,
    outcome: { kind: "interrupted" },
    startMs: nowMs,
    endMs: nowMs,
    steps: [],
    writes: [],
    logs: [],
    events: [],
    dropped: 0,
    attachments: [],
  };
}

async function serverVersion(cluster: Cluster, clock: Clock): Promise<string> {
  const transport = cluster.transport();
  try {
    const client = new Client(transport, { fieldManager: "scenario", clock });
    return (await client.raw("GET", "/version") as { gitVersion?: string }).gitVersion ?? "";
  } finally {
    transport.close();
  }
}
