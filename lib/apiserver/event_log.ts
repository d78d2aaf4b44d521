import type { StoredObject } from "./stored_object.ts";

/** One write. `current` of a DELETED event is the last state, with the revision of the deletion. */
export interface StorageEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly key: string;
  readonly current: StoredObject;
  /** Absent for ADDED. */
  readonly previous?: StoredObject;
}

type CursorStep =
  | { readonly kind: "event"; readonly event: StorageEvent }
  | { readonly kind: "idle" }
  /** The log was cut behind the reader, or ended: the reader would miss events. */
  | { readonly kind: "ended" };

/**
 * The recent writes of one resource, in order and bounded. All watches share it, each with a cursor. A reader that
 * falls behind the bound is ended, so a slow one costs no memory of its own.
 */
export class EventLog {
  #events: StorageEvent[] = [];
  /** Position of `#events[0]` since the log began. */
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

  /** How often readers were interrupted; a reader that began before the latest one must end. */
  get interruptions(): number {
    return this.#interruptions;
  }

  /** Whether the latest interruption lets readers finish the log first. */
  get drains(): boolean {
    return this.#drains;
  }

  /** Ends present readers: at once, or with `drain` after the log's end. Later ones may continue there. */
  interrupt({ drain = false }: { readonly drain?: boolean } = {}): void {
    this.#interruptions++;
    this.#drains = drain;
    this.#wake();
  }

  append(event: StorageEvent): void {
    this.#events.push(event);
    if (this.#events.length > this.lengthMax) this.#drop(Math.max(1, this.lengthMax >> 2));
    this.#wake();
  }

  /** Drops all events; watches can resume from `revision` on. */
  compact(revision: number): void {
    this.#drop(this.#events.length);
    this.#compactedRevision = revision;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Position of the first event after `revision`, which must not be compacted. */
  positionAfter(revision: number): number {
    let low = 0, high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#start + low;
  }

  read(position: number): CursorStep {
    if (this.#ended || position < this.#start) return { kind: "ended" };
    const event = this.#events[position - this.#start];
    return event ? { kind: "event", event } : { kind: "idle" };
  }

  /** Calls `wake` once, at the next write or the end. Returns a function that cancels it. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** Past states, as of `revision`, of objects written since; undefined where one did not exist. */
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
