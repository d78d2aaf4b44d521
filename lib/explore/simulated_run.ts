// The harness loads these when it needs them, in real time, which virtual time does not wait for.
import "../base/yaml.ts";
import "../operator/host_gateway.ts";
import "../operator/webhook_hosting.ts";
import { type OperatorHost } from "../harness/in_process_operator.ts";
import { install } from "../harness/install.ts";
import { installManifests } from "../harness/manifests.ts";
import type { PlannedScenario, ScenarioOutcome, ScenarioResult } from "../harness/mod.ts";
import { runScenario } from "../harness/run_scenario.ts";
import { ScenarioWorld } from "../harness/scenario_world.ts";
import { limitMsOf } from "../harness/suite.ts";
import { sleep } from "../base/mod.ts";
import type { BackoffOptions } from "../queue/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import { type NetworkFaults, OPERATOR, SimulatedCluster } from "./simulated_cluster.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import { Simulation } from "./simulation.ts";
import { startWorkloadControllers } from "./workload_controllers.ts";
import type { Trace } from "./trace.ts";
import { observedWorld } from "./world_calls.ts";
import { worldState } from "./world_state.ts";
import type { ObjectState } from "./end_state.ts";

/** What one run of a scenario showed. */
export interface SimulatedRun {
  readonly result: ScenarioResult;
  /** The body's own outcome, without the teardown. */
  readonly outcome: ScenarioOutcome;
  readonly trace: Trace;
  /** Whether the operator came to rest after the body, and after the teardown. */
  readonly isSettled: boolean;
  /** The cluster when the operator had come to rest. */
  readonly settled: StorageSnapshot;
  /** The suite's world at that time, and when the objects of its kinds were deleted. */
  readonly worlds: { readonly settled: readonly ObjectState[]; readonly cleared: readonly ObjectState[] };
  /** The same when the objects of its kinds were deleted. */
  readonly cleared: StorageSnapshot;
  /** What no code handled. */
  readonly uncaught: readonly string[];
  /** Calls that left the simulation. */
  readonly warnings: readonly string[];
}

export interface SimulatedRunOptions {
  readonly seed: number;
  /** The cluster with all that the scenario needs: {@linkcode prepare}. */
  readonly prepared: StorageSnapshot;
  readonly faults?: NetworkFaults;
  /** Whether workloads get a status for each spec, as the scenario gives them one without a fault. */
  readonly hasControllers?: boolean;
  /** Bound of each expectation, in virtual time. */
  readonly waitMsMax: number;
  /** Virtual time that the operator gets in addition, in each expectation and to come to rest. */
  readonly laterMs?: number;
  readonly signal: AbortSignal;
  /** Whether it is recorded which RBAC rules the operator uses. */
  readonly recordsRbac?: boolean;
  /** Called when the operator has come to rest after a body that passed, before anything is removed. */
  readonly onRest?: (cluster: SimulatedCluster, simulation: Simulation) => Promise<void>;
}

/** A kubelet starts a container again after about so long. */
export const RESTART_MS = 1_000;
/** Of an operator in production; the longest pause is shorter than the time that counts as rest. */
const BACKOFF: BackoffOptions = { initialMs: 100, maxMs: 30_000 };
/** Virtual time of a run begins at another time of day for another seed, so that what comes from it differs. */
const OFFSET_MS = 37 * 3_600_000 + 41 * 60_000 + 13_007;
/** What a fault adds to the time of a scenario's body. */
const HEALING_MS = 30 * 60_000;
/** Makes a cluster with what a scenario needs: the operator's kinds and rules, and what its suite is given. */
export function prepare(
  { suite, scenario }: PlannedScenario,
  { seed, waitMsMax, signal }: Pick<SimulatedRunOptions, "seed" | "waitMsMax" | "signal">,
): Promise<StorageSnapshot> {
  // Another seed than that of every run: a server that draws the same again would give two objects one uid.
  const simulation = new Simulation(-1 - seed), options = { clock: simulation.clock, waitMsMax, signal };
  return simulation.run(async () => {
    await using cluster = new SimulatedCluster(simulation);
    await installManifests(cluster, suite.given, "given", options);
    await using within = await ScenarioWorld.open(suite, { ...options, limitMs: limitMsOf(scenario.options) });
    await install(cluster, within.operator(), options);
    await cluster.server.settled();
    return cluster.server.snapshot();
  });
}

/** Runs a scenario once, in virtual time. Never throws for what the scenario does: problems are in the result. */
export function runSimulated(
  { suite, scenario }: PlannedScenario,
  { seed, prepared, faults, hasControllers, laterMs = 0, signal, recordsRbac, onRest, ...bounds }: SimulatedRunOptions,
): Promise<SimulatedRun> {
  const simulation = new Simulation(seed, OFFSET_MS * (seed % 97)), { clock } = simulation;
  const waitMsMax = bounds.waitMsMax + laterMs;
  // A retry after a fault may be due in minutes.
  const limitMs = limitMsOf(scenario.options) + (faults ? HEALING_MS : 0) + laterMs;
  return simulation.run(async () => {
    const beginMs = clock.elapsed(), compare = () => void cluster.trace.comparedMs.push(clock.elapsed() - beginMs);
    await using cluster = new SimulatedCluster(simulation, faults, prepared);
    if (hasControllers) startWorkloadControllers(cluster, simulation);
    const options = { clock, waitMsMax, signal };
    await using within = await ScenarioWorld.open(suite, {
      ...options,
      limitMs,
      see: (world) => observedWorld(world, cluster.onWorldCall),
    });
    const worlds: { settled: readonly ObjectState[]; cleared: readonly ObjectState[] } = { settled: [], cleared: [] };
    let settled = prepared, cleared = prepared, isSettled = false, outcome: ScenarioOutcome = { kind: "passed" };
    const { result, close } = await runScenario({
      suite,
      scenario,
      within,
      cluster,
      ...options,
      limitMs,
      seed: simulation.random("operator").seed,
      prefix: "run",
      host: { backoff: BACKOFF, ...hostIn(simulation, cluster, within.operator().servesWebhooks) },
      recordsRbac,
      isDiscarded: true,
      onBodyEnd: async (ended) => {
        outcome = ended;
        cluster.trace.bodyEndMs = cluster.trace.requests.at(-1)?.atMs ?? 0;
        if (laterMs > 0) await sleep(clock, laterMs);
        isSettled = await cluster.settle();
        cluster.trace.settledAfter = cluster.trace.requests.length;
        settled = cluster.server.snapshot();
        compare();
        worlds.settled = worldState(within.world);
        if (ended.kind === "passed") await onRest?.(cluster, simulation);
      },
      onCleared: async () => {
        isSettled &&= await cluster.settle();
        cleared = cluster.server.snapshot();
        compare();
        worlds.cleared = worldState(within.world);
      },
    });
    await close(false);
    const { trace } = cluster, { warnings, uncaughtErrors: uncaught } = simulation;
    return { result, outcome, trace, isSettled, settled, cleared, worlds, uncaught, warnings };
  });
}

/**
 * Each start is a process that faults can kill, and that starts again after a while. So does one whose start fails
 * after a fault. While an operator with webhooks is away, the scenario waits.
 */
function hostIn(simulation: Simulation, cluster: SimulatedCluster, servesWebhooks: boolean): OperatorHost {
  let starts = 0;
  const kubelet = new SimulatedProcess(simulation, "kubelet");
  return {
    start: async (operator, begin) => {
      const process = new SimulatedProcess(simulation, `${OPERATOR} ${++starts}`);
      process.onDeath(() =>
        kubelet.run(() => {
          operator.abandon();
          if (servesWebhooks) cluster.beginDowntime();
          const revive = () => operator.revive().catch(() => {}).finally(() => cluster.endDowntime());
          simulation.clock.schedule(() => void revive(), RESTART_MS);
        })
      );
      try {
        await process.run(begin);
      } catch (error) {
        if (cluster.trace.faultRevision === undefined) throw error;
        process.kill();
      }
    },
  };
}
