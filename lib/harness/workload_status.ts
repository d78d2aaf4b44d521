import { isObject } from "../base/mod.ts";
import { type Condition, type DynamicObject, formatTime } from "../apimachinery/mod.ts";

export type WorkloadKind = "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "Pod";

type Status = Record<string, unknown>;

/** The status that controllers or the kubelet give a ready workload; a Job is complete. */
export function readyStatus(kind: WorkloadKind, object: DynamicObject, nowMs: number): Status {
  const now = formatTime(nowMs), observedGeneration = object.metadata?.generation, replicas = replicasOf(object);
  const counts = replicaCounts(kind, object, replicas);
  switch (kind) {
    case "Deployment":
      return {
        ...counts,
        updatedReplicas: counter(replicas),
        unavailableReplicas: null,
        conditions: [
          condition("Available", "True", now, ["MinimumReplicasAvailable", "it has minimum availability"]),
          condition("Progressing", "True", now, ["NewReplicaSetAvailable", "its pods have successfully progressed"]),
        ],
      };
    case "StatefulSet": {
      const revision = `${object.metadata!.name}-${observedGeneration ?? 1}`;
      return {
        ...counts,
        currentReplicas: counter(replicas),
        updatedReplicas: counter(replicas),
        currentRevision: revision,
        updateRevision: revision,
      };
    }
    case "ReplicaSet":
      return { ...counts, fullyLabeledReplicas: counter(replicas) };
    case "DaemonSet":
      return daemonSetStatus(object, 1);
    case "Job": {
      const { completions, parallelism } = (object.spec ?? {}) as { completions?: number; parallelism?: number };
      return {
        ...jobStart(object, now),
        completionTime: now,
        succeeded: counter(completions ?? parallelism ?? 1),
        conditions: ["SuccessCriteriaMet", "Complete"].map((type) =>
          condition(type, "True", now, ["CompletionsReached", "Reached expected number of succeeded pods"])
        ),
      };
    }
    case "Pod":
      return {
        observedGeneration,
        phase: "Running",
        startTime: statusOf(object).startTime ?? now,
        conditions: podConditions("True", undefined, now),
        containerStatuses: containersOf(object).map((each) => ({
          ...each,
          ready: true,
          started: true,
          state: { running: { startedAt: now } },
        })),
      };
    default:
      return kind satisfies never;
  }
}

/** The status of a workload that never becomes ready; a Job or a Pod has failed. */
export function failedStatus(kind: WorkloadKind, object: DynamicObject, message: string, nowMs: number): Status {
  const now = formatTime(nowMs), observedGeneration = object.metadata?.generation, replicas = replicasOf(object);
  const counts = replicaCounts(kind, object, 0);
  switch (kind) {
    case "Deployment":
      return {
        ...counts,
        updatedReplicas: counter(replicas),
        unavailableReplicas: counter(replicas),
        conditions: [
          condition("Available", "False", now, ["MinimumReplicasUnavailable", message]),
          condition("Progressing", "False", now, ["ProgressDeadlineExceeded", message]),
        ],
      };
    case "StatefulSet":
      return { ...counts, updatedReplicas: replicas };
    case "ReplicaSet":
      return counts;
    case "DaemonSet":
      return daemonSetStatus(object, 0);
    case "Job":
      return {
        ...jobStart(object, now),
        failed: 1,
        conditions: ["FailureTarget", "Failed"].map((type) =>
          condition(type, "True", now, ["BackoffLimitExceeded", message])
        ),
      };
    case "Pod":
      return {
        observedGeneration,
        phase: "Failed",
        message,
        startTime: statusOf(object).startTime ?? now,
        conditions: podConditions("False", "PodFailed", now),
        containerStatuses: containersOf(object).map((each) => ({
          ...each,
          ready: false,
          started: false,
          state: { terminated: { exitCode: 1, reason: "Error", message, startedAt: now, finishedAt: now } },
        })),
      };
    default:
      return kind satisfies never;
  }
}

/** Whether a workload's status is ready in its current generation; for a Job, complete. */
export function isReady(kind: WorkloadKind, object: DynamicObject): boolean {
  const { observedGeneration, conditions, ...status } = statusOf(object);
  const holds = (type: string) =>
    ((conditions ?? []) as Condition[]).some((each) => each.type === type && each.status === "True");
  if (kind === "Job") return holds("Complete");
  if (kind === "Pod") return holds("Ready");
  if (((observedGeneration ?? 0) as number) < (object.metadata?.generation ?? 0)) return false;
  if (kind === "DaemonSet") {
    return status.numberReady === status.desiredNumberScheduled &&
      status.updatedNumberScheduled === status.desiredNumberScheduled;
  }
  const replicas = replicasOf(object), isUpdated = kind === "ReplicaSet" || (status.updatedReplicas ?? 0) === replicas;
  return isUpdated && (status.replicas ?? 0) === replicas && (status.readyReplicas ?? 0) === replicas;
}

function condition(type: string, status: string, now: string, [reason, message]: readonly string[] = []) {
  return { type, status, reason, message, lastTransitionTime: now };
}

function podConditions(ready: "True" | "False", reason: string | undefined, now: string) {
  return [
    ...["PodScheduled", "Initialized"].map((type) => condition(type, "True", now)),
    ...["ContainersReady", "Ready"].map((type) => condition(type, ready, now, reason ? [reason] : [])),
  ];
}

/** API servers omit a zero counter; a merge patch removes it by null. */
function counter(count: number): number | null {
  return count === 0 ? null : count;
}

/** StatefulSets and ReplicaSets keep some zero counters. */
function replicaCounts(kind: WorkloadKind, object: DynamicObject, ready: number): Status {
  const replicas = replicasOf(object);
  return {
    observedGeneration: object.metadata?.generation,
    replicas: kind === "Deployment" ? counter(replicas) : replicas,
    readyReplicas: counter(ready),
    availableReplicas: kind === "StatefulSet" ? ready : counter(ready),
  };
}

function daemonSetStatus({ metadata }: DynamicObject, ready: 0 | 1): Status {
  return {
    observedGeneration: metadata?.generation,
    desiredNumberScheduled: 1,
    currentNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: ready,
    numberAvailable: counter(ready),
    numberUnavailable: counter(1 - ready),
  };
}

/** A Job's start time never changes; a finished one has no pods. */
function jobStart(object: DynamicObject, now: string): Status {
  return {
    startTime: statusOf(object).startTime ?? now,
    active: null,
    ready: 0,
    terminating: 0,
    uncountedTerminatedPods: {},
  };
}

function replicasOf({ spec }: DynamicObject): number {
  return ((spec ?? {}) as { replicas?: number }).replicas ?? 1;
}

function statusOf({ status }: DynamicObject): Status {
  return isObject(status) ? status : {};
}

function containersOf({ spec }: DynamicObject) {
  const { containers = [] } = (spec ?? {}) as { containers?: readonly { name: string; image?: string }[] };
  return containers.map(({ name, image = "" }) => ({ name, image, imageID: "", restartCount: 0, lastState: {} }));
}
