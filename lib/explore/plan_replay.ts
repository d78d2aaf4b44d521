import { type Clock, sleep, UsageError } from "../base/mod.ts";
import type { DynamicObject } from "../apimachinery/mod.ts";
import { Client, discover } from "../client/mod.ts";
import { install } from "../harness/install.ts";
import { installManifests } from "../harness/manifests.ts";
import type { Cluster, ClusterSource, PlannedScenario, ScenarioResult } from "../harness/mod.ts";
import { runScenario } from "../harness/run_scenario.ts";
import { ScenarioWorld } from "../harness/scenario_world.ts";
import { limitMsOf } from "../harness/suite.ts";
import { describeDifference, type EndState, ReferenceState, stateOfObjects } from "./end_state.ts";
import { explore } from "./explorer.ts";
import { describeFault } from "./fault.ts";
import { FaultProxy } from "./fault_proxy.ts";
import { type PlacedFault, placeFaults, simulatedName } from "./placed_fault.ts";
import { missingPlace, type Plan, PLAN_FIX } from "./plan.ts";

/** Options of {@linkcode replayPlan}. */
export interface PlanReplayOptions {
  /** The real cluster. */
  readonly source: ClusterSource;
  readonly clock: Clock;
  /** Of the exploration that made the plan. */
  readonly seed: number;
  /** Prefix of all names. */
  readonly runId: string;
  /** Bound of each expectation, in virtual and in real time. */
  readonly waitMsMax: { readonly simulated: number; readonly real: number };
  readonly signal: AbortSignal;
  /** Notified of slow parts. */
  readonly onStage?: (what: string) => void;
}

/** What a replay of a plan on a real cluster showed. */
export interface PlanReplay {
  /** The plan's faults in words. */
  readonly faults: readonly string[];
  /** Why nothing was replayed, if so. */
  readonly problem?: string;
  /** Faults whose moment did not come, in words: then a pass shows nothing. */
  readonly missed: readonly string[];
  /** Why the operator fails under the plan. */
  readonly findings: readonly string[];
  /** The run with the plan. */
  readonly result?: ScenarioResult;
}

/** Runs without a fault, whose differences are masked. */
const REFERENCES = 2;
/** At rest: so long without a write, of all the time that the operator gets. */
const QUIET_MS = 5_000, SETTLE_MS_MAX = 2 * 60_000;

/**
 * Replays a plan on a real cluster, in real time: runs without a fault, then one behind a {@linkcode FaultProxy}. The
 * simulation tells which write or event the plan means.
 *
 * @throws {UsageError} for a plan that a real cluster cannot have; whatever opening the cluster throws.
 */
export async function replayPlan(
  planned: PlannedScenario,
  plan: Plan,
  options: PlanReplayOptions,
): Promise<PlanReplay> {
  const { seed, signal, waitMsMax, source, onStage } = options, nothing = { faults: [], missed: [], findings: [] };
  if (
    plan.transition ||
    plan.faults.some((fault) =>
      fault.at === "call" || fault.at === "bookmark" || fault.at === "write" && fault.fate.kind === "clock"
    )
  ) {
    throw new UsageError(
      "plans that set the clock, change specs, lose a bookmark or have a fault in the suite's world run in the simulation only",
      "leave out --cluster",
    );
  }
  const { trace, problem, skipped } = await explore(planned, {
    seed,
    signal,
    waitMsMax: waitMsMax.simulated,
    plansMax: 0,
  });
  if (!trace) return { ...nothing, problem: problem ?? skipped ?? "it was interrupted" };
  const faults = plan.faults.map((fault) => describeFault(fault, trace)), placed = placeFaults(plan, trace);
  if (!placed.every((fault) => fault !== undefined)) {
    throw new UsageError(missingPlace(plan, trace) ?? "the scenario lacks the plan", PLAN_FIX);
  }
  await using cluster = await source.open(signal, onStage);
  await using installed = new AsyncDisposableStack();
  installed.use(await prepareCluster(planned, cluster, options));
  const runs = new RealRuns(planned, cluster, options), references: RealRun[] = [];
  for (let nth = 0; nth < REFERENCES; nth++) {
    onStage?.("running the scenario without a fault");
    const reference = await runs.run(placed, false), { outcome } = reference.result;
    if (outcome.kind === "failed") return { ...nothing, problem: `it fails without a fault: ${outcome.message}` };
    if (outcome.kind !== "passed") {
      return { ...nothing, problem: "reason" in outcome ? outcome.reason : "it was interrupted" };
    }
    references.push(reference);
  }
  onStage?.("running the scenario with the plan");
  const run = await runs.run(placed, true);
  const missed = run.missed.map((fault) => faults[placed.indexOf(fault)]!);
  return { faults, missed, findings: findingsOf(run, references, planned), result: run.result };
}

function findingsOf(run: RealRun, references: readonly RealRun[], { suite }: PlannedScenario): string[] {
  const state = new ReferenceState(references.map((each) => each.state), suite.explore);
  return [
    ...(run.result.outcome.kind === "failed" ? [run.result.outcome.message] : []),
    ...(!run.isSettled && references.every(({ isSettled }) => isSettled) ? ["the operator never comes to rest"] : []),
    ...state.differences(run.state).map(describeDifference),
    ...[...run.deletions].filter((object) => !references.some(({ deletions }) => deletions.has(object)))
      .map((object) => `the operator deleted ${object}, which it keeps without a fault`),
  ];
}

async function prepareCluster(
  { suite, scenario }: PlannedScenario,
  cluster: Cluster,
  { clock, signal, waitMsMax }: PlanReplayOptions,
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const options = { clock, waitMsMax: waitMsMax.real, signal };
  stack.use(await installManifests(cluster, suite.given, "given", options));
  await using within = await ScenarioWorld.open(suite, { ...options, limitMs: limitMsOf(scenario.options) });
  stack.use(await install(cluster, within.operator(), options));
  return stack.move();
}

interface RealRun {
  readonly result: ScenarioResult;
  readonly isSettled: boolean;
  readonly state: EndState;
  readonly missed: readonly PlacedFault[];
  readonly deletions: ReadonlySet<string>;
}

class RealRuns {
  readonly #planned: PlannedScenario;
  readonly #cluster: Cluster;
  readonly #options: PlanReplayOptions;
  #count = 0;

  constructor(planned: PlannedScenario, cluster: Cluster, options: PlanReplayOptions) {
    this.#planned = planned;
    this.#cluster = cluster;
    this.#options = options;
  }

  async run(faults: readonly PlacedFault[], injects: boolean): Promise<RealRun> {
    const { clock, seed, signal, waitMsMax: { real: waitMsMax }, runId } = this.#options,
      { suite, scenario } = this.#planned;
    const prefix = `${runId}-${this.#count++}`;
    await using proxy = new FaultProxy(this.#cluster, { clock, prefix, faults, injects });
    const options = { clock, waitMsMax, signal };
    await using within = await ScenarioWorld.open(suite, { ...options, limitMs: limitMsOf(scenario.options) });
    let isSettled = false, state: EndState = new Map(), deletions: ReadonlySet<string> = new Set();
    const { result, close } = await runScenario({
      ...options,
      suite,
      scenario,
      within,
      cluster: proxy,
      seed,
      prefix,
      host: proxy,
      onBodyEnd: async () => {
        isSettled = await this.#settle(proxy);
        deletions = new Set(proxy.deletions);
        state = await this.#state(prefix);
      },
    });
    await close(true);
    return {
      result,
      isSettled,
      state,
      missed: proxy.missed,
      deletions,
    };
  }

  /** Waits until neither a write nor a fault was under way for a while; false if that does not happen in time. */
  async #settle(proxy: FaultProxy): Promise<boolean> {
    const { clock, signal } = this.#options, startMs = clock.elapsed();
    for (let quietMs = 0; quietMs < QUIET_MS;) {
      if (signal.aborted || clock.elapsed() - startMs > SETTLE_MS_MAX) return false;
      await sleep(clock, QUIET_MS - quietMs);
      quietMs = proxy.changedMs === undefined ? 0 : Math.max(0, clock.elapsed() - proxy.changedMs);
    }
    return true;
  }

  /** Every object in the scenario's namespaces, and the operator's own ones outside of namespaces. */
  async #state(prefix: string): Promise<EndState> {
    const { clock } = this.#options, transport = this.#cluster.transport(), objects: DynamicObject[] = [];
    try {
      const client = new Client(transport, { fieldManager: "explore", clock });
      for (const resource of await discover(client)) {
        if (!resource.verbs.includes("list") || !resource.namespaced) continue;
        const { items } = await client.list<DynamicObject>(resource);
        objects.push(
          ...items.filter(({ metadata }) => metadata?.namespace?.startsWith(`${prefix}-`))
            .map((item) => ({ ...item, kind: resource.kind })),
        );
      }
    } finally {
      transport.close();
    }
    return stateOfObjects(JSON.parse(simulatedName(JSON.stringify(objects), prefix)) as DynamicObject[]);
  }
}
