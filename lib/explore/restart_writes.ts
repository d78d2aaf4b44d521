import type { PlannedScenario } from "../harness/mod.ts";
import { describeRequest } from "./fault.ts";
import { runSimulated, type SimulatedRunOptions } from "./simulated_run.ts";

/** Records of what happened, and of who works: each process writes its own. */
const RECORDS: ReadonlySet<string> = new Set(["events", "leases"]);

/**
 * What a process of the operator writes that starts at rest, without a fault. A reconcile of a settled state writes
 * nothing, so this is empty for most operators: what is in it happens at every restart, for every object.
 */
export async function restartWrites(
  planned: PlannedScenario,
  options: Omit<SimulatedRunOptions, "onRest" | "faults">,
): Promise<string[]> {
  const writes = new Set<string>();
  await runSimulated(planned, {
    ...options,
    onRest: async (cluster) => {
      const { requests } = cluster.trace, before = requests.length;
      cluster.killOperator();
      await cluster.settle();
      for (const request of requests.slice(before)) {
        const { actor, isEffective, target } = request;
        if (actor === "operator" && isEffective && !RECORDS.has(target?.plural ?? "")) {
          writes.add(describeRequest(request));
        }
      }
    },
  });
  return [...writes];
}
