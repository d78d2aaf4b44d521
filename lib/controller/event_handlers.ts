import { describeError, type Logger, stackOf, untilAborted } from "../base/mod.ts";
import { type ApiResource, formatKey, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import type { StoreEvent } from "../cache/mod.ts";
import type { Client } from "../client/mod.ts";
import { matchesFilter } from "../handling/mod.ts";
import { InFlight } from "../queue/mod.ts";
import { typed } from "./children.ts";
import { type EventContext, objectContext, type ObjectContextHost } from "./context.ts";
import type { EventDeclaration } from "./declaration.ts";
import type { EventRecorder } from "./events.ts";

/** Waiting events of one object; beyond, the oldest changes are dropped, but never the last state. */
const WAITING_MAX = 100;

interface EventHost<T extends KubeObject> extends ObjectContextHost {
  readonly kind: ApiResource;
  readonly client: Client;
  readonly events: EventRecorder;
  /** Objects whose events are handled concurrently. */
  readonly workersMax: number;
  logger(key: string): Logger;
  memo<M>(object: T, create: () => M): M;
}

interface ObjectEvent<T extends KubeObject> extends Pick<EventContext<T>, "type" | "before" | "object"> {
  readonly key: string;
}

/**
 * Calls the event handlers of a kind for each watch event: in order for one object, concurrently for different ones.
 * Nothing is remembered or retried; change handlers do that.
 */
export class EventHandlers<T extends KubeObject> {
  readonly #declarations: readonly EventDeclaration<T>[];
  readonly #host: EventHost<T>;
  readonly #waiting = new Map<string, ObjectEvent<T>[]>();
  readonly #ready: string[] = [];
  readonly #busy = new InFlight();
  #signal: AbortSignal | undefined;
  #closed = false;

  constructor(declarations: readonly EventDeclaration<T>[], host: EventHost<T>) {
    this.#declarations = declarations;
    this.#host = host;
  }

  /** Earlier events are not handled. */
  begin(signal: AbortSignal): void {
    this.#signal = signal;
  }

  /** Replays an existing object as an initial event. */
  replay(object: T): void {
    if (this.#signal && !this.#closed) this.#push("initial", object, undefined);
  }

  onEvent({ type, object, old, initial }: StoreEvent<T>): void {
    if (!this.#signal || this.#closed) return;
    this.#push(initial && type === "added" ? "initial" : type, object, old);
  }

  /** Takes no more; resolves when running handlers are done or `abort` cuts them short. */
  async close(abort: AbortSignal): Promise<void> {
    this.#closed = true;
    this.#ready.length = 0;
    this.#waiting.clear();
    if (abort.aborted) return;
    await this.#busy.end(() => true, abort);
  }

  /** Drops waiting events of objects out of scope; resolves when their handlers are done. `abort` cuts them short. */
  async stopOutOfScope(which: (key: string) => boolean, abort: AbortSignal): Promise<void> {
    for (const key of [...this.#waiting.keys()].filter(which)) this.#waiting.delete(key);
    for (const key of this.#ready.splice(0)) if (!which(key)) this.#ready.push(key);
    await this.#busy.end(which, abort);
  }

  get idle(): boolean {
    return this.#busy.size === 0 && this.#ready.length === 0;
  }

  #push(type: ObjectEvent<T>["type"], object: T, before: T | undefined): void {
    const key = formatKey(keyOf(object)), waiting = this.#waiting.get(key) ?? [];
    if (waiting.length >= WAITING_MAX) {
      const passed = waiting.findIndex(({ type }) => type === "modified");
      waiting.splice(Math.max(0, passed), 1);
      this.#host.logger(key).warn("event handlers are slower than the events arrive; an event was dropped");
    }
    waiting.push({ key, type, object, before });
    this.#waiting.set(key, waiting);
    if (waiting.length === 1 && !this.#busy.has(key)) this.#ready.push(key);
    this.#next();
  }

  #next(): void {
    while (this.#busy.size < this.#host.workersMax && this.#ready.length > 0) {
      const key = this.#ready.shift()!;
      void this.#busy.run(key, this.#signal!, (signal) => this.#drain(key, signal)).then(() => {
        if (this.#waiting.has(key)) this.#ready.push(key);
        this.#next();
      });
    }
  }

  async #drain(key: string, signal: AbortSignal): Promise<void> {
    const events = this.#waiting.get(key) ?? [];
    this.#waiting.delete(key);
    for (const event of events) {
      for (const declared of this.#declarations) {
        if (this.#closed || signal.aborted) return;
        if (!matchesFilter(declared, event.object)) continue;
        try {
          await untilAborted(this.#handle(declared, event, signal), signal);
        } catch (error) {
          if (signal.aborted) return;
          const stack = stackOf(error);
          const fields = {
            handler: declared.id,
            error: describeError(error),
            ...(stack === undefined ? {} : { stack }),
          };
          this.#host.logger(key).warn("an event handler failed; the event is not handled again", fields);
        }
      }
    }
  }

  async #handle({ handler }: EventDeclaration<T>, event: ObjectEvent<T>, signal: AbortSignal): Promise<void> {
    const { client, events, kind } = this.#host, object = typed(event.object, kind);
    const { poster, flush } = events.poster(object);
    await handler({
      ...objectContext(this.#host, {
        object,
        client: client.with({ signal }),
        events: poster,
        log: this.#host.logger(event.key),
        signal,
        memo: (create) => this.#host.memo(object, create),
      }),
      type: event.type,
      before: event.before,
    });
    await flush(signal);
  }
}
