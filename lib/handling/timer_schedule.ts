import { type Duration, durationMs } from "../base/mod.ts";

/** When a timer handler ticks. */
export interface TimerOptions {
  /** From the end of one tick to the start of the next; with `sharp` from start to start. */
  readonly interval: Duration;
  /** Before an object's first tick; none by default. */
  readonly initialDelay?: Duration;
  /** Tick only when the object has not changed for so long. */
  readonly idle?: Duration;
  /** Keep to the grid of the interval, skipping ticks that were missed. */
  readonly sharp?: boolean;
}

/**
 * What is remembered of one timer on one object; lost with the process, on purpose: timers keep no state in objects.
 */
interface TimerState {
  readonly dueMs: number;
}

/** The first tick of a timer on an object that is seen for the first time. */
export function firstTick(options: TimerOptions, nowMs: number): TimerState {
  return { dueMs: nowMs + durationMs(options.initialDelay ?? 0) };
}

/** The tick after one that ran from `startMs` to `endMs`. */
export function nextTick(options: TimerOptions, startMs: number, endMs: number): TimerState {
  const intervalMs = Math.max(1, durationMs(options.interval));
  if (!options.sharp) return { dueMs: endMs + intervalMs };
  const missed = Math.floor((endMs - startMs) / intervalMs);
  return { dueMs: startMs + (missed + 1) * intervalMs };
}

/** When the timer may really tick: its due time, put off while the object is not idle long enough. */
export function tickDueMs(options: TimerOptions, state: TimerState, changedMs: number): number {
  return options.idle === undefined ? state.dueMs : Math.max(state.dueMs, changedMs + durationMs(options.idle));
}
