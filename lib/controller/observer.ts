import type { QueueObserver } from "../queue/work_queue.ts";

/** How a cycle ended, in the words that dashboards know from controller-runtime. */
export type CycleResult = "success" | "requeue_after" | "error" | "failed";

/** What a controller tells metrics and traces. Every method is optional; none may throw. */
export interface ControllerObserver {
  readonly queue?: QueueObserver;
  cycleStarted?(): void;
  cycleEnded?(result: CycleResult, durationMs: number, writes: number): void;
  hot?(key: string, hot: boolean): void;
  /** Runs `work` inside a span; `traceId` is undefined where nothing traces. */
  span?<R>(name: string, attributes: Record<string, string>, work: (traceId?: string) => Promise<R>): Promise<R>;
}
