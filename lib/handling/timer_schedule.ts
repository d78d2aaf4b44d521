import { type Duration, durationMs } from "../base/mod.ts";

/** When a timer ticks. */
export interface TimerOptions {
  /** From a tick's end to the next start; with `sharp` from start to start. */
  readonly interval: Duration;
  /** Before an object's first tick; none by default. */
  readonly initialDelay?: Duration;
  /** Ticks only after this long without a change. */
  readonly idle?: Duration;
  /** Keeps to the interval's grid and skips missed ticks. */
  readonly sharp?: boolean;
}

/** One timer on one object; lost with the process, since timers keep no state in objects. */
interface TimerState {
  readonly dueMs: number;
}

export function firstTick(options: TimerOptions, nowMs: number): TimerState {
  return { dueMs: nowMs + durationMs(options.initialDelay ?? 0) };
}

export function nextTick(options: TimerOptions, startMs: number, endMs: number): TimerState {
  const intervalMs = Math.max(1, durationMs(options.interval));
  if (!options.sharp) return { dueMs: endMs + intervalMs };
  const missed = Math.floor((endMs - startMs) / intervalMs);
  return { dueMs: startMs + (missed + 1) * intervalMs };
}

/** The due time, put off until the object is idle long enough. */
export function tickDueMs(options: TimerOptions, state: TimerState, changedMs: number): number {
  return options.idle === undefined ? state.dueMs : Math.max(state.dueMs, changedMs + durationMs(options.idle));
}
