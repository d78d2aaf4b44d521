import type { StorageSnapshot } from "../apiserver/mod.ts";
import type { PlannedScenario } from "../harness/mod.ts";
import { describeRequest } from "./fault.ts";
import { runSimulated, type SimulatedRun, type SimulatedRunOptions } from "./simulated_run.ts";

/** Records of what happened, and of who works: each process writes its own. */
const RECORDS: ReadonlySet<string> = new Set(["events", "leases"]);

/** What a process of the operator does that starts at rest, without a fault. */
export interface Restart {
  /**
   * What it writes. A reconcile of a settled state writes nothing, so this is empty for most operators: what is in it
   * happens at every restart, for every object.
   */
  readonly writes: readonly string[];
  /** The cluster when it has come to rest; as before where the operator was never at rest. */
  readonly settled: StorageSnapshot;
  /** The run up to the restart repeats the reference run of its seed. */
  readonly run: SimulatedRun;
}

/** Runs the scenario, and starts the operator's process again at rest. */
export async function restartAtRest(
  planned: PlannedScenario,
  options: Omit<SimulatedRunOptions, "onRest" | "faults">,
): Promise<Restart> {
  const writes = new Set<string>();
  let settled: StorageSnapshot | undefined;
  const run = await runSimulated(planned, {
    ...options,
    onRest: async (cluster) => {
      const { requests } = cluster.trace, before = requests.length;
      cluster.killOperator();
      if (await cluster.settle()) settled = cluster.server.snapshot();
      for (const request of requests.slice(before)) {
        const { actor, isEffective, target } = request;
        if (actor === "operator" && isEffective && !RECORDS.has(target?.plural ?? "")) {
          writes.add(describeRequest(request));
        }
      }
    },
  });
  return { writes: [...writes], settled: settled ?? run.settled, run };
}
