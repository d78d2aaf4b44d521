import type { ClusterKind } from "./cluster.ts";
import type { EventEntry, LogEntry, StepRecord, WriteEntry } from "./timeline.ts";

/** How a scenario ended. */
export type ScenarioOutcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly message: string; readonly stack?: string }
  | { readonly kind: "skipped"; readonly reason: string }
  /** The run was ended before the scenario was. */
  | { readonly kind: "interrupted" };

/** One scenario, as it went: what reports are made of. */
export interface ScenarioResult {
  /** Name of its suite. */
  readonly suite: string;
  /** Its own name. */
  readonly name: string;
  /** How it ended. */
  readonly outcome: ScenarioOutcome;
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startMs: number;
  /** When it ended. */
  readonly endMs: number;
  /** In the order in which they began. */
  readonly steps: readonly StepRecord[];
  /** Every write in the order of the answers, the story's own and the operator's where it runs in this process. */
  readonly writes: readonly WriteEntry[];
  /** What the operator logged, where it runs in this process. */
  readonly logs: readonly LogEntry[];
  /** Kubernetes Events in its namespaces. */
  readonly events: readonly EventEntry[];
  /** Entries of the record that did not fit. */
  readonly dropped: number;
  /** What was collected of a failure beyond that: logs of pods, their state. */
  readonly attachments: readonly { readonly title: string; readonly text: string }[];
}

/** The record of a scenario in which nothing happened. */
export const NOTHING_RECORDED: Pick<
  ScenarioResult,
  "steps" | "writes" | "logs" | "events" | "dropped" | "attachments"
> = { steps: [], writes: [], logs: [], events: [], dropped: 0, attachments: [] };

/** A whole run. */
export interface RunResult {
  /** Where it ran. */
  readonly cluster: { readonly kind: ClusterKind; readonly version: string };
  /** Where the operator ran. */
  readonly operator: "in-process" | "deployed";
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startMs: number;
  /** When it ended. */
  readonly endMs: number;
  /** With it the run can be repeated. */
  readonly seed: number;
  /** In the order in which they were planned. */
  readonly scenarios: readonly ScenarioResult[];
  /** What went wrong outside of every scenario: a cluster that did not open, something left behind. */
  readonly failures: readonly string[];
}

/** How many scenarios ended in which way. A failure outside of every scenario counts as a failed one. */
export function countOutcomes(
  { scenarios, failures }: RunResult,
): { passed: number; failed: number; skipped: number; interrupted: number } {
  const count = (kind: ScenarioOutcome["kind"]) => scenarios.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    passed: count("passed"),
    failed: count("failed") + failures.length,
    skipped: count("skipped"),
    interrupted: count("interrupted"),
  };
}
