import { type Clock, describeError, formatJson, LinkedAbort, type Logger, type TimerHandle } from "../base/mod.ts";
import { type DynamicObject, formatApiVersion } from "../apimachinery/mod.ts";
import { expired } from "./api_error.ts";
import { asVersion, needsViews } from "./conversion.ts";
import type { EventLog, StorageEvent } from "./event_log.ts";
import { type ObjectFilter, objectFilter } from "./object_filter.ts";
import type { ObjectConverter } from "./object_converter.ts";
import type { ListOptions } from "./request_options.ts";
import { storageResource } from "./resource_registry.ts";
import type { ResourceType } from "./resource_type.ts";
import type { ServerContext } from "./server_context.ts";
import { StoredObject } from "./stored_object.ts";

export type EventWriter = (type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK", stored: StoredObject) => string;

interface WatchTarget {
  readonly type: ResourceType;
  readonly namespace?: string;
  readonly name?: string;
  readonly options: ListOptions;
  readonly write: EventWriter;
  readonly signal?: AbortSignal;
}

/** Bounds a chunk for a reader that catches up. */
const CHUNK_EVENTS_MAX = 200;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** One JSON document per line, until client, timeout or server end it. */
export function watchObjects(server: ServerContext, target: WatchTarget): ReadableStream<Uint8Array> {
  const { type, options } = target;
  const { storage } = server;
  const resource = storageResource(type), log = storage.log(resource);
  const { matches } = objectFilter(type, options.labels, options.fields, target.name);
  const requested = options.resourceVersion;
  const fromState = requested === undefined || requested === 0 || options.sendInitialEvents === true;
  if (!fromState && !storage.canRead(resource, requested)) {
    // kube-apiserver answers 200 with an ERROR event, so that informers have one case.
    return failedWatch(`too old resource version: ${requested} (${log.compactedRevision})`);
  }
  const initial: StoredObject[] = [];
  if (fromState && options.sendInitialEvents !== false) {
    for (const [, stored] of storage.scan(resource, { namespace: target.namespace })) {
      // Objects to convert are filtered later.
      if (needsViews(type) || matches(asVersion(stored, type))) initial.push(stored);
    }
  }
  const revision = fromState ? storage.revision : requested;
  const watch = new Watch(server, target, { log, matches, initial, revision });
  return new ReadableStream<Uint8Array>(watch, { highWaterMark: 0 });
}

function failedWatch(message: string): ReadableStream<Uint8Array> {
  const line = `${formatJson({ type: "ERROR", object: expired(message).status })}\n`;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(line));
      controller.close();
    },
  });
}

/** The initial objects, then the log's events after `revision`. */
interface WatchFeed {
  readonly log: EventLog;
  readonly matches: ObjectFilter;
  readonly initial: StoredObject[];
  readonly revision: number;
}

/** Reads the shared log when the client reads. */
class Watch implements UnderlyingDefaultSource<Uint8Array> {
  readonly #clock: Clock;
  readonly #target: WatchTarget;
  readonly #log: EventLog;
  readonly #matches: ObjectFilter;
  readonly #initial: StoredObject[];
  readonly #converter: ObjectConverter;
  readonly #logger: Logger;
  readonly #bookmarkIntervalMs: number;
  readonly #conversionRetryMs: number;
  readonly #interruptions: number;
  readonly #encoder = new TextEncoder();
  readonly #linked: LinkedAbort;
  readonly #prefix: string;
  #initialEndDue: boolean;
  #revision: number;
  #position: number;
  #bookmarkDue = false;
  #over = false;
  #timers: TimerHandle[] = [];
  #wake: (() => void) | undefined;
  #unwait: (() => void) | undefined;

  constructor(server: ServerContext, target: WatchTarget, { log, matches, initial, revision }: WatchFeed) {
    this.#clock = server.clock;
    this.#target = target;
    this.#log = log;
    this.#matches = matches;
    this.#initial = initial.reverse();
    this.#converter = server.converter;
    this.#logger = server.logger;
    this.#bookmarkIntervalMs = server.limits.bookmarkIntervalMs;
    this.#conversionRetryMs = server.limits.conversionRetryMs;
    this.#interruptions = log.interruptions;
    this.#initialEndDue = target.options.sendInitialEvents === true;
    this.#revision = revision;
    this.#position = log.positionAfter(revision);
    this.#prefix = target.namespace === undefined ? "" : `${target.namespace}/`;
    this.#linked = new LinkedAbort([target.signal]);
    const { timeoutSeconds } = target.options;
    const { watchTimeoutMs } = server.limits;
    const lifetimeMs = timeoutSeconds ? timeoutSeconds * 1_000 : watchTimeoutMs * (1 + server.random.next());
    this.#timers.push(this.#clock.schedule(() => this.#end(), lifetimeMs));
    if (target.options.bookmarks) this.#scheduleBookmark();
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    for (;;) {
      const ready = needsViews(this.#target.type) ? await this.#convertNext() : CHUNK_EVENTS_MAX;
      const text = this.#isOver() ? undefined : this.#nextChunk(ready);
      if (text === undefined) {
        this.#release();
        if (this.#linked.signal.aborted && this.#target.signal?.aborted) controller.error(this.#target.signal.reason);
        else controller.close();
        return;
      }
      if (text !== "") {
        controller.enqueue(this.#encoder.encode(text));
        return;
      }
      // All events of the chunk were filtered.
      if (this.#log.read(this.#position).kind === "idle") await this.#waitForEvent();
    }
  }

  cancel(): void {
    this.#end();
    this.#release();
  }

  #isOver(): boolean {
    return this.#over || this.#linked.signal.aborted || this.#isInterrupted();
  }

  #isInterrupted(): boolean {
    if (this.#log.interruptions === this.#interruptions) return false;
    return !this.#log.drains || (this.#initial.length === 0 && this.#log.read(this.#position).kind === "idle");
  }

  /**
   * Converts the next chunk; returns its count of log events. While the webhook fails the watch is silent, then
   * continues in order, as in kube-apiserver.
   */
  async #convertNext(): Promise<number> {
    while (!this.#isOver()) {
      const states = this.#initial.slice(-CHUNK_EVENTS_MAX);
      let ready = 0;
      for (; ready < CHUNK_EVENTS_MAX; ready++) {
        const step = this.#log.read(this.#position + ready);
        if (step.kind === "idle") break;
        if (step.kind === "ended") return ready + 1;
        const { key, current, previous } = step.event;
        if (key.startsWith(this.#prefix)) states.push(...previous ? [previous, current] : [current]);
      }
      try {
        await this.#converter.views(states, this.#target.type);
        return ready;
      } catch (error) {
        const { plural, group } = this.#target.type;
        const fields = { resource: `${plural}.${group}`, error: describeError(error) };
        this.#logger.warn("a watch waits for a conversion webhook that fails", fields);
        await this.#waitForRetry();
      }
    }
    return 0;
  }

  #waitForRetry(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clear(timer);
        this.#timers.splice(this.#timers.indexOf(timer), 1);
        this.#linked.signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#clock.schedule(done, this.#conversionRetryMs);
      this.#timers.push(timer);
      this.#wake = done;
      this.#linked.signal.addEventListener("abort", done, { once: true });
    });
  }

  #view(stored: StoredObject): StoredObject {
    return this.#converter.remembered(stored, this.#target.type);
  }

  /** At most `ready` events: undefined at the end, empty if there are none. */
  #nextChunk(ready: number): string | undefined {
    const { type, write } = this.#target;
    let text = "";
    for (let count = 0; count < CHUNK_EVENTS_MAX; count++) {
      const stored = this.#initial.pop();
      if (!stored) break;
      const view = this.#view(stored);
      if (view === stored || this.#matches(asVersion(view, type))) text += write("ADDED", view);
    }
    if (this.#initial.length > 0) return text;
    if (this.#initialEndDue) {
      this.#initialEndDue = false;
      text += this.#bookmark({ [INITIAL_EVENTS_END]: "true" });
    }
    for (let count = 0; count < ready; count++) {
      const step = this.#log.read(this.#position);
      if (step.kind === "idle") break;
      if (step.kind === "ended") return text === "" ? undefined : text;
      this.#position++;
      this.#revision = Math.max(this.#revision, step.event.revision);
      text += this.#eventText(step.event);
    }
    if (this.#bookmarkDue) {
      this.#bookmarkDue = false;
      text += this.#bookmark();
    }
    return text;
  }

  /** Objects that start or stop matching are ADDED or DELETED. */
  #eventText(event: StorageEvent): string {
    if (!event.key.startsWith(this.#prefix)) return "";
    const { type, write } = this.#target;
    const current = this.#view(event.current), previous = event.previous && this.#view(event.previous);
    const before = previous && this.#matches(asVersion(previous, type));
    const after = event.type !== "DELETED" && this.#matches(asVersion(current, type));
    if (after) return write(before ? "MODIFIED" : "ADDED", current);
    if (!before) return "";
    return write("DELETED", event.type === "DELETED" ? current : lastMatchingState(previous!, event.revision));
  }

  #bookmark(annotations?: Record<string, string>): string {
    const { type, write } = this.#target;
    const metadata = { resourceVersion: String(this.#revision), annotations };
    const object = { kind: type.kind, apiVersion: formatApiVersion(type), metadata };
    return write("BOOKMARK", new StoredObject(object, this.#revision));
  }

  #scheduleBookmark(): void {
    const timer = this.#clock.schedule(() => {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      this.#bookmarkDue = true;
      this.#wake?.();
      this.#scheduleBookmark();
    }, this.#bookmarkIntervalMs);
    this.#timers.push(timer);
  }

  #waitForEvent(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#unwait?.();
        this.#linked.signal.removeEventListener("abort", wake);
        this.#wake = this.#unwait = undefined;
        resolve();
      };
      this.#wake = wake;
      this.#unwait = this.#log.wait(wake);
      this.#linked.signal.addEventListener("abort", wake, { once: true });
    });
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }

  #release(): void {
    this.#over = true;
    for (const timer of this.#timers.splice(0)) this.#clock.clear(timer);
    this.#linked[Symbol.dispose]();
  }
}

/** The last matching state, at the revision where it stopped matching. */
function lastMatchingState(previous: StoredObject, revision: number): StoredObject {
  const { object } = previous;
  const last: DynamicObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  return new StoredObject(last, revision);
}
