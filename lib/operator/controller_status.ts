import { formatKey, type ObjectKey } from "../apimachinery/mod.ts";
import type { Controller } from "../controller/mod.ts";

/** What an operator does for one kind. */
export interface ControllerStatus {
  /** `plural.group` of the kind: what logs and metrics call it. */
  readonly name: string;
  /** Objects that wait for a reconcile now; those that wait for their time do not count. */
  readonly depth: number;
  /** When each running reconcile began, by `Clock.elapsed`. */
  readonly workingSinceMs: readonly number[];
  /** Reconciles that run at the same time at most. */
  readonly workersMax: number;
  /** Enqueues a reconcile of an object. */
  reconcile(key: ObjectKey): void;
}

/** What a controller lets others see, and ask of it. */
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
