import { type Clock, cutText, PermanentError, TemporaryError, TimeoutError } from "../base/mod.ts";
import { outcomeOfError } from "./outcome.ts";

/** How a handler ended with a change. */
export type HandlerOutcome = "succeeded" | "failed" | "exhausted";

/** How far one handler is with one change. */
export interface HandlerProgress {
  /** When its first attempt began. */
  readonly startedMs: number;
  /** Attempts that failed. */
  readonly retries: number;
  /** Not to be tried before; absent where it may be tried at once. */
  readonly delayedMs?: number;
  /**
   * Absent while attempts remain; with any of them it is not tried again for the same change. `failed` is a handler's
   * own word that the object must change first, `exhausted` the end of its attempts or its time.
   */
  readonly outcome?: HandlerOutcome;
  /** Of the last error. */
  readonly reason?: string;
  /** Of the last error. */
  readonly message?: string;
}

/** Characters of an error's message that are remembered, and shown on the object. */
const MESSAGE_LENGTH_MAX = 1_024;

/** What an error that is neither temporary nor permanent means. */
export type ErrorsMode = "temporary" | "permanent" | "ignored";

/** Bounds of a handler's attempts. */
export interface AttemptBounds {
  /** Attempts, the first included; unlimited by default. */
  readonly attemptsMax?: number;
  /** From the first attempt on, all of them and the pauses between them; unlimited by default. */
  readonly timeoutMs?: number;
  /** Pause after an error that names no delay; grows from attempt to attempt by default. */
  readonly backoffMs?: number;
  /** What an error that is neither temporary nor permanent means; `temporary` by default. */
  readonly errors?: ErrorsMode;
}

/** A handler whose first attempt begins now. */
export function begin(nowMs: number): HandlerProgress {
  return { startedMs: nowMs, retries: 0 };
}

/** When handlers started, by id: by their records, and by elapsed time. */
export type StartTimes = Record<string, { readonly startedMs: number; readonly beganMs: number }>;

/**
 * The time of a handler: its recorded start plus the time elapsed since. A machine's clock that is set
 * moves no deadline of it; only what a former process recorded is compared with the clock, once. Enters into
 * `startTimes` what it sees first.
 */
export function handlerNowMs(
  startTimes: StartTimes,
  clock: Pick<Clock, "now" | "elapsed">,
  id: string,
  progress: HandlerProgress | undefined,
): number {
  const elapsedMs = clock.elapsed(), known = Object.hasOwn(startTimes, id) ? startTimes[id] : undefined;
  if (!progress) {
    const startedMs = clock.now();
    startTimes[id] = { startedMs, beganMs: elapsedMs };
    return startedMs;
  }
  // A record holds whole milliseconds.
  if (known && Math.trunc(known.startedMs) === Math.trunc(progress.startedMs)) {
    return progress.startedMs + elapsedMs - known.beganMs;
  }
  const sinceMs = Math.max(0, clock.now() - progress.startedMs);
  startTimes[id] = { startedMs: progress.startedMs, beganMs: elapsedMs - sinceMs };
  return progress.startedMs + sinceMs;
}

/** Whether a handler needs no further attempt. */
export function isFinished(progress: HandlerProgress | undefined): boolean {
  return progress?.outcome !== undefined;
}

/** Whether a handler ended without success. */
export function gaveUp(progress: HandlerProgress | undefined): boolean {
  return progress?.outcome === "failed" || progress?.outcome === "exhausted";
}

/** When a handler may be tried: at once by default. */
export function dueMs(progress: HandlerProgress | undefined): number {
  return progress?.delayedMs ?? 0;
}

/** How long an attempt that begins now may last: what is left of the whole. */
export function attemptMsMax(progress: HandlerProgress, bounds: AttemptBounds, eachMs: number, nowMs: number): number {
  if (bounds.timeoutMs === undefined) return eachMs;
  return Math.max(0, Math.min(eachMs, progress.startedMs + bounds.timeoutMs - nowMs));
}

/** After an attempt that returned. */
export function succeeded(progress: HandlerProgress): HandlerProgress {
  return { startedMs: progress.startedMs, retries: progress.retries, outcome: "succeeded" };
}

/**
 * After an attempt that threw. It is given up for a {@linkcode PermanentError}, after the last attempt and after the
 * time limit; what is given up keeps the reason of its last error. `pauseMs` is the default pause after so many
 * failures.
 */
export function afterError(
  progress: HandlerProgress,
  error: unknown,
  bounds: AttemptBounds,
  { pauseMs, nowMs }: { readonly pauseMs: (failures: number) => number; readonly nowMs: number },
): HandlerProgress {
  const { startedMs } = progress, retries = progress.retries + 1;
  const unknown =
    !(error instanceof PermanentError || error instanceof TemporaryError || error instanceof TimeoutError);
  if (unknown && bounds.errors === "ignored") return { startedMs, retries, outcome: "succeeded" };
  const outcome = outcomeOfError(error), { reason } = outcome, message = cutText(outcome.message, MESSAGE_LENGTH_MAX);
  if (outcome.kind === "failed" || (unknown && bounds.errors === "permanent")) {
    return { startedMs, retries, outcome: "failed", reason, message };
  }
  const exhausted = (why: string): HandlerProgress => {
    return { startedMs, retries, outcome: "exhausted", reason, message: `${why}: ${message}` };
  };
  if (bounds.attemptsMax !== undefined && retries >= bounds.attemptsMax) {
    return exhausted(`given up after ${retries} ${retries === 1 ? "attempt" : "attempts"}`);
  }
  const delayMs = outcome.delayMs ?? bounds.backoffMs ?? pauseMs(retries);
  if (bounds.timeoutMs !== undefined && nowMs + delayMs >= startedMs + bounds.timeoutMs) {
    return exhausted("given up, the time for all attempts is over");
  }
  return { startedMs, retries, delayedMs: nowMs + delayMs, reason, message };
}

/**
 * Progress without a prototype: a handler may be called `constructor` or `toString`, and has made no progress because
 * of that.
 */
export function byHandler(progress: Readonly<Record<string, HandlerProgress>>): Record<string, HandlerProgress> {
  return Object.assign(Object.create(null), progress);
}
