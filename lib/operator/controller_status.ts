import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import type { Controller } from "../controller/mod.ts";

export interface ControllerStatus {
  /** `plural.group`, as in logs and metrics. */
  readonly name: string;
  /** Objects ready for a reconcile; delayed ones do not count. */
  readonly depth: number;
  /** When each running reconcile began, by `Clock.elapsed`. */
  readonly workingSinceMs: readonly number[];
  readonly workersMax: number;
  reconcile(key: ObjectKey): void;
}

export function controllerStatusOf({ name, queue, workersMax }: Controller): ControllerStatus {
  return {
    name,
    workersMax,
    get depth() {
      return queue.depth;
    },
    get workingSinceMs() {
      return queue.workingSinceMs;
    },
    reconcile: (key) => queue.add(formatKey(key), "requested"),
  };
}
