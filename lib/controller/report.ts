import { describeError, type Logger, type Random, randomSuffix, stackOf } from "../base/mod.ts";
import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import {
  type HandledState,
  type HandlerFailure,
  type HandlerProgress,
  mergeOutcomes,
  type Outcome,
  outcomeOfError,
  type StartTimes,
  type StorageEdit,
} from "../handling/mod.ts";
import { ApiError, UnreachableError } from "../client/mod.ts";
import type { QueueObserver } from "../queue/mod.ts";
import type { StatusEdits } from "./status_draft.ts";

/** A resourceVersion of the server's present history: a restore of its storage voids it. */
export interface Version {
  readonly version: string;
  /** Rewinds of the history by then. */
  readonly rollbacks: number;
}

export interface ReadyCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

export interface TickReport {
  readonly id: string;
  readonly outcome: Outcome;
  /** Elapsed time. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What a pass could not write. The next pass writes it without calling the handlers again. */
export interface Unsaved {
  readonly status?: StatusEdits;
  /** Whether handlers ran whose Ready is not written: the present one may report former failures. */
  readonly ran?: boolean;
  /** Progress of change handlers that the object does not hold. */
  readonly state?: HandledState;
  /** Why the server refuses the status, where the object shows it. */
  readonly refusal?: string;
}

/** What change handlers did in a pass. */
export interface ChangesHandled {
  readonly outcome: Outcome;
  /** To be remembered. */
  readonly state: HandledState;
  /** Whether the change needs no more work: it succeeded or was given up. */
  readonly finished: boolean;
  /** Whether a handler was attempted or a change completed. */
  readonly acted: boolean;
  /** `done` once this process has run the `resume` handlers; until then their progress. */
  readonly resume: "done" | Readonly<Record<string, HandlerProgress>>;
  /** In the order of declaration. */
  readonly handlerFailures: readonly HandlerFailure[];
  /** Whether some handler matches the object. */
  readonly concerned: boolean;
  /** The edit that stores `state` in the object. */
  readonly edit: StorageEdit;
}

/** Absent for handlers that did not run. */
export interface HandlersReport {
  readonly changes?: ChangesHandled;
  readonly reconcile?: Outcome;
  readonly ticks: readonly TickReport[];
  /** The spec cannot be read, so no handler was called. */
  readonly unreadable?: Exclude<Outcome, { kind: "done" }>;
  /** The Ready that handlers set; null if they ran and left it to the engine. */
  readonly ready?: ReadyCondition | null;
  /** When change handlers began, by elapsed time. */
  readonly startTimes: StartTimes;
  /** The generation that the handlers have seen. */
  readonly seen?: number;
}

/** How a pass ended. Whatever a pass throws becomes one of these. */
export type PassReport<T extends KubeObject = KubeObject> =
  & {
    /** The results before the end. */
    readonly handlers: HandlersReport;
    /** What was written, status aside: `widgets.shop.example.com home/w`. */
    readonly targets: ReadonlySet<string>;
  }
  & (
    /** Completed. `echo` is the version in which only this pass's writes are new, if that is certain. */
    | {
      readonly kind: "written";
      readonly object: T;
      readonly echo?: Version;
      readonly handlerFailures: readonly HandlerFailure[];
    }
    /** The finalizer is removed, or the object was gone. */
    | { readonly kind: "gone" }
    /** The handlers ran, but their results could not be written. */
    | { readonly kind: "refused"; readonly error: unknown; readonly unsaved: Unsaved; readonly echo?: Version }
    /** No further handler ran: the finalizer was refused, or a context could not be built. */
    | { readonly kind: "threw"; readonly error: unknown }
    /** The operator stops, or leaves the object to another replica. */
    | { readonly kind: "aborted" }
  );

/** The worst outcome of a pass, for metrics, traces and plans. */
export function outcomeOfPass(report: PassReport): Outcome {
  const { changes, reconcile, ticks, unreadable } = report.handlers;
  if (report.kind === "refused" || report.kind === "threw") return outcomeOfError(report.error);
  const outcomes = [unreadable, reconcile, changes?.outcome, ...ticks.map(({ outcome }) => outcome)];
  return outcomes.reduce<Outcome>((worst, each) => each ? mergeOutcomes(worst, each) : worst, { kind: "done" });
}

export function resultOfPass(outcome: Outcome): PassResult {
  if (outcome.kind === "failed") return "failed";
  if (outcome.kind === "retry") return outcome.waiting ? "requeue_after" : "error";
  return outcome.requeueAfterMs === undefined ? "success" : "requeue_after";
}

/** In controller-runtime's words, which dashboards know. */
export type PassResult = "success" | "requeue_after" | "error" | "failed";

/** Receives metrics and traces of a controller. No method may throw. */
export interface ControllerObserver {
  /** Depth, waits, retries. */
  readonly queue?: QueueObserver;
  passStarted?(): void;
  /** `writes` counts requests that changed something. */
  passEnded?(result: PassResult, durationMs: number, writes: number): void;
  /** Objects that `key` writes change again after each write (`hot`), or have stopped doing so. */
  hot?(key: string, hot: boolean): void;
  /** A pass was put off: a store did not show the last pass's writes in time. */
  stale?(): void;
  /** Runs `work` inside a span, which ends with it. */
  span?(name: string, attributes: Record<string, string>, work: (span: PassSpan) => Promise<void>): Promise<void>;
}

export interface PassSpan {
  /** Undefined without tracing. */
  readonly traceId?: string;
  /** An `error` marks the span as failed. */
  ended(result: PassResult, error?: unknown): void;
}

const UNTRACED: PassSpan = { ended: () => {} };

interface PassTracing {
  readonly kind: ApiResource;
  readonly observer?: ControllerObserver;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs a pass in a span of its own, with a logger whose lines carry the pass's name and the trace, if any. */
export function traced(
  { object, cause }: { readonly object: KubeObject; readonly cause: string },
  { kind: { kind }, observer, random, logger }: PassTracing,
  work: (span: PassSpan, log: Logger) => Promise<void>,
): Promise<void> {
  const { namespace, name = "" } = object.metadata ?? {}, reconcile = randomSuffix(random, 8);
  const attributes = {
    "k8s.object.kind": kind,
    ...(namespace ? { "k8s.namespace.name": namespace } : {}),
    "k8s.object.name": name,
    "reconcile.id": reconcile,
    "reconcile.cause": cause,
  };
  const span = observer?.span ?? ((_name, _attributes, work) => work(UNTRACED));
  return span(`reconcile ${kind}`, attributes, (active) => {
    const { traceId } = active;
    return work(active, logger.with(traceId ? { reconcile, trace_id: traceId } : { reconcile }));
  });
}

interface FailedAttempt {
  readonly handler: string;
  readonly error: unknown;
  readonly reason: string | undefined;
  /** Failures so far, if counted. */
  readonly attempt?: number;
  /** Undefined without a retry; `backoff` if the key's own pause decides. */
  readonly retryInMs: number | "backoff" | undefined;
}

/** One line per failed attempt, with a stack for unexpected errors. */
export function logFailure(log: Logger, { handler, error, reason, attempt, retryInMs }: FailedAttempt): void {
  const stack = stackOfCode(error);
  const message = retryInMs === undefined
    ? "failed permanently; waiting for the object to change"
    : "a handler failed and will be tried again";
  log.warn(message, {
    handler,
    reason,
    error: describeError(error),
    ...(attempt === undefined ? {} : { attempt }),
    ...(typeof retryInMs === "number" ? { retryInMs: Math.round(retryInMs) } : {}),
    ...(stack === undefined ? {} : { stack }),
  });
}

/**
 * Logs the end of a pass; handlers have logged their own failures. A refusal that the last pass logged is not logged
 * again: the object shows it.
 */
export function logEnd(
  log: Logger,
  report: PassReport,
  { retryInMs, refusalBefore }: { readonly retryInMs: number; readonly refusalBefore: string | undefined },
): void {
  if (report.kind === "aborted") log.info("the pass was interrupted; the next pass of the object continues");
  else if (report.kind === "refused" || report.kind === "threw") {
    const { reason, message, error } = outcomeOfError(report.error),
      stack = stackOfCode(error);
    const what = report.kind === "refused"
      ? "the handlers' results could not be written and will be tried again"
      : "reconcile will be retried";
    const refusal = report.kind === "refused" ? report.unsaved.refusal : undefined;
    const level = refusal !== undefined && refusal === refusalBefore ? "debug" : "warn";
    log[level](what, {
      reason,
      error: message,
      retryInMs: Math.round(retryInMs),
      ...(stack === undefined ? {} : { stack }),
    });
  } else if (report.kind === "gone" && report.handlers.changes?.handlerFailures.some(({ gaveUp }) => gaveUp)) {
    log.warn("a delete handler was given up; the finalizer is removed");
  }
}

/** The stack of an error in code; none for a server that refuses or does not answer. */
function stackOfCode(error: unknown): string | undefined {
  return error instanceof ApiError || error instanceof UnreachableError ? undefined : stackOf(error);
}
