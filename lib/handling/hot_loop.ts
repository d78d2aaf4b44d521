/** Bounds of the hot loop guard. */
export interface HotLoopOptions {
  /** Repeated writes, none further from the last than the window, before a key counts as hot. */
  readonly writesInARowMax: number;
  /** Repeated writes further apart than this are no loop. */
  readonly windowMs: number;
  /** Longest pause put between passes of a hot key. */
  readonly pauseMsMax: number;
}

/** The guard's memory of one key, from its last repeated write. */
export interface HotLoopState {
  readonly writesInARow: number;
  readonly lastMs: number;
}

/** A key's memory after a pass that wrote again what an earlier pass had written. */
export function afterRepeatedWrite(
  state: HotLoopState | undefined,
  nowMs: number,
  options: HotLoopOptions,
): HotLoopState {
  return { writesInARow: (cooled(state, nowMs, options)?.writesInARow ?? 0) + 1, lastMs: nowMs };
}

/**
 * A key's memory as of now: nothing once no repeated write came for a window after the pause. A pass in between that
 * wrote nothing proves nothing, for it may only have seen its own echo before the other writer answered.
 */
export function cooled(
  state: HotLoopState | undefined,
  nowMs: number,
  options: HotLoopOptions,
): HotLoopState | undefined {
  return state !== undefined && nowMs < coolMs(state, options) ? state : undefined;
}

/** When a key counts as converged, if nothing is written again until then. */
export function coolMs(state: HotLoopState, options: HotLoopOptions): number {
  return state.lastMs + options.windowMs + pauseMs(state, options);
}

/** Whether the key writes again and again without converging. */
export function isHot(state: HotLoopState | undefined, options: HotLoopOptions): boolean {
  return state !== undefined && state.writesInARow >= options.writesInARowMax;
}

/**
 * How long the key must rest after its last repeated write: nothing while it is not hot, then doubling from one second.
 */
export function pauseMs(state: HotLoopState | undefined, options: HotLoopOptions): number {
  if (!state || !isHot(state, options)) return 0;
  return Math.min(1_000 * 2 ** Math.min(state.writesInARow - options.writesInARowMax, 16), options.pauseMsMax);
}
