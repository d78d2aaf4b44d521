import { cooled, coolMs, type HotLoopOptions, isHot, pauseMs } from "../handling/hot_loop.ts";
import { firstTick, tickDueMs, type TimerOptions, type TimerState } from "../handling/timer_schedule.ts";
import type { KubeObject } from "../apimachinery/object.ts";
import { matchesFilter, type ObjectFilter } from "../handling/filter.ts";
import type { KeyMemory } from "./key_memory.ts";

/** Reasons that come from changes in the cluster. A hot key must rest before it heeds them. */
const EVENT_REASONS: ReadonlySet<string> = new Set(["changed", "owned", "mapped", "dependency"]);

/** Reasons that come from the clock. The queue merges the delays of a key, so they say no more than "look what is due". */
const CLOCK_REASONS: ReadonlySet<string> = new Set(["timer", "retry", "requeue", "rested", "cooled", "report"]);

/** What a key's cycle is to do now. */
export interface DueWork<Timer> {
  /** Whether the reconcile handler runs, or the delete handler. */
  readonly reconcile: boolean;
  readonly timers: readonly Timer[];
  /** The reasons that count now: without those that wait until a hot key has rested, with those that waited for that. */
  readonly reasons: ReadonlySet<string>;
}

/** A time at which to look at a key again. */
export interface NextLook {
  readonly delayMs: number;
  readonly reason: "requeue" | "timer" | "rested" | "cooled";
}

/** Decides when the handlers of one key run, from what is remembered of it. Looks at no cluster and no clock. */
export class KeySchedule<T extends KubeObject, Timer extends TimerOptions & ObjectFilter<T> & { readonly id: string }> {
  readonly #timers: readonly Timer[];
  readonly #hotLoop: HotLoopOptions;

  constructor(timers: readonly Timer[], hotLoop: HotLoopOptions) {
    this.#timers = timers;
    this.#hotLoop = hotLoop;
  }

  /**
   * What is due at `nowMs`; `reasons` are those for which the key was queued. Cools the key's memory, and keeps there the
   * reasons that must wait.
   */
  due(reasons: ReadonlySet<string>, memory: KeyMemory, nowMs: number, object: T): DueWork<Timer> {
    const wasHot = isHot(memory.hot, this.#hotLoop);
    memory.hot = cooled(memory.hot, nowMs, this.#hotLoop);
    // Held in memory: a delay of the queue ends when the key is taken for anything else, its echo for one.
    const all = [...memory.heldReasons, ...reasons], resting = this.#restedMs(memory) > nowMs;
    memory.heldReasons = new Set(resting ? all.filter((reason) => EVENT_REASONS.has(reason)) : []);
    const counting = new Set(all.filter((reason) => !memory.heldReasons.has(reason)));
    const fresh = [...counting].some((reason) => !CLOCK_REASONS.has(reason));
    const asked = memory.reconcileDueMs !== undefined && memory.reconcileDueMs <= nowMs;
    // A key that has cooled is reconciled once more: that takes its mark off.
    const reconcile = fresh || asked || (wasHot && memory.hot === undefined);
    memory.idleTimers = new Set(this.#timers.filter((timer) => !matchesFilter(timer, object)).map(({ id }) => id));
    const timers = memory.deleting ? [] : this.#timers.filter((timer) =>
      !memory.idleTimers.has(timer.id) &&
      tickDueMs(timer, this.#stateOf(timer, memory, nowMs), memory.changedMs) <= nowMs
    );

    return { reconcile, timers, reasons: counting };
  }

  /** When to look at the key again, if nothing else happens. */
  next(memory: KeyMemory, nowMs: number): NextLook[] {
    const looks: NextLook[] = [];
    const at = (dueMs: number, reason: NextLook["reason"]) =>
      looks.push({ delayMs: Math.max(1, dueMs - nowMs), reason });
    if (memory.reconcileDueMs !== undefined) at(memory.reconcileDueMs, "requeue");
    if (memory.hot && isHot(memory.hot, this.#hotLoop)) at(coolMs(memory.hot, this.#hotLoop), "cooled");
    if (memory.heldReasons.size > 0) at(this.#restedMs(memory), "rested");
    if (memory.deleting) return looks;
    for (const timer of this.#timers) {
      if (memory.idleTimers.has(timer.id)) continue;
      at(tickDueMs(timer, this.#stateOf(timer, memory, nowMs), memory.changedMs), "timer");
    }
    return looks;
  }

  #restedMs({ hot }: KeyMemory): number {
    return hot ? hot.lastMs + pauseMs(hot, this.#hotLoop) : 0;
  }

  #stateOf(timer: Timer, memory: KeyMemory, nowMs: number): TimerState {
    const state = memory.timers.get(timer.id) ?? firstTick(timer, nowMs);
    memory.timers.set(timer.id, state);
    return state;
  }
}

/** Whether a cycle for these reasons can be part of a loop: some change in the cluster led to it. */
export function mayLoop(reasons: ReadonlySet<string>): boolean {
  return [...reasons].some((reason) => EVENT_REASONS.has(reason));
}
