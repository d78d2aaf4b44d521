import { type Clock, cutText, PermanentError, TemporaryError, TimeoutError } from "../base/mod.ts";
import { outcomeOfError } from "./outcome.ts";

/** How a handler ended with a change. */
export type HandlerOutcome = "succeeded" | "failed" | "exhausted";

/** One handler's progress with one change. */
export interface HandlerProgress {
  readonly startedMs: number;
  /** Failed attempts. */
  readonly retries: number;
  /** The earliest next attempt; absent if at once. */
  readonly delayedMs?: number;
  /**
   * Absent while attempts remain; any value ends them for this change. `failed`: the handler says that the object must
   * change first. `exhausted`: no attempts or time are left.
   */
  readonly outcome?: HandlerOutcome;
  /** Of the last error. */
  readonly reason?: string;
  /** Of the last error. */
  readonly message?: string;
}

/** Characters of an error's message that are remembered and shown on the object. */
const MESSAGE_LENGTH_MAX = 1_024;

/** The meaning of an error that is neither temporary nor permanent. */
export type ErrorsMode = "temporary" | "permanent" | "ignored";

export interface AttemptBounds {
  /** The first included; unlimited by default. */
  readonly attemptsMax?: number;
  /** For all attempts and pauses together; unlimited by default. */
  readonly timeoutMs?: number;
  /** Pause after an error that names no delay; grows by default. */
  readonly backoffMs?: number;
  /** `temporary` by default. */
  readonly errors?: ErrorsMode;
}

export function begin(nowMs: number): HandlerProgress {
  return { startedMs: nowMs, retries: 0 };
}

/** By id: recorded start and elapsed time. */
export type StartTimes = Record<string, { readonly startedMs: number; readonly beganMs: number }>;

/**
 * A handler's recorded start plus the time elapsed since, so setting the clock moves no deadline. Only a former
 * process's record is compared with the clock, once. Enters first sights into `startTimes`.
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

/** Longest attempt that begins now, within the total. */
export function attemptMsMax(progress: HandlerProgress, bounds: AttemptBounds, eachMs: number, nowMs: number): number {
  if (bounds.timeoutMs === undefined) return eachMs;
  return Math.max(0, Math.min(eachMs, progress.startedMs + bounds.timeoutMs - nowMs));
}

export function succeeded(progress: HandlerProgress): HandlerProgress {
  return { startedMs: progress.startedMs, retries: progress.retries, outcome: "succeeded" };
}

/**
 * After an attempt that threw. A {@linkcode PermanentError}, the last attempt or the time limit ends it with the last
 * error's reason. `pauseMs` is the default pause.
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

/** Has no prototype: handlers called `constructor` or `toString` have made no progress. */
export function byHandler(progress: Readonly<Record<string, HandlerProgress>>): Record<string, HandlerProgress> {
  return Object.assign(Object.create(null), progress);
}
