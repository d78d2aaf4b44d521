import { type Clock, describeError, type Logger, PermanentError, type Random, randomSuffix } from "../base/mod.ts";
import {
  type ApiResource,
  type DynamicObject,
  formatApiVersion,
  type KubeObject,
  type ObjectKey,
} from "../apimachinery/mod.ts";
import { type Client, NotFoundError } from "../client/mod.ts";
import { TokenBucket } from "../queue/mod.ts";

export interface EventDraft {
  /** The API takes no other types. */
  readonly type: "Normal" | "Warning";
  /** CamelCase, for programs; at most 128 characters. */
  readonly reason: string;
  /** For people; cut off after 1,024 bytes. */
  readonly message: string;
  /** What was done or tried, CamelCase; `Reconcile` by default. */
  readonly action?: string;
}

/** Posts Events about one object: that of the pass, or of `about`. */
export interface EventPoster {
  /** Posts something that may matter to the object's owner. `reason` is CamelCase. */
  normal(reason: string, message: string): void;
  /** Posts something that is wrong with the object. */
  warning(reason: string, message: string): void;
  /** Either of the two, with an action. @throws {PermanentError} for another type. */
  emit(event: EventDraft): void;
  /**
   * Posts about another object, in its namespace, with its own limits. Objects of `cached()` have no kind: give it.
   *
   * @throws {PermanentError} if the object has no name, or neither it nor `kind` gives its kind.
   */
  about(object: KubeObject, kind?: ApiResource): EventPoster;
}

export function eventPoster(
  regarding: KubeObject,
  post: (regarding: KubeObject, event: EventDraft) => void,
): EventPoster {
  return {
    normal: (reason, message) => post(regarding, { type: "Normal", reason, message }),
    warning: (reason, message) => post(regarding, { type: "Warning", reason, message }),
    emit: (event) => {
      if (event.type === "Normal" || event.type === "Warning") return post(regarding, event);
      throw new PermanentError(`an Event is Normal or Warning, not "${event.type}": the API refuses other types`, {
        reason: "InvalidEvent",
      });
    },
    about: (object, kind) => {
      const regarding = kind ? { ...object, apiVersion: formatApiVersion(kind), kind: kind.kind } : object;
      if (regarding.apiVersion && regarding.kind && regarding.metadata?.name) return eventPoster(regarding, post);
      throw new PermanentError("events.about() needs an object with apiVersion, kind and name; or give its kind, too", {
        reason: "InvalidEvent",
      });
    },
  };
}

export interface EventSink {
  /** A poster that collects, and a function that sends what it collected. */
  poster(regarding: KubeObject): { poster: EventPoster; flush: (signal: AbortSignal) => Promise<void> };
}

const EVENTS: ApiResource = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  namespaced: true,
};

/** The API's limit (events.k8s.io/v1). */
const NOTE_BYTES_MAX = 1_024;
/** An Event is named after its object, within the length of a DNS subdomain. */
const NAME_LENGTH_MAX = 253;
/** Repeats within this time join a series (as client-go's recorder does). */
const SERIES_MS = 6 * 60_000;
const SERIES_KEPT_MAX = 4_096;
/** Objects whose limits are kept; beyond, those that posted least recently are forgotten. */
const BUCKETS_MAX = 10_000;

interface Series {
  readonly key: ObjectKey;
  readonly lastMs: number;
  readonly count: number;
}

/**
 * Writes Events, aggregated and rate-limited: a repeat within six minutes raises the Event's count. One object posts at
 * most 25 at once, then one per five minutes (client-go's limits). A failure is logged and never fails a reconcile.
 */
export class EventRecorder implements EventSink {
  readonly #client: Client;
  readonly #options: { controller: string; instance: string; clock: Clock; random: Random; logger: Logger };
  readonly #series = new Map<string, Series>();
  readonly #buckets = new Map<string, TokenBucket>();

  /** `controller` and `instance` report every Event: the operator, and this process of it. */
  constructor(
    client: Client,
    options: { controller: string; instance: string; clock: Clock; random: Random; logger: Logger },
  ) {
    this.#client = client;
    this.#options = options;
  }

  poster(regarding: KubeObject): { poster: EventPoster; flush: (signal: AbortSignal) => Promise<void> } {
    const pending: (readonly [KubeObject, EventDraft])[] = [];
    return {
      poster: eventPoster(regarding, (...event) => void pending.push(event)),
      flush: async (signal) => {
        for (const event of pending.splice(0)) await this.#post(...event, signal);
      },
    };
  }

  /** A poster that sends at once. */
  immediate(regarding: KubeObject, signal: AbortSignal): EventPoster {
    return eventPoster(regarding, (about, event) => void this.#post(about, event, signal));
  }

  forget(uid: string): void {
    this.#buckets.delete(uid);
  }

  async #post(regarding: KubeObject, draft: EventDraft, signal: AbortSignal): Promise<void> {
    const event = { ...draft, message: this.#client.mask.text(draft.message) };
    const { namespace = "default", name } = regarding.metadata ?? {}, of = identityOf(regarding);
    const id = [of, event.type, event.reason, event.action, event.message].join("\n");
    try {
      if (await this.#repeat(id, signal)) return;
      if (!this.#bucket(of).take()) {
        this.#options.logger.debug("event dropped by the rate limit", { reason: event.reason });
        return;
      }
      const nowMs = this.#options.clock.now();
      const suffix = `.${nowMs.toString(16)}${randomSuffix(this.#options.random)}`;
      // A name cut at a dot or dash would end a label with it, which no name may.
      const stem = name?.slice(0, NAME_LENGTH_MAX - suffix.length).replace(/[-.]+$/, "");
      const eventName = `${stem}${suffix}`;
      await this.#client.create(EVENTS, this.#body(regarding, event, { namespace, name: eventName }), { signal });
      this.#remember(id, { key: { namespace, name: eventName }, lastMs: nowMs, count: 1 });
    } catch (error) {
      this.#options.logger.warn("event could not be posted", { reason: event.reason, error: describeError(error) });
    }
  }

  /** Joins the series of a recent Event; false if there is none. */
  async #repeat(id: string, signal: AbortSignal): Promise<boolean> {
    const series = this.#series.get(id), nowMs = this.#options.clock.now();
    if (!series || nowMs - series.lastMs > SERIES_MS) return false;
    const count = series.count + 1;
    const body = { series: { count, lastObservedTime: microTime(nowMs) } };
    try {
      await this.#client.patch(EVENTS, series.key, { type: "merge", signal, body });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      this.#series.delete(id); // Events live for an hour or less; this one is gone
      return false;
    }
    this.#remember(id, { key: series.key, lastMs: nowMs, count });
    return true;
  }

  #body(regarding: KubeObject, event: EventDraft, key: Required<ObjectKey>): DynamicObject {
    const { controller, instance, clock } = this.#options;
    const { name, namespace, uid, resourceVersion } = regarding.metadata ?? {};
    return {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: key.name, namespace: key.namespace },
      eventTime: microTime(clock.now()),
      reportingController: controller,
      reportingInstance: instance,
      action: event.action ?? "Reconcile",
      type: event.type,
      reason: event.reason,
      note: cutToBytes(event.message, NOTE_BYTES_MAX),
      regarding: { apiVersion: regarding.apiVersion, kind: regarding.kind, name, namespace, uid, resourceVersion },
    };
  }

  #bucket(of: string): TokenBucket {
    const known = this.#buckets.get(of);
    const bucket = known ?? new TokenBucket(this.#options.clock, { burst: 25, refillMs: 300_000 });
    this.#buckets.delete(of);
    this.#buckets.set(of, bucket);
    if (this.#buckets.size > BUCKETS_MAX) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }

  #remember(id: string, series: Series): void {
    this.#series.delete(id);
    this.#series.set(id, series);
    if (this.#series.size > SERIES_KEPT_MAX) this.#series.delete(this.#series.keys().next().value!);
  }
}

/** The uid; kind and name if it is unknown. */
function identityOf({ apiVersion, kind, metadata = {} }: KubeObject): string {
  return metadata.uid ?? [apiVersion, kind, metadata.namespace, metadata.name].join(" ");
}

/** The longest prefix within `bytesMax` bytes of UTF-8 that cuts no character in two. */
function cutToBytes(text: string, bytesMax: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytesMax));
  return text.slice(0, read);
}

/** RFC 3339 with microseconds (`metav1.MicroTime`). */
function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
