import { type Clock, invariant, type Random, type TimerHandle } from "../base/mod.ts";
import { backoffMs, type BackoffOptions } from "./backoff.ts";

/**
 * `high` is for fresh changes. `due` is for what its time brings: ticks, retries, requeues. `low` is for the initial
 * load and resyncs. Neither of the last two delays a fresh change, and neither is starved.
 */
export type Priority = "high" | "due" | "low";

/** One key to work on, with why. */
export interface WorkItem {
  /** What to work on: `namespace/name` in a controller's queue. */
  readonly key: string;
  /** Every reason that coalesced into this item. */
  readonly reasons: ReadonlySet<string>;
  /** The highest that was asked for. */
  readonly priority: Priority;
  /** Milliseconds that the key waited to be taken. */
  readonly waitedMs: number;
}

/** What a queue tells its metrics. */
export interface QueueObserver {
  /** A key came in; `depth` keys wait now. */
  added?(depth: number): void;
  /** A key was taken after `waitedMs`; `depth` keys still wait. */
  taken?(waitedMs: number, depth: number): void;
  /** A key was let go of, `workedMs` after it was taken. */
  done?(workedMs: number): void;
  /** A key will come again after a failure. */
  retried?(): void;
}

/** Bounds and instruments of a {@linkcode WorkQueue}. */
export interface WorkQueueOptions {
  /** Times delays and measures waits. */
  readonly clock: Clock;
  /** Scatters the pauses after failures. */
  readonly random: Random;
  /** Pauses after failures of one key in a row. */
  readonly backoff: BackoffOptions;
  /** Told of everything; must not throw. */
  readonly observer?: QueueObserver;
}

interface Entry {
  reasons: Set<string>;
  priority: Priority;
  addedMs: number;
}

/** From the first to the last to be served. */
const PRIORITIES: readonly Priority[] = ["high", "due", "low"];
/** After so many fresh changes in a row, one key of the others is served. */
const HIGH_IN_A_ROW_MAX = 8;

/**
 * A queue of keys, as client-go's workqueue, with reasons, priorities and one delayed entry per key.
 *
 * Guarantees: a key is held by one worker at a time; a key added while it is worked on is served again afterwards;
 * repeats coalesce and their reasons add up; keys of one priority are served in order; a key waits for at most one
 * delay, and the earlier one wins; taking a key ends its delay, whose reasons are dropped: the worker decides anew when
 * to come back. Memory is bounded by the number of distinct keys.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting: Record<Priority, Map<string, Entry>> = { high: new Map(), due: new Map(), low: new Map() };
  readonly #working = new Map<string, number>();
  readonly #again = new Map<string, Entry>();
  readonly #delayed = new Map<string, { dueMs: number; handle: TimerHandle; reasons: Set<string> }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((item: WorkItem | undefined) => void)[] = [];
  #highInARow = 0;
  #lowsTurn = false;
  #closed = false;

  /** An empty queue, open until it is closed. */
  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that wait to be taken now. */
  get depth(): number {
    return this.#waiting.high.size + this.#waiting.due.size + this.#waiting.low.size;
  }

  /** Whether nothing waits now and nothing is worked on; delayed keys do not count. */
  get idle(): boolean {
    return this.depth === 0 && this.#working.size === 0;
  }

  /** When each key under work was taken, as {@linkcode Clock.elapsed} tells. */
  get workingSinceMs(): readonly number[] {
    return [...this.#working.values()];
  }

  /** Asks for work on `key`. A higher priority lifts a key that waits with a lower one. */
  add(key: string, reason: string, priority: Priority = "high"): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      this.#merge(this.#again, key, [reason], priority);
      return;
    }
    const former = PRIORITIES.find((each) => this.#waiting[each].has(key));
    if (former === undefined || PRIORITIES.indexOf(former) <= PRIORITIES.indexOf(priority)) {
      this.#merge(this.#waiting[former ?? priority], key, [reason], former ?? priority);
    } else {
      const lifted = this.#waiting[former].get(key)!;
      this.#waiting[former].delete(key);
      this.#merge(this.#waiting[priority], key, [...lifted.reasons, reason], priority, lifted.addedMs);
    }
    this.#options.observer?.added?.(this.depth);
    this.#serve();
  }

  /** Asks for work on `key` in `delayMs`, with the priority `due`; an earlier delay of the key stays. */
  addAfter(key: string, delayMs: number, reason: string): void {
    if (this.#closed) return;
    if (delayMs <= 0) return this.add(key, reason, "due");
    const dueMs = this.#options.clock.elapsed() + delayMs;
    const former = this.#delayed.get(key);
    if (former && former.dueMs <= dueMs) {
      former.reasons.add(reason);
      return;
    }
    if (former) this.#options.clock.clear(former.handle);
    const reasons = new Set([...(former?.reasons ?? []), reason]);
    const handle = this.#options.clock.schedule(() => {
      this.#delayed.delete(key);
      for (const each of reasons) this.add(key, each, "due");
    }, delayMs);
    this.#delayed.set(key, { dueMs, handle, reasons });
  }

  /**
   * Asks for work on `key` after its backoff, which doubles with each call until {@linkcode forget}. Returns the delay.
   */
  retry(key: string, reason: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = backoffMs(this.#options.backoff, failures, this.#options.random);
    this.#options.observer?.retried?.();
    this.addAfter(key, delayMs, reason);
    return delayMs;
  }

  /** Failures of `key` in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Ends the backoff of `key`: it succeeded, or is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /**
   * The next key, as soon as there is one; undefined once the queue is closed. Must be followed by {@linkcode done}.
   */
  take(): Promise<WorkItem | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Gives `key` back; if it was added meanwhile, it waits again. */
  done(key: string): void {
    const sinceMs = this.#working.get(key);
    invariant(sinceMs !== undefined, `work queue: done("${key}") without take`);
    this.#working.delete(key);
    this.#options.observer?.done?.(this.#options.clock.elapsed() - sinceMs);
    const again = this.#again.get(key);
    if (!again) return;
    this.#again.delete(key);
    for (const reason of again.reasons) this.add(key, reason, again.priority);
  }

  /** Hands out no more keys and drops what waits; workers that wait get undefined. */
  close(): void {
    this.#closed = true;
    for (const { handle } of this.#delayed.values()) this.#options.clock.clear(handle);
    this.#delayed.clear();
    this.#again.clear();
    for (const lane of PRIORITIES) this.#waiting[lane].clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }

  #merge(
    lane: Map<string, Entry>,
    key: string,
    reasons: readonly string[],
    priority: Priority,
    addedMs?: number,
  ): void {
    const entry = lane.get(key);
    if (!entry) {
      lane.set(key, { reasons: new Set(reasons), priority, addedMs: addedMs ?? this.#options.clock.elapsed() });
      return;
    }
    for (const reason of reasons) entry.reasons.add(reason);
    if (PRIORITIES.indexOf(priority) < PRIORITIES.indexOf(entry.priority)) entry.priority = priority;
  }

  #serve(): void {
    while (this.#takers.length > 0 && this.depth > 0) {
      const priority = this.#nextPriority();
      const [key, entry] = this.#waiting[priority].entries().next().value!;
      this.#waiting[priority].delete(key);
      this.#endDelay(key);
      const takenMs = this.#options.clock.elapsed();
      this.#working.set(key, takenMs);
      const waitedMs = takenMs - entry.addedMs;
      this.#options.observer?.taken?.(waitedMs, this.depth);
      this.#takers.shift()!({ key, reasons: entry.reasons, priority, waitedMs });
    }
  }

  #nextPriority(): Priority {
    const { high, due, low } = this.#waiting, others = due.size + low.size > 0;
    if (high.size > 0 && !(others && this.#highInARow >= HIGH_IN_A_ROW_MAX)) {
      this.#highInARow++;
      return "high";
    }
    this.#highInARow = 0;
    // What is due and the initial load take turns: thousands of ticks must not hold up a start, nor a start a retry.
    this.#lowsTurn = low.size > 0 && (due.size === 0 || !this.#lowsTurn);
    return this.#lowsTurn ? "low" : "due";
  }

  #endDelay(key: string): void {
    const delayed = this.#delayed.get(key);
    if (!delayed) return;
    this.#options.clock.clear(delayed.handle);
    this.#delayed.delete(key);
  }
}
