import { type Clock, invariant, type Random, type TimerHandle } from "../base/mod.ts";
import { backoffMs, type BackoffOptions } from "./backoff.ts";

/**
 * `high` is for changes. `due` is for timers, retries and requeues. `low` is for the initial list and resyncs. Neither
 * of the last two delays a change, and neither is starved.
 */
export type Priority = "high" | "due" | "low";

/** One key to work on, with the reasons. */
export interface WorkItem {
  /** `namespace/name` in a controller's queue. */
  readonly key: string;
  /** All reasons that coalesced into this item. */
  readonly reasons: ReadonlySet<string>;
  /** The highest one that was requested. */
  readonly priority: Priority;
  /** How long the key waited to be taken. */
  readonly waitedMs: number;
}

/** Called by a queue, for metrics. */
export interface QueueObserver {
  /** A key was added; `depth` keys wait now. */
  added?(depth: number): void;
  /** A key was taken after `waitedMs`; `depth` keys still wait. */
  taken?(waitedMs: number, depth: number): void;
  /** The work on a key has ended, `workedMs` after it was taken. */
  done?(workedMs: number): void;
  /** A key will be retried after a failure. */
  retried?(): void;
}

/** Options of a {@linkcode WorkQueue}. */
interface WorkQueueOptions {
  /** Times delays and measures waits. */
  readonly clock: Clock;
  /** Jitter of the backoff. */
  readonly random: Random;
  /** Delays after failures of one key in a row. */
  readonly backoff: BackoffOptions;
  /** Must not throw. */
  readonly observer?: QueueObserver;
}

interface Entry {
  reasons: Set<string>;
  priority: Priority;
  addedMs: number;
}

/** From the first served to the last. */
const PRIORITIES: readonly Priority[] = ["high", "due", "low"];
/** After so many changes in a row, one key of another priority is served. */
const HIGH_IN_A_ROW_MAX = 8;

/**
 * A queue of keys, as client-go's workqueue, with reasons, priorities and one delayed entry per key.
 *
 * Guarantees: one worker at a time holds a key; a key added while it is worked on is served again afterwards;
 * repeats coalesce and their reasons add up; keys of one priority are served in order; a key waits for at most one
 * delay, and the earlier one wins; taking a key ends its delay and drops its reasons: the worker decides again when to
 * come back. Memory is bounded by the number of distinct keys.
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

  /** An empty queue. */
  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** The number of keys that wait to be taken now. */
  get depth(): number {
    return this.#waiting.high.size + this.#waiting.due.size + this.#waiting.low.size;
  }

  /** Whether no key waits now and none is worked on; delayed keys do not count. */
  get idle(): boolean {
    return this.depth === 0 && this.#working.size === 0;
  }

  /** When each key in flight was taken, in elapsed time. */
  get workingSinceMs(): readonly number[] {
    return [...this.#working.values()];
  }

  /** Enqueues `key`. A key that waits with a lower priority gets the higher one. */
  add(key: string, reason: string, priority: Priority = "high"): void {
    if (this.#closed) return;
    if (this.#working.has(key)) {
      this.#merge(this.#again, key, { reasons: [reason], priority });
      return;
    }
    const former = PRIORITIES.find((each) => this.#waiting[each].has(key));
    if (former === undefined || PRIORITIES.indexOf(former) <= PRIORITIES.indexOf(priority)) {
      this.#merge(this.#waiting[former ?? priority], key, { reasons: [reason], priority: former ?? priority });
    } else {
      const lifted = this.#waiting[former].get(key)!;
      this.#waiting[former].delete(key);
      this.#merge(this.#waiting[priority], key, { ...lifted, reasons: [...lifted.reasons, reason], priority });
    }
    this.#options.observer?.added?.(this.depth);
    this.#serve();
  }

  /** Enqueues `key` after `delayMs`, with the priority `due`; an earlier delay of the key stays. */
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

  /** Enqueues `key` after its backoff, which doubles with each call until {@linkcode forget}. Returns the delay. */
  retry(key: string, reason: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = backoffMs(this.#options.backoff, failures, this.#options.random);
    this.#options.observer?.retried?.();
    this.addAfter(key, delayMs, reason);
    return delayMs;
  }

  /** The number of failures of `key` in a row. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Resets the backoff of `key`: it succeeded, or is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key, as soon as one waits; undefined once the queue is closed. Must be followed by {@linkcode done}. */
  take(): Promise<WorkItem | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Ends the work on `key`; a key that was added meanwhile waits again. */
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

  /** Drops all keys; workers that wait get undefined. */
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
    { reasons, priority, addedMs = this.#options.clock.elapsed() }: {
      readonly reasons: readonly string[];
      readonly priority: Priority;
      readonly addedMs?: number;
    },
  ): void {
    const entry = lane.get(key);
    if (!entry) {
      lane.set(key, { reasons: new Set(reasons), priority, addedMs });
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
    // `due` and `low` alternate: thousands of timers must not delay a start, nor a start a retry.
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
