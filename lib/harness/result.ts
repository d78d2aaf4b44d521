import type { ClusterKind } from "./cluster.ts";
import type { RbacUse } from "./rbac.ts";
import type { EventEntry, LogEntry, StepRecord, WriteEntry } from "./timeline.ts";

/** How a scenario ended. */
export type ScenarioOutcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly message: string; readonly stack?: string }
  | { readonly kind: "skipped"; readonly reason: string }
  /** The run ended before the scenario. */
  | { readonly kind: "interrupted" };

/** The record of one scenario, for reports. */
export interface ScenarioResult {
  /** Its suite's name. */
  readonly suite: string;
  /** Its own name. */
  readonly name: string;
  /** How it ended. */
  readonly outcome: ScenarioOutcome;
  /** How many plans of an exploration it stands for. */
  readonly plans?: { readonly passed: number; readonly failed: number };
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startMs: number;
  /** When it ended. */
  readonly endMs: number;
  /** When its record ends, if that is of virtual time; otherwise `endMs`. */
  readonly recordEndMs?: number;
  /** In the order of their begin. */
  readonly steps: readonly StepRecord[];
  /** Every write in the order of answers: the body's, and an in-process operator's. */
  readonly writes: readonly WriteEntry[];
  /** Log of an in-process operator. */
  readonly logs: readonly LogEntry[];
  /** Kubernetes Events in its namespaces. */
  readonly events: readonly EventEntry[];
  /** Entries that did not fit. */
  readonly dropped: number;
  /** Further details of a failure: pod logs and states. */
  readonly attachments: readonly { readonly title: string; readonly text: string }[];
  /** What the requests of an in-process operator needed; absent for a pod's, and under faults. */
  readonly rbac?: RbacUse;
}

/** An empty record. */
export const NOTHING_RECORDED: Pick<
  ScenarioResult,
  "steps" | "writes" | "logs" | "events" | "dropped" | "attachments"
> = { steps: [], writes: [], logs: [], events: [], dropped: 0, attachments: [] };

/** A whole run. */
export interface RunResult {
  /** The cluster. */
  readonly cluster: { readonly kind: ClusterKind; readonly version: string };
  /** Where the operator ran. */
  readonly operator: "in-process" | "deployed";
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startMs: number;
  /** When it ended. */
  readonly endMs: number;
  /** Repeats the run. */
  readonly seed: number;
  /** In planned order. */
  readonly scenarios: readonly ScenarioResult[];
  /** Failures outside of scenarios: a cluster that did not open, objects left behind. */
  readonly failures: readonly string[];
}

/** Counts scenarios by outcome, of explorations their plans. A failure outside of scenarios counts as a failed one. */
export function countOutcomes(
  { scenarios, failures }: RunResult,
): { passed: number; failed: number; skipped: number; interrupted: number } {
  const count = (kind: ScenarioOutcome["kind"]) => scenarios.reduce((sum, each) => sum + countOf(each, kind), 0);
  return {
    passed: count("passed"),
    failed: count("failed") + failures.length,
    skipped: count("skipped"),
    interrupted: count("interrupted"),
  };
}

function countOf({ outcome, plans }: ScenarioResult, kind: ScenarioOutcome["kind"]): number {
  const one = outcome.kind === kind ? 1 : 0;
  return kind === "passed" || kind === "failed" ? plans?.[kind] ?? one : one;
}
