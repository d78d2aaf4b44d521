import { type JsonValue, SeededRandom } from "../base/mod.ts";
import { type ApiResource, type DynamicObject, keyOf } from "../apimachinery/mod.ts";
import type { StorageSnapshot } from "../apiserver/mod.ts";
import { ApiError, Client } from "../client/mod.ts";
import { isReady, readyStatus, type WorkloadKind } from "../harness/workload_status.ts";
import { DaemonSet, Deployment, Job, Pod, ReplicaSet, StatefulSet } from "../operator/mod.ts";
import type { SimulatedCluster } from "./simulated_cluster.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import type { Simulation } from "./simulation.ts";

const RESOURCES: Readonly<Record<string, ApiResource>> = {
  "deployments.apps": Deployment,
  "statefulsets.apps": StatefulSet,
  "daemonsets.apps": DaemonSet,
  "replicasets.apps": ReplicaSet,
  "jobs.batch": Job,
  "pods": Pod,
};

/** After any step of the scenario that still follows: longer than views are stale, and than an operator backs off. */
const CATCH_UP_MS = 45_000;

/** The kind of workload that a table of the storage holds, if it does. */
export function workloadKind(resource: string): WorkloadKind | undefined {
  return RESOURCES[resource]?.kind as WorkloadKind | undefined;
}

/** Whether a workload has a status that is for an earlier spec. */
export function hasOutdatedWorkload({ tables }: StorageSnapshot): boolean {
  return Object.keys(RESOURCES).some((resource) =>
    [...tables.get(resource)?.values() ?? []].some(({ object }) => isOutdated(object))
  );
}

/**
 * Writes the status of workloads in place of their controllers, once a fault has occurred. The scenario writes it for
 * the spec of that moment. An operator with a stale view changes that spec and changes it back: controllers would then
 * see the next generation, and the scenario does not.
 */
export function startWorkloadControllers(cluster: SimulatedCluster, simulation: Simulation): void {
  const process = new SimulatedProcess(simulation, "controllers"), { clock } = simulation;
  const client = new Client(cluster.transport(), { fieldManager: "controllers", clock, random: new SeededRandom(1) });
  cluster.server.storage.subscribe((resource, { type, current: { object } }) => {
    const kind = RESOURCES[resource];
    if (!kind || type === "DELETED" || cluster.trace.faultRevision === undefined || !isOutdated(object)) return;
    process.run(() => clock.schedule(() => void catchUp(client, kind, object, clock.now()), CATCH_UP_MS));
  });
}

async function catchUp(client: Client, kind: ApiResource, seen: DynamicObject, nowMs: number): Promise<void> {
  try {
    const object = await client.find<DynamicObject>(kind, keyOf(seen)), { uid, generation } = seen.metadata!;
    if (object?.metadata?.uid !== uid || object?.metadata?.generation !== generation || !isOutdated(object!)) return;
    const status = nextStatus(kind.kind as WorkloadKind, object!, nowMs) as { readonly [field: string]: JsonValue };
    await client.patch(kind, keyOf(object!), { type: "merge", body: { status }, subresource: "status" });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // it is gone
  }
}

/** The same state, for the present spec. */
function nextStatus(kind: WorkloadKind, object: DynamicObject, nowMs: number): object {
  const { observedGeneration, replicas = 0 } = statusOf(object);
  const asSeen = {
    ...object,
    metadata: { ...object.metadata, generation: observedGeneration },
    spec: { ...object.spec as object, replicas },
  };
  return isReady(kind, asSeen) ? readyStatus(kind, object, nowMs) : { observedGeneration: object.metadata?.generation };
}

function isOutdated(object: DynamicObject): boolean {
  const { observedGeneration } = statusOf(object), { generation } = object.metadata!;
  return observedGeneration !== undefined && generation !== undefined && observedGeneration < generation;
}

function statusOf({ status }: DynamicObject): { readonly observedGeneration?: number; readonly replicas?: number } {
  return (status ?? {}) as { observedGeneration?: number; replicas?: number };
}
