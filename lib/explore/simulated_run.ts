import { type OperatorHost } from "../harness/in_process_operator.ts";
import { install } from "../harness/install.ts";
import { installManifests } from "../harness/manifests.ts";
import type { PlannedScenario, ScenarioOutcome, ScenarioResult } from "../harness/mod.ts";
import { runScenario } from "../harness/run_scenario.ts";
import { ScenarioWorld } from "../harness/scenario_world.ts";
import { limitMsOf } from "../harness/suite.ts";
import { sleep } from "../base/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import { type NetworkFaults, SimulatedCluster } from "./simulated_cluster.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import { Simulation } from "./simulation.ts";
import type { Trace } from "./trace.ts";

/** What one run of a scenario showed. */
export interface SimulatedRun {
  readonly result: ScenarioResult;
  /** The body's own outcome, without the teardown. */
  readonly outcome: ScenarioOutcome;
  readonly trace: Trace;
  /** Whether the operator came to rest after the body. */
  readonly isSettled: boolean;
  /** The cluster when the operator had come to rest. */
  readonly settled: StorageSnapshot;
  /** The cluster after the teardown. */
  readonly left: StorageSnapshot;
  /** What no code handled. */
  readonly uncaught: readonly string[];
  /** Calls that left the simulation. */
  readonly warnings: readonly string[];
}

interface SimulatedRunOptions {
  readonly seed: number;
  /** The cluster with all that the scenario needs: {@linkcode prepare}. */
  readonly prepared: StorageSnapshot;
  readonly faults?: NetworkFaults;
  /** Bound of each expectation, in virtual time. */
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
}

/** A kubelet starts a container again after about so long. */
export const RESTART_MS = 1_000;
/** Virtual time of a run begins at another time of day for another seed, so that what comes from it differs. */
const OFFSET_MS = 37 * 3_600_000 + 41 * 60_000 + 13_007;
/** More requests than this are an operator that never comes to rest. */
const REQUESTS_MAX = 20_000;
/** At rest: so long without a change of the cluster, of all the time that an operator gets. */
const QUIET_MS = 60_000, SETTLE_MS_MAX = 30 * 60_000;

/** Makes a cluster with what a scenario needs: the operator's kinds and rules, and what its suite is given. */
export function prepare(
  { suite, scenario }: PlannedScenario,
  { seed, waitMsMax, signal }: Omit<SimulatedRunOptions, "prepared" | "faults">,
): Promise<StorageSnapshot> {
  const simulation = new Simulation(seed), options = { clock: simulation.clock, waitMsMax, signal };
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
  { seed, prepared, faults, waitMsMax, signal }: SimulatedRunOptions,
): Promise<SimulatedRun> {
  const simulation = new Simulation(seed, OFFSET_MS * (seed % 97)), { clock } = simulation;
  return simulation.run(async () => {
    await using cluster = new SimulatedCluster(simulation, faults);
    const options = { clock, waitMsMax, signal };
    cluster.server.restore(prepared);
    await using within = await ScenarioWorld.open(suite, { ...options, limitMs: limitMsOf(scenario.options) });
    let settled = prepared, isSettled = false, outcome: ScenarioOutcome = { kind: "passed" };
    const { result, close } = await runScenario({
      suite,
      scenario,
      within,
      cluster,
      ...options,
      seed: simulation.random("operator").seed,
      prefix: "run",
      host: hostIn(simulation, within.operator().servesWebhooks ? cluster : undefined),
      onBodyEnd: async (ended) => {
        outcome = ended;
        isSettled = await settle(cluster, simulation);
        cluster.trace.settledAfter = cluster.trace.requests.length;
        settled = cluster.server.snapshot();
      },
    });
    await close(false);
    const { trace, server } = cluster, { warnings, uncaughtErrors: uncaught } = simulation;
    return { result, outcome, trace, isSettled, settled, left: server.snapshot(), uncaught, warnings };
  });
}

/** Each start is a process that faults can kill, and that starts again after a while; `called` is its API server. */
function hostIn(simulation: Simulation, called: SimulatedCluster | undefined): OperatorHost {
  let starts = 0;
  const kubelet = new SimulatedProcess(simulation, "kubelet");
  return {
    start: (operator, begin) => {
      const process = new SimulatedProcess(simulation, `operator ${++starts}`);
      process.onDeath(() =>
        kubelet.run(() => {
          operator.abandon();
          called?.beginDowntime();
          const revive = () => operator.revive().catch(() => {}).finally(() => called?.endDowntime());
          simulation.clock.schedule(() => void revive(), RESTART_MS);
        })
      );
      return process.run(begin);
    },
  };
}

/** Waits until the cluster has not changed for a while; false if it never stops. */
async function settle({ server, trace }: SimulatedCluster, { clock }: Simulation): Promise<boolean> {
  const startMs = clock.elapsed();
  let revision = server.storage.revision, quietMs = clock.elapsed();
  while (clock.elapsed() - quietMs < QUIET_MS) {
    if (clock.elapsed() - startMs > SETTLE_MS_MAX || trace.requests.length > REQUESTS_MAX) return false;
    await sleep(clock, 1_000);
    if (server.storage.revision === revision) continue;
    revision = server.storage.revision;
    quietMs = clock.elapsed();
  }
  return true;
}
