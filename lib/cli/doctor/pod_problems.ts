import type { BuiltinObject } from "../../operator/mod.ts";

interface ContainerStatus {
  readonly name: string;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly message?: string };
}

interface PodStatus {
  readonly phase?: string;
  readonly message?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[] | null;
  readonly containerStatuses?: readonly ContainerStatus[] | null;
  readonly initContainerStatuses?: readonly ContainerStatus[] | null;
}

/** Reasons for which every container waits at first. */
const USUAL: ReadonlySet<string | undefined> = new Set([undefined, "ContainerCreating", "PodInitializing"]);
const RESTARTS_MAX = 3;

/** A pod without restarts must be ready by then. */
const STARTING_MS_MAX = 60_000;

/** Whether a pod is new, without a failed container. */
export function isStarting({ metadata, status }: BuiltinObject, nowMs: number): boolean {
  const { containerStatuses, initContainerStatuses } = (status ?? {}) as PodStatus;
  const containers = [...initContainerStatuses ?? [], ...containerStatuses ?? []];
  const failed = containers.some((each) => each.restartCount || containerProblems(each).length > 0);
  return !failed && nowMs - Date.parse(metadata?.creationTimestamp ?? "") < STARTING_MS_MAX;
}

/** What stops a pod from working, or made it restart, init containers included; empty if nothing does. */
export function podProblems({ status }: BuiltinObject): string[] {
  const { phase, message, conditions, containerStatuses, initContainerStatuses } = (status ?? {}) as PodStatus;
  const containers = [...initContainerStatuses ?? [], ...containerStatuses ?? []];
  const problems = containers.flatMap(containerProblems);
  const unmet = (type: string) => conditions?.find((each) => each.type === type && each.status === "False")?.message;
  const scheduled = unmet("PodScheduled");
  if (scheduled) problems.push(`it fits on no node: ${scheduled}`);
  if (phase === "Failed") problems.push(`it failed${message ? `: ${message}` : ""}`);
  if (problems.length === 0 && phase === "Running") {
    const unready = unmet("Ready");
    if (unready) problems.push(`it is not ready: ${unready}`);
  }
  return problems;
}

function containerProblems({ name, restartCount = 0, state = {}, lastState = {} }: ContainerStatus): string[] {
  const { waiting, terminated } = state;
  const detail = (text: string | undefined) => text ? `: ${text}` : "";
  if (waiting && !USUAL.has(waiting.reason)) {
    const before = lastState.terminated ? `, it ended with ${ending(lastState.terminated)}` : "";
    return [`container ${name} waits: ${waiting.reason}${detail(waiting.message)}${before}`];
  }
  if (terminated?.exitCode) return [`container ${name} ended with ${ending(terminated)}${detail(terminated.message)}`];
  if (lastState.terminated?.reason === "OOMKilled" || restartCount > RESTARTS_MAX) {
    const why = lastState.terminated ? `, last with ${ending(lastState.terminated)}` : "";
    return [`container ${name} was restarted ${restartCount} times${why}`];
  }
  return [];
}

function ending({ reason, exitCode }: NonNullable<ContainerState["terminated"]>): string {
  return `${reason ?? "Error"} (${exitCode ?? "?"})`;
}
