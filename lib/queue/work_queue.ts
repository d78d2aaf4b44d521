import { type Clock, invariant, type Random, type TimerHandle } from "../base/mod.ts";
import { backoffMs, type BackoffOptions } from "./backoff.ts";

/**
 * `high` is for changes, `due` for timers, retries and requeues, `low` for the initial list and resyncs. The last two
 * never delay a change, and are not starved.
 */
export type Priority = "high" | "due" | "low";

export interface WorkItem {
  /** `namespace/name` in a controller's queue. */
  readonly key: string;
  /** Coalesced from all requests. */
  readonly reasons: ReadonlySet<string>;
  /** The highest one requested. */
  readonly priority: Priority;
  readonly waitedMs: number;
}

export interface QueueObserver {
  /** `depth` keys wait now. */
  added?(depth: number): void;
  taken?(waitedMs: number, depth: number): void;
  /** `workedMs` runs from the key's taking. */
  done?(workedMs: number): void;
  retried?(): void;
}

interface WorkQueueOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** After consecutive failures of one key. */
  readonly backoff: BackoffOptions;
  /** Must not throw. */
  readonly observer?: QueueObserver;
}

interface Entry {
  reasons: Set<string>;
  priority: Priority;
  addedMs: number;
}

/** In order of service. */
const PRIORITIES: readonly Priority[] = ["high", "due", "low"];
/** After so many changes in a row, one key of another priority is served. */
const HIGH_IN_A_ROW_MAX = 8;

/**
 * A queue of keys, as client-go's workqueue, with reasons, priorities and one delayed entry per key.
 *
 * Guarantees: one worker at a time holds a key; a key added meanwhile is served again afterwards. Repeats coalesce and
 * their reasons add up. Keys of one priority are served in order. A key waits for at most one delay; the earlier one
 * wins. Taking a key ends its delay and drops its reasons: the worker decides when to come back. The number of distinct
 * keys bounds memory.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting: Record<Priority, Map<string, Entry>> = { high: new Map(), due: new Map(), low: new Map() };
  readonly #processing = new Map<string, number>();
  readonly #dirty = new Map<string, Entry>();
  readonly #delayed = new Map<string, { dueMs: number; handle: TimerHandle; reasons: Set<string> }>();
  readonly #failures = new Map<string, number>();
  readonly #waitingWorkers: ((item: WorkItem | undefined) => void)[] = [];
  #highInARow = 0;
  #takeLowNext = false;
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys ready to be taken. */
  get depth(): number {
    return this.#waiting.high.size + this.#waiting.due.size + this.#waiting.low.size;
  }

  /** Whether no key is ready or in progress; delayed keys do not count. */
  get idle(): boolean {
    return this.depth === 0 && this.#processing.size === 0;
  }

  /** In elapsed time. */
  get workingSinceMs(): readonly number[] {
    return [...this.#processing.values()];
  }

  /** A waiting key of lower priority gets the higher one. */
  add(key: string, reason: string, priority: Priority = "high"): void {
    if (this.#closed) return;
    if (this.#processing.has(key)) {
      this.#merge(this.#dirty, key, { reasons: [reason], priority });
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

  /** The priority is `due`; an earlier delay of the key stays. */
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

  /** Enqueues `key` after its backoff, which doubles until {@linkcode forget}. Returns the delay. */
  retry(key: string, reason: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const delayMs = backoffMs(this.#options.backoff, failures, this.#options.random);
    this.#options.observer?.retried?.();
    this.addAfter(key, delayMs, reason);
    return delayMs;
  }

  /** Consecutive failures. */
  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** Resets the backoff of a key that succeeded or is gone. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** The next key once one waits; undefined after {@linkcode close}. Must be followed by {@linkcode done}. */
  take(): Promise<WorkItem | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waitingWorkers.push(resolve);
      this.#serve();
    });
  }

  /** A key added meanwhile waits again. */
  done(key: string): void {
    const sinceMs = this.#processing.get(key);
    invariant(sinceMs !== undefined, `work queue: done("${key}") without take`);
    this.#processing.delete(key);
    this.#options.observer?.done?.(this.#options.clock.elapsed() - sinceMs);
    const again = this.#dirty.get(key);
    if (!again) return;
    this.#dirty.delete(key);
    for (const reason of again.reasons) this.add(key, reason, again.priority);
  }

  /** Drops all keys; waiting workers get undefined. */
  close(): void {
    this.#closed = true;
    for (const { handle } of this.#delayed.values()) this.#options.clock.clear(handle);
    this.#delayed.clear();
    this.#dirty.clear();
    for (const lane of PRIORITIES) this.#waiting[lane].clear();
    for (const taker of this.#waitingWorkers.splice(0)) taker(undefined);
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
    while (this.#waitingWorkers.length > 0 && this.depth > 0) {
      const priority = this.#nextPriority();
      const [key, entry] = this.#waiting[priority].entries().next().value!;
      this.#waiting[priority].delete(key);
      this.#endDelay(key);
      const takenMs = this.#options.clock.elapsed();
      this.#processing.set(key, takenMs);
      const waitedMs = takenMs - entry.addedMs;
      this.#options.observer?.taken?.(waitedMs, this.depth);
      this.#waitingWorkers.shift()!({ key, reasons: entry.reasons, priority, waitedMs });
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
    this.#takeLowNext = low.size > 0 && (due.size === 0 || !this.#takeLowNext);
    return this.#takeLowNext ? "low" : "due";
  }

  #endDelay(key: string): void {
    const delayed = this.#delayed.get(key);
    if (!delayed) return;
    this.#options.clock.clear(delayed.handle);
    this.#delayed.delete(key);
  }
}
