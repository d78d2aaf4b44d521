import type { StoredObject } from "./stored_object.ts";

/** One write. `current` of a DELETED event is the last state, stamped with the revision of the deletion. */
export interface StorageEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly key: string;
  readonly current: StoredObject;
  /** The state before; absent for ADDED. */
  readonly previous?: StoredObject;
}

/** What a watch gets from its cursor. */
type CursorStep =
  | { readonly kind: "event"; readonly event: StorageEvent }
  /** Nothing more for now. */
  | { readonly kind: "idle" }
  /** The log was cut behind the reader, or ended: it cannot continue without a gap. */
  | { readonly kind: "ended" };

/**
 * The recent writes of one resource, in order and bounded. All watches read this one log, each with a cursor; a reader
 * that is slower than the bound allows is ended, so that it costs no memory of its own.
 */
export class EventLog {
  #events: StorageEvent[] = [];
  /** The position of `#events[0]` since the log began. */
  #start = 0;
  #compactedRevision: number;
  #ended = false;
  #interruptions = 0;
  #drains = false;
  readonly #waiting = new Set<() => void>();

  constructor(readonly lengthMax: number, compactedRevision: number) {
    this.#compactedRevision = compactedRevision;
  }

  /** The oldest revision from which a watch can resume. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** How often readers were interrupted: who began before the latest time has to end. */
  get interruptions(): number {
    return this.#interruptions;
  }

  /** Whether readers of the latest interruption read to the end of the log first. */
  get drains(): boolean {
    return this.#drains;
  }

  /**
   * Ends those who read now, at once or, with `drain`, after what is in the log; later ones may begin where they left
   * off.
   */
  interrupt({ drain = false }: { readonly drain?: boolean } = {}): void {
    this.#interruptions++;
    this.#drains = drain;
    this.#wake();
  }

  /** Adds a write and wakes the watches that wait. */
  append(event: StorageEvent): void {
    this.#events.push(event);
    if (this.#events.length > this.lengthMax) this.#drop(Math.max(1, this.lengthMax >> 2));
    this.#wake();
  }

  /** Forgets everything; `revision` is the oldest from which a watch can resume from now on. */
  compact(revision: number): void {
    this.#drop(this.#events.length);
    this.#compactedRevision = revision;
  }

  /** Ends every reader. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** The position of the first event after `revision`. Assumes that it is not compacted. */
  positionAfter(revision: number): number {
    let low = 0, high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#start + low;
  }

  /** The event at `position`, or why there is none. */
  read(position: number): CursorStep {
    if (this.#ended || position < this.#start) return { kind: "ended" };
    const event = this.#events[position - this.#start];
    return event ? { kind: "event", event } : { kind: "idle" };
  }

  /** Calls `wake` once, at the next write or the end; the returned function takes that back. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** The states, as of `revision`, of the objects that were written since: undefined for those that did not exist. */
  stateBefore(revision: number): Map<string, StoredObject | undefined> {
    const past = new Map<string, StoredObject | undefined>();
    for (let index = this.positionAfter(revision) - this.#start; index < this.#events.length; index++) {
      const event = this.#events[index]!;
      if (!past.has(event.key)) past.set(event.key, event.previous);
    }
    return past;
  }

  #drop(count: number): void {
    const dropped = this.#events.splice(0, count);
    this.#start += dropped.length;
    this.#compactedRevision = dropped.at(-1)?.revision ?? this.#compactedRevision;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
