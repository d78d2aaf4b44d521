/** Bounds of the hot loop guard. */
export interface HotLoopOptions {
  /** Writing cycles in a row before a key counts as hot. */
  readonly writesInARowMax: number;
  /** Cycles further apart than this are no loop. */
  readonly windowMs: number;
  /** Longest pause put between cycles of a hot key. */
  readonly pauseMsMax: number;
}

/** The guard's memory of one key. */
export interface HotLoopState {
  readonly writesInARow: number;
  readonly lastMs: number;
}

/** A key's memory after a cycle; `wrote` says whether it wrote again what the cycle before had written. */
export function afterCycle(
  state: HotLoopState | undefined,
  wrote: boolean,
  nowMs: number,
  options: HotLoopOptions,
): HotLoopState {
  if (!wrote) return { writesInARow: 0, lastMs: nowMs };
  const inTime = state !== undefined && nowMs - state.lastMs <= options.windowMs + pauseMs(state, options);
  return { writesInARow: (inTime ? state.writesInARow : 0) + 1, lastMs: nowMs };
}

/** Whether the key writes on every cycle without converging. */
export function isHot(state: HotLoopState | undefined, options: HotLoopOptions): boolean {
  return state !== undefined && state.writesInARow >= options.writesInARowMax;
}

/** How long the key must wait before its next cycle: nothing while it is not hot, then doubling from one second. */
export function pauseMs(state: HotLoopState | undefined, options: HotLoopOptions): number {
  if (!state || !isHot(state, options)) return 0;
  return Math.min(1_000 * 2 ** Math.min(state.writesInARow - options.writesInARowMax, 16), options.pauseMsMax);
}
