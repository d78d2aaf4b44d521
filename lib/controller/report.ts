import { describeError, type Logger, type Random, randomSuffix, stackOf } from "../base/mod.ts";
import type { ApiResource, KubeObject } from "../apimachinery/mod.ts";
import {
  type HandledState,
  type HandlerFailure,
  mergeOutcomes,
  type Outcome,
  outcomeOfError,
  type StartTimes,
} from "../handling/mod.ts";
import { ApiError, UnreachableError } from "../client/mod.ts";
import type { QueueObserver } from "../queue/mod.ts";
import type { ChangesHandled } from "./change_handlers.ts";
import type { StatusEdits } from "./status_draft.ts";

/** A resourceVersion of the server's present history: one from before a restore of its storage means nothing. */
export interface Version {
  readonly version: string;
  /** How often the history had gone back by then. */
  readonly rewinds: number;
}

/** A Ready condition as handlers set it. */
export interface ReadyCondition {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** One tick of a timer. */
export interface TickReport {
  /** Of the timer. */
  readonly id: string;
  readonly outcome: Outcome;
  /** By elapsed time. */
  readonly startMs: number;
  readonly endMs: number;
}

/** What a pass could not write. It goes into the next one, whose handlers are not called again for it. */
export interface Unsaved {
  /** The Ready condition that handlers set. */
  readonly status?: StatusEdits;
  /** How far the handlers of changes are, where the object does not hold it. */
  readonly state?: HandledState;
}

/** The results of the handlers of a pass; absent for those that did not run. */
export interface HandlersReport {
  readonly changes?: ChangesHandled;
  readonly reconcile?: Outcome;
  readonly ticks: readonly TickReport[];
  /** Why no handler could be called: the spec cannot be read. */
  readonly unreadable?: Exclude<Outcome, { kind: "done" }>;
  /** The Ready that the object's handlers set themselves; null where they ran and left it to the engine. */
  readonly ready?: ReadyCondition | null;
  /** When handlers of changes began, by elapsed time. */
  readonly startTimes: StartTimes;
  /** The generation that the handlers of the object have seen, where they have seen one. */
  readonly seen?: number;
}

/** How a pass ended. There is no other way: whatever a pass throws becomes one of these. */
export type PassReport<T extends KubeObject = KubeObject> =
  & {
    /** The results of the handlers before the end. */
    readonly handlers: HandlersReport;
    /** What was written, status aside: `widgets.shop.example.com home/w`. */
    readonly targets: ReadonlySet<string>;
  }
  & (
    /**
     * To its end. `echo` is the version in which only what this pass wrote is new, where it is certain that nothing
     * else is.
     */
    | {
      readonly kind: "written";
      readonly object: T;
      readonly echo?: Version;
      readonly handlerFailures: readonly HandlerFailure[];
    }
    /** The finalizer is removed, or the object turned out to be gone. */
    | { readonly kind: "gone" }
    /** The handlers ran, and their results could not be written. */
    | { readonly kind: "refused"; readonly error: unknown; readonly unsaved: Unsaved; readonly echo?: Version }
    /** No handler that is not in the report ran: the finalizer was refused, or a context could not be built. */
    | { readonly kind: "threw"; readonly error: unknown }
    /** The operator stops, or leaves the object to another replica. */
    | { readonly kind: "aborted" }
  );

/** The outcome of a whole pass, for metrics, traces and plans: what is worst of it. */
export function outcomeOfPass(report: PassReport): Outcome {
  const { changes, reconcile, ticks, unreadable } = report.handlers;
  if (report.kind === "refused" || report.kind === "threw") return outcomeOfError(report.error);
  const outcomes = [unreadable, reconcile, changes?.outcome, ...ticks.map(({ outcome }) => outcome)];
  return outcomes.reduce<Outcome>((worst, each) => each ? mergeOutcomes(worst, each) : worst, { kind: "done" });
}

/** The same as one word. */
export function resultOfPass(outcome: Outcome): PassResult {
  if (outcome.kind === "failed") return "failed";
  if (outcome.kind === "retry") return outcome.waiting ? "requeue_after" : "error";
  return outcome.requeueAfterMs === undefined ? "success" : "requeue_after";
}

/** How a pass ended, in the words that dashboards know from controller-runtime. */
export type PassResult = "success" | "requeue_after" | "error" | "failed";

/** Receives metrics and traces of a controller. Every method is optional; none may throw. */
export interface ControllerObserver {
  /** Observes the controller's queue: depth, waits, retries. */
  readonly queue?: QueueObserver;
  /** A pass begins. */
  passStarted?(): void;
  /** It ended after `durationMs`; `writes` counts its requests that changed something. */
  passEnded?(result: PassResult, durationMs: number, writes: number): void;
  /** Objects that `key` writes change again after each write (`hot`), or have stopped doing so. */
  hot?(key: string, hot: boolean): void;
  /** A pass was put off: a store did not show in time what the key's last pass had written. */
  stale?(): void;
  /** Runs `work` inside a span, which ends with it. */
  span?(name: string, attributes: Record<string, string>, work: (span: PassSpan) => Promise<void>): Promise<void>;
}

/** The span of a pass. */
export interface PassSpan {
  /** Undefined where nothing traces. */
  readonly traceId?: string;
  /** Enters how the pass ended; an `error` marks the span as failed. */
  ended(result: PassResult, error?: unknown): void;
}

const UNTRACED: PassSpan = { ended: () => {} };

/** What a pass is traced with. */
interface PassTracing {
  readonly kind: ApiResource;
  readonly observer?: ControllerObserver;
  readonly random: Random;
  /** Lines about the object. */
  readonly logger: Logger;
}

/**
 * Runs a pass within a span of its own, and with a logger whose lines carry the pass's name, and the trace's where
 * there is one.
 */
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

/** One attempt of a handler that failed. */
interface FailedAttempt {
  readonly handler: string;
  readonly error: unknown;
  readonly reason: string | undefined;
  /** How many have failed by now, where that is counted. */
  readonly attempt?: number;
  /** Undefined where it is not tried again; `backoff` where the key's own pause decides. */
  readonly retryInMs: number | "backoff" | undefined;
}

/** One line for each attempt that failed, with a stack where nothing was thrown on purpose. */
export function logFailure(log: Logger, { handler, error, reason, attempt, retryInMs }: FailedAttempt): void {
  const stack = stackOfCode(error);
  const message = retryInMs === undefined
    ? "failed for good; waiting for the object to change"
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

/** Logs the end of a pass; its handlers have logged their own failures. */
export function logEnd(log: Logger, report: PassReport, retryInMs: number): void {
  if (report.kind === "aborted") log.info("pass cut short; the next pass over the object continues");
  else if (report.kind === "refused" || report.kind === "threw") {
    const { reason, message, error } = outcomeOfError(report.error),
      stack = stackOfCode(error);
    const what = report.kind === "refused"
      ? "the handlers' results could not be written and will be tried again"
      : "reconcile will be retried";
    log.warn(what, {
      reason,
      error: message,
      retryInMs: Math.round(retryInMs),
      ...(stack === undefined ? {} : { stack }),
    });
  } else if (report.kind === "gone" && report.handlers.changes?.handlerFailures.some(({ gaveUp }) => gaveUp)) {
    log.warn("gave up on a delete handler; the finalizer is removed");
  }
}

/** The stack of an error of code, and not of a server that refuses or does not answer. */
function stackOfCode(error: unknown): string | undefined {
  return error instanceof ApiError || error instanceof UnreachableError ? undefined : stackOf(error);
}
