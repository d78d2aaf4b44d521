/** Bounds of the hot loop guard. */
export interface HotLoopOptions {
  /** Repeated writes, each within the window of the last, before a key counts as hot. */
  readonly writesInARowMax: number;
  /** Repeated writes further apart are no loop. */
  readonly windowMs: number;
  /** Longest pause between passes of a hot key. */
  readonly pauseMsMax: number;
}

export interface HotLoopState {
  readonly writesInARow: number;
  readonly lastMs: number;
}

/** After a pass that repeated an earlier pass's write. */
export function afterRepeatedWrite(
  state: HotLoopState | undefined,
  nowMs: number,
  options: HotLoopOptions,
): HotLoopState {
  return { writesInARow: (cooled(state, nowMs, options)?.writesInARow ?? 0) + 1, lastMs: nowMs };
}

/**
 * A key's state now: undefined after a window without repeated writes since the pause. A pass without writes proves
 * nothing: it may have seen only its own echo, before the other writer answered.
 */
export function cooled(
  state: HotLoopState | undefined,
  nowMs: number,
  options: HotLoopOptions,
): HotLoopState | undefined {
  return state !== undefined && nowMs < coolMs(state, options) ? state : undefined;
}

/** When a key counts as converged without further writes. */
export function coolMs(state: HotLoopState, options: HotLoopOptions): number {
  return state.lastMs + options.windowMs + pauseMs(state, options);
}

/** Whether the key is written again and again without converging. */
export function isHot(state: HotLoopState | undefined, options: HotLoopOptions): boolean {
  return state !== undefined && state.writesInARow >= options.writesInARowMax;
}

/** The rest after the last repeated write: none unless hot, then doubling from one second. */
export function pauseMs(state: HotLoopState | undefined, options: HotLoopOptions): number {
  if (!state || !isHot(state, options)) return 0;
  return Math.min(1_000 * 2 ** Math.min(state.writesInARow - options.writesInARowMax, 16), options.pauseMsMax);
}
