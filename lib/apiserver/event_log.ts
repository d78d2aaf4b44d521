import type { StoredObject } from "./stored_object.ts";

/** `current` of a DELETED event is the last state, with the deletion's revision. */
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
  /** Compacted or ended: the reader would miss events. */
  | { readonly kind: "ended" };

/**
 * A resource's recent writes, bounded. All watches share it, each with a cursor. A reader that falls behind is ended,
 * so slow readers cost no memory.
 */
export class EventLog {
  #events: StorageEvent[] = [];
  /** Position of `#events[0]`. */
  #start = 0;
  #compactedRevision: number;
  #ended = false;
  #interruptions = 0;
  #drains = false;
  readonly #waiting = new Set<() => void>();

  constructor(readonly lengthMax: number, compactedRevision: number) {
    this.#compactedRevision = compactedRevision;
  }

  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** Readers that began before the latest interruption must end. */
  get interruptions(): number {
    return this.#interruptions;
  }

  /** Whether readers finish the log before they end. */
  get drains(): boolean {
    return this.#drains;
  }

  /** Ends current readers: at once, or with `drain` at the log's end. New readers may continue. */
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

  /** Drops all events; watches resume from `revision` on. */
  compact(revision: number): void {
    this.#drop(this.#events.length);
    this.#compactedRevision = revision;
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** `revision` must not be compacted. */
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

  /** Calls `wake` at the next write or the end; the returned function cancels it. */
  wait(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** States at `revision` of objects written since; undefined where one did not exist. */
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
