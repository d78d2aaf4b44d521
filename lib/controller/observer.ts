import type { QueueObserver } from "../queue/work_queue.ts";

/** How a cycle ended, in the words that dashboards know from controller-runtime. */
export type CycleResult = "success" | "requeue_after" | "error" | "failed";

/** What a controller tells metrics and traces. Every method is optional; none may throw. */
export interface ControllerObserver {
  /** Told of the controller's queue: depth, waits, retries. */
  readonly queue?: QueueObserver;
  /** A worker took a key. */
  cycleStarted?(): void;
  /** It let go of it after `durationMs`; `writes` counts its requests that changed something. */
  cycleEnded?(result: CycleResult, durationMs: number, writes: number): void;
  /** Cycles of `key` provoke one another (`hot`), or have stopped doing so. */
  hot?(key: string, hot: boolean): void;
  /** Runs `work` inside a span, which ends with it. */
  span?(name: string, attributes: Record<string, string>, work: (span: CycleSpan) => Promise<void>): Promise<void>;
}

/** The span of a cycle under way. */
export interface CycleSpan {
  /** Undefined where nothing traces. */
  readonly traceId?: string;
  /** Enters how the cycle ended; an `error` marks the span as failed. */
  ended(result: CycleResult, error?: unknown): void;
}
