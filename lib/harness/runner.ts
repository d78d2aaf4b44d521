import { type Clock, describeError, mapConcurrent, UsageError } from "../base/mod.ts";
import { Client, UnauthorizedError, UnreachableError } from "../client/mod.ts";
import type { Cluster, ClusterKind, ClusterSource } from "./cluster.ts";
import { ExitHook } from "./exit_hook.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import { NOTHING_RECORDED, type RunResult, type ScenarioOutcome, type ScenarioResult } from "./result.ts";
import { install } from "./install.ts";
import { installManifests } from "./manifests.ts";
import { runScenario, type ScenarioEnd } from "./run_scenario.ts";
import { ScenarioWorld } from "./scenario_world.ts";
import { isAlone, limitMsOf, type Scenario, type Suite } from "./suite.ts";
import type { StepKind } from "./timeline.ts";
import { RwLock } from "./rw_lock.ts";

/** An operator in a pod that all scenarios share. */
export interface Deployment {
  /** The operator, as scenarios see it. */
  readonly operator: OperatorUnderTest;
  /** Logs, Events and state of its pods, for a failure's report. */
  diagnose(): Promise<ScenarioResult["attachments"]>;
}

/** Notified of a run's progress. */
export interface RunListener {
  /** A slow part outside of scenarios, such as bringing up a cluster; undefined when it ends. */
  onStage?(what: string | undefined): void;
  /** Called once, first. */
  onBegin?(planned: readonly PlannedScenario[]): void;
  /** A scenario begins. */
  onScenarioBegin?(planned: PlannedScenario): void;
  /** A step of a scenario begins or ends. */
  onStep?(planned: PlannedScenario, kind: StepKind, title: string, ended: boolean): void;
  /** A scenario has ended, teardown included. */
  onScenarioEnd?(planned: PlannedScenario, result: ScenarioResult): void;
}

/** A scenario to run. */
export interface PlannedScenario {
  /** Its suite. */
  readonly suite: Suite;
  /** The scenario itself. */
  readonly scenario: Scenario;
}

/** Options of {@linkcode runScenarios}. */
export interface RunOptions {
  /** Where clusters come from. */
  readonly source: ClusterSource;
  /** Clock of the run. */
  readonly clock: Clock;
  /** Ends the run: running scenarios are cleaned up, others do not begin. */
  readonly signal: AbortSignal;
  /** Concurrent scenarios; on a shared cluster only with a deployed operator. */
  readonly parallelMax: number;
  /** Bound of each expectation. */
  readonly waitMsMax: number;
  /** Repeats the operator's randomness: the same seed gives the same jitter. */
  readonly seed: number;
  /** Prefix of every name on a shared cluster. */
  readonly runId: string;
  /** Leave the namespaces of failed scenarios. */
  readonly keepFailed?: boolean;
  /** More runs follow on the cluster: the operator's CRDs and RBAC rules stay, and namespaces may still terminate. */
  readonly moreFollow?: boolean;
  /** Deploys the operator into the shared cluster; operators run in this process if absent. */
  readonly deploy?: (cluster: Cluster, signal: AbortSignal) => Promise<Deployment & AsyncDisposable>;
  /** Notified of progress. */
  readonly listener?: RunListener;
}

/** The scenarios whose full name (`suite: scenario`) matches, in order; all without `filter`. */
export function planRun(suites: readonly Suite[], filter?: (name: string) => boolean): PlannedScenario[] {
  return suites.flatMap((suite) => suite.scenarios.map((scenario) => ({ suite, scenario })))
    .filter(({ suite, scenario }) => filter?.(`${suite.name}: ${scenario.name}`) ?? true);
}

/**
 * Runs scenarios on a source's clusters. Leaves nothing on this machine, nor in the cluster except by `keepFailed`;
 * leftovers are a failure. A scenario's problem, even opening its own cluster, fails only that scenario. After an
 * interruption, or without the shared cluster, the rest is `interrupted`.
 *
 * @throws {UsageError} if this machine lacks what the clusters need; {@linkcode UnreachableError} or
 *   {@linkcode UnauthorizedError} if a cluster refuses access; each before any scenario begins.
 */
export async function runScenarios(planned: readonly PlannedScenario[], options: RunOptions): Promise<RunResult> {
  const run = new Run(planned, options), { clock, source, seed, listener } = options, startMs = clock.now();
  listener?.onBegin?.(planned);
  try {
    await (source.isolated ? run.isolated() : run.shared());
  } catch (error) {
    if (isUserError(error) && run.results.size === 0) throw error;
    run.failures.push(...problemsOf(error, options.signal));
  }
  return {
    cluster: { kind: source.kind, version: run.version },
    operator: options.deploy ? "deployed" : "in-process",
    startMs,
    endMs: clock.now(),
    seed,
    scenarios: planned.map((each) => run.results.get(each) ?? notStarted(each, { kind: "interrupted" }, clock.now())),
    failures: run.failures,
  };
}

const OPENING: Readonly<Record<ClusterKind, string>> = {
  embedded: "opening an embedded cluster",
  envtest: "starting a control plane",
  kind: "opening a kind cluster",
  current: "entering the cluster of the current context",
};

/** Not a failed test. */
function isUserError(error: unknown): boolean {
  return error instanceof UsageError || error instanceof UnreachableError || error instanceof UnauthorizedError;
}

/** An interruption is no problem; a failed clean-up after it is. */
function problemsOf(error: unknown, signal: AbortSignal): string[] {
  if (error instanceof SuppressedError) {
    return [...problemsOf(error.suppressed, signal), ...problemsOf(error.error, signal)];
  }
  const isInterruption = error === signal.reason || (error instanceof Error && error.name === "AbortError");
  return signal.aborted && isInterruption ? [] : [describeError(error)];
}

class Run {
  readonly results = new Map<PlannedScenario, ScenarioResult>();
  readonly failures: string[] = [];
  version = "";
  readonly #planned: readonly PlannedScenario[];
  readonly #options: RunOptions;

  constructor(planned: readonly PlannedScenario[], options: RunOptions) {
    this.#planned = planned;
    this.#options = options;
  }

  async isolated(): Promise<void> {
    const { signal, parallelMax } = this.#options;
    await mapConcurrent(this.#planned, parallelMax, async (each, index) => {
      if (!signal.aborted) await this.#attempt(each, (report) => this.#onOwnCluster(each, index, report));
    });
  }

  /** A scenario's failure stops no other. */
  async #attempt(
    each: PlannedScenario,
    perform: (report: (result: ScenarioResult) => void) => Promise<void>,
  ): Promise<void> {
    const { clock, signal, listener } = this.#options;
    listener?.onScenarioBegin?.(each);
    let result = notStarted(each, { kind: "interrupted" }, clock.now());
    try {
      await perform((reported) => result = reported);
    } catch (error) {
      if (isUserError(error) && this.results.size === 0) throw error;
      if (!signal.aborted) {
        result = { ...result, outcome: withFailure(result.outcome, describeError(error)), endMs: clock.now() };
      }
    }
    this.#recordResult(each, result);
  }

  async #onOwnCluster(each: PlannedScenario, index: number, report: (result: ScenarioResult) => void): Promise<void> {
    const { source, clock, signal, waitMsMax } = this.#options;
    await using cluster = await source.open(signal);
    this.version ||= await serverVersion(cluster, clock);
    const options = { clock, waitMsMax, signal };
    await installManifests(cluster, each.suite.given, "given", options); // all of it goes with its cluster
    await using within = await this.#openWorld(each.suite, [each]);
    await install(cluster, within.operator(), options);
    const end = await this.#perform(each, index, { cluster, within });
    report(end.result);
    await end.close(false);
  }

  async shared(): Promise<void> {
    const { source, clock, signal, listener, parallelMax, deploy, moreFollow } = this.#options;
    try {
      listener?.onStage?.(OPENING[source.kind]);
      await using cluster = await source.open(signal, (what) => listener?.onStage?.(what));
      this.version = await serverVersion(cluster, clock);
      using _left = cluster.stays ? new ExitHook(() => this.#warnLeftovers()) : undefined;
      await using installed = new AsyncDisposableStack();
      await this.#install(cluster, installed);
      if (deploy) listener?.onStage?.("deploying the operator");
      const deployment = await deploy?.(cluster, signal);
      if (deployment) installed.use(deployment);
      listener?.onStage?.(undefined);
      const lock = new RwLock(), ends: ScenarioEnd[] = [];
      // Operators in this process would all reconcile every object, so scenarios run one by one.
      await mapConcurrent(this.#planned, deployment ? parallelMax : 1, async (each, index) => {
        using _turn = await lock.acquire(isAlone(each.scenario.options));
        if (signal.aborted) return;
        await this.#attempt(each, async (report) => {
          const reason = deployment && whyNotDeployed(each);
          if (reason) return report(notStarted(each, { kind: "skipped", reason }, this.#options.clock.now()));
          await using within = await this.#openWorld(each.suite, [each]);
          const end = await this.#perform(each, index, { cluster, deployment, within });
          ends.push(end);
          report(end.result);
        });
      });
      await this.#awaitEnds(ends, moreFollow !== true && (cluster.stays === true || !signal.aborted));
      listener?.onStage?.("deleting what the run created");
    } finally {
      listener?.onStage?.(undefined);
    }
  }

  /** A deployed operator brings its own kinds and RBAC rules. */
  async #install(cluster: Cluster, installed: AsyncDisposableStack): Promise<void> {
    const { clock, waitMsMax, signal, moreFollow, deploy } = this.#options;
    const options = { clock, waitMsMax, signal, replace: moreFollow };
    const keep = (installation: AsyncDisposable) => void (moreFollow || installed.use(installation));
    for (const suite of new Set(this.#planned.map(({ suite }) => suite))) {
      keep(await installManifests(cluster, suite.given, "given", options));
      if (deploy) continue;
      await using within = await this.#openWorld(suite, this.#planned.filter((each) => each.suite === suite));
      keep(await install(cluster, within.operator(), options));
    }
  }

  /** The bound is the longest of the scenarios that need it. */
  #openWorld(suite: Suite, needing: readonly PlannedScenario[]): Promise<ScenarioWorld> {
    const limitMs = Math.max(...needing.map(({ scenario }) => limitMsOf(scenario.options)));
    return ScenarioWorld.open(suite, { ...this.#options, limitMs });
  }

  async #awaitEnds(ends: readonly ScenarioEnd[], gone: boolean): Promise<void> {
    if (gone) this.#options.listener?.onStage?.("waiting until nothing is left");
    for (const end of ends) {
      await end.close(gone).catch((error) => this.failures.push(describeError(error)));
    }
  }

  /** For a process that ends before it cleaned up a cluster that outlives it. */
  #warnLeftovers(): void {
    const { source, runId } = this.#options;
    const line = `namespaces ${runId}-… and the operator's CRDs and rights may be left in the ${source.kind} cluster\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(line));
  }

  #recordResult(each: PlannedScenario, result: ScenarioResult): void {
    this.results.set(each, result);
    this.#options.listener?.onScenarioEnd?.(each, result);
  }

  #perform(
    each: PlannedScenario,
    index: number,
    { cluster, deployment, within }: {
      readonly cluster: Cluster;
      readonly deployment?: Deployment;
      readonly within: ScenarioWorld;
    },
  ): Promise<ScenarioEnd> {
    const { clock, seed, waitMsMax, signal, keepFailed, listener, runId } = this.#options;
    return runScenario({
      ...each,
      within,
      cluster,
      deployed: deployment?.operator,
      diagnose: deployment && (() => deployment.diagnose()),
      clock,
      seed,
      prefix: `${runId}-${index}`,
      waitMsMax,
      signal,
      keepFailed,
      onStep: (kind, title, ended) => listener?.onStep?.(each, kind, title, ended),
    });
  }
}

function whyNotDeployed({ suite, scenario }: PlannedScenario): string | undefined {
  if (scenario.options.inProcess) return "it inspects the operator's own process, and the operator is a pod here";
  return suite.hasWorld ? "its world is in this process, and the operator is a pod here" : undefined;
}

function notStarted({ suite, scenario }: PlannedScenario, outcome: ScenarioOutcome, startMs: number): ScenarioResult {
  return {
    suite: suite.name,
    name: scenario.name,
    outcome,
    startMs,
    endMs: startMs,
    ...NOTHING_RECORDED,
  };
}

/** The body's own failure comes first. */
function withFailure(outcome: ScenarioOutcome, message: string): ScenarioOutcome {
  if (outcome.kind !== "failed") return { kind: "failed", message };
  return { ...outcome, message: `${outcome.message}\n${message}` };
}

async function serverVersion(cluster: Cluster, clock: Clock): Promise<string> {
  const transport = cluster.transport();
  try {
    const client = new Client(transport, { fieldManager: "scenario", clock });
    return (await client.raw("/version") as { gitVersion?: string }).gitVersion ?? "";
  } finally {
    transport.close();
  }
}
