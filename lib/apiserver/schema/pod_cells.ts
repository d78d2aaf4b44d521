import { ageOf } from "./duration_text.ts";
import { at, countAt, type Fields, hasCondition, listAt, stringAt } from "./object_fields.ts";

/** What `kubectl get pods` derives from the statuses of containers. */
export interface PodSummary {
  readonly ready: string;
  readonly status: string;
  readonly restarts: string;
}

/** Restarts of containers, and when the last of them ended. */
class Restarts {
  count = 0;
  #last = "";

  add(status: Fields): void {
    this.count += countAt(status, "restartCount");
    const finished = stringAt(status, "lastState", "terminated", "finishedAt");
    if (finished > this.#last) this.#last = finished;
  }

  text(nowMs: number): string {
    return this.count > 0 && this.#last !== "" ? `${this.count} (${ageOf(this.#last, nowMs)} ago)` : String(this.count);
  }
}

function endedText(terminated: Fields): string {
  const signal = countAt(terminated, "signal");
  return stringAt(terminated, "reason") ||
    (signal ? `Signal:${signal}` : `ExitCode:${countAt(terminated, "exitCode")}`);
}

/** How far initialization is; undefined where it is over. */
function initStatus(pod: Fields, sidecars: ReadonlySet<unknown>): string | undefined {
  for (const [index, status] of listAt(pod, "status", "initContainerStatuses").entries()) {
    const terminated = at(status, "state", "terminated") as Fields | undefined;
    const waiting = stringAt(status, "state", "waiting", "reason");
    if (terminated && countAt(terminated, "exitCode") === 0) continue;
    if (sidecars.has(status.name) && status.started === true) continue;
    if (terminated) return `Init:${endedText(terminated)}`;
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${listAt(pod, "spec", "initContainers").length}`;
  }
  return undefined;
}

/** As pkg/printers/internalversion printPod. */
export function podSummary(pod: Fields, nowMs: number): PodSummary {
  const sidecars = new Set(
    listAt(pod, "spec", "initContainers").filter(({ restartPolicy }) => restartPolicy === "Always")
      .map(({ name }) => name),
  );
  const initRestarts = new Restarts(), sidecarRestarts = new Restarts();
  let ready = 0;
  for (const status of listAt(pod, "status", "initContainerStatuses")) {
    initRestarts.add(status);
    if (!sidecars.has(status.name)) continue;
    sidecarRestarts.add(status);
    if (status.started === true && status.ready === true) ready++;
  }
  const init = initStatus(pod, sidecars);
  let restarts = initRestarts, reason = init ?? podReason(pod);
  if (init === undefined || hasCondition(pod, "Initialized")) {
    restarts = sidecarRestarts;
    const containers = containersSummary(pod, reason, restarts);
    reason = containers.reason;
    ready += containers.ready;
  }
  const total = listAt(pod, "spec", "containers").length + sidecars.size;
  return { ready: `${ready}/${total}`, status: deletionStatus(pod) ?? reason, restarts: restarts.text(nowMs) };
}

function podReason(pod: Fields): string {
  const isGated = listAt(pod, "status", "conditions")
    .some(({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated");
  return isGated ? "SchedulingGated" : stringAt(pod, "status", "reason") || stringAt(pod, "status", "phase");
}

function containersSummary(pod: Fields, given: string, restarts: Restarts): { reason: string; ready: number } {
  let reason = given, ready = 0, isRunning = false;
  for (const status of listAt(pod, "status", "containerStatuses").reverse()) {
    restarts.add(status);
    const waiting = stringAt(status, "state", "waiting", "reason");
    const terminated = at(status, "state", "terminated") as Fields | undefined;
    if (waiting !== "") reason = waiting;
    else if (terminated) reason = endedText(terminated);
    else if (status.ready === true && at(status, "state", "running")) {
      isRunning = true;
      ready++;
    }
  }
  // A sidecar that still runs keeps a Pod with completed containers running.
  if (reason === "Completed" && isRunning) reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  return { reason, ready };
}

function deletionStatus(pod: Fields): string | undefined {
  if (!at(pod, "metadata", "deletionTimestamp")) return undefined;
  if (at(pod, "status", "reason") === "NodeLost") return "Unknown";
  return ["Succeeded", "Failed"].includes(stringAt(pod, "status", "phase")) ? undefined : "Terminating";
}

/** How many of a Pod's readiness gates are open. */
export function readinessGates(pod: Fields): string {
  const gates = listAt(pod, "spec", "readinessGates");
  const open = gates.filter(({ conditionType }) => hasCondition(pod, String(conditionType)));
  return gates.length === 0 ? "<none>" : `${open.length}/${gates.length}`;
}
