import { type ApiResource, compareResourceVersions, type KubeObject } from "../apimachinery/mod.ts";
import { type Clock, type Logger, type Random, sleep } from "../base/mod.ts";
import {
  ApiError,
  type Client,
  ForbiddenError,
  GoneError,
  MalformedAnswerError,
  NotFoundError,
  UnauthorizedError,
  UnreachableError,
  type WatchEvent,
} from "../client/mod.ts";
import { backoffMs } from "../queue/mod.ts";

/** `backingOff`: the last attempt failed, and the next one is delayed. */
export type ReflectorState = "starting" | "listing" | "watching" | "backingOff" | "stopped";

export interface ReflectorScope {
  /** The whole cluster if absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** `metadata` alone (PartialObjectMetadata). */
  metadataOnly?: boolean;
}

/** Bounds of a reflector; all have defaults. */
export interface ReflectorBounds {
  pageLimit?: number;
  /** Lists by watch events (KEP-3157), if the server supports it. */
  streamingList?: boolean;
  /** Random between both, so that many watches do not end at once. */
  watchSecondsMin?: number;
  watchSecondsMax?: number;
  /** Longer silence counts as a dead connection. */
  idleMsMax?: number;
  /** During a streaming list, which pages then replace: its events arrive without gaps. */
  listIdleMsMax?: number;
  /** Doubles up to the maximum. */
  backoffMsInitial?: number;
  backoffMsMax?: number;
  /** After 401, 403 and 404, which a person has to fix. */
  refusedBackoffMsInitial?: number;
  refusedBackoffMsMax?: number;
}

/** Receives the server's data, in order. Calls never overlap. */
interface ReflectorSink<T> {
  /** The complete list; `rewound` if the server's history went back. */
  replace(objects: T[], version: string, rewound: boolean): void;
  put(object: T): void;
  remove(object: T): void;
  progress(version: string): void;
  received(): void;
  state(state: ReflectorState, error?: Error): void;
}

const BOUNDS: Required<ReflectorBounds> = {
  pageLimit: 500,
  streamingList: true,
  watchSecondsMin: 200, // below the 240 s after which common load balancers cut an idle connection
  watchSecondsMax: 230,
  idleMsMax: 70_000,
  listIdleMsMax: 5_000,
  backoffMsInitial: 500,
  backoffMsMax: 30_000,
  refusedBackoffMsInitial: 2_000,
  refusedBackoffMsMax: 60_000,
};

/** A shorter watch counts as a failure: a server that ends each at once would get requests without delays. */
const HEALTHY_WATCH_MS = 1_000;
/** After so many failures the version itself may be the cause: list again. */
const FAILURES_BEFORE_RELIST = 5;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/**
 * Lists and watches one resource, and restarts after every failure.
 *
 * Guarantees: the sink gets every change at least once, or a list that contains it. A watch resumes from the last
 * version; an expired one (410) leads to a new list, never to a gap. Delays are bounded and jittered.
 */
export class Reflector<T extends KubeObject> {
  /** Both without the first. */
  relists = 0;
  reconnects = 0;
  readonly #bounds: Required<ReflectorBounds>;
  #version: string | undefined;
  /** To notice when the server's history goes back. */
  #highest = "";
  #failures = 0;
  #lists = 0;
  #watches = 0;
  #streaming: boolean;
  /** Since the last watch: not every attempt of an outage is news. */
  readonly #logged = new Set<string>();

  constructor(
    readonly client: Client,
    readonly resource: ApiResource,
    readonly sink: ReflectorSink<T>,
    readonly context: {
      scope: ReflectorScope;
      clock: Clock;
      random: Random;
      logger: Logger;
      transform: (object: T) => T;
      bounds?: ReflectorBounds;
    },
  ) {
    this.#bounds = { ...BOUNDS, ...context.bounds };
    this.#streaming = this.#bounds.streamingList;
  }

  /** Runs until `signal` aborts; never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined && !this.#streaming) await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) break;
        await this.#recover(error instanceof Error ? error : new Error(String(error)), signal);
      }
    }
    this.sink.state("stopped");
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#beginList();
    try {
      await this.#readList(this.#bounds.pageLimit, signal);
    } catch (error) {
      // Compacted away between two pages: one page cannot expire in its middle.
      if (!(error instanceof GoneError)) throw error;
      await this.#readList(0, signal);
    }
  }

  async #readList(limit: number, signal: AbortSignal): Promise<void> {
    const objects: T[] = [];
    let version: string | undefined;
    for await (const page of this.client.pages<T>(this.resource, { ...this.context.scope, limit, signal })) {
      version ??= page.metadata?.resourceVersion;
      for (const item of page.items) objects.push(this.#validateAndTransform(item));
      this.sink.received();
    }
    if (!version) throw new MalformedAnswerError(`list of ${this.resource.plural}: the answer has no resourceVersion`);
    this.#replace(objects, version);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { watchSecondsMin, watchSecondsMax, idleMsMax, listIdleMsMax } = this.#bounds;
    const { clock, random } = this.context;
    const initial: T[] | undefined = this.#version === undefined ? [] : undefined;
    if (initial) this.#beginList();
    if (this.#watches++ > 0) this.reconnects++;
    const startMs = clock.elapsed();
    let alive = false;
    try {
      const events = this.client.watch<T>(this.resource, {
        ...this.context.scope,
        resourceVersion: this.#version,
        sendInitialEvents: initial ? true : undefined,
        timeoutSeconds: watchSecondsMin + random.next() * (watchSecondsMax - watchSecondsMin),
        idleMsMax: () => this.#version === undefined ? listIdleMsMax : idleMsMax,
        onOpen: () => this.#opened(initial !== undefined),
        signal,
      });
      for await (const event of events) {
        alive = true;
        this.sink.received();
        if (this.#version === undefined) this.#takeInitial(event, initial!);
        else this.#take(event);
      }
      alive = true;
    } finally {
      if (alive && clock.elapsed() - startMs >= HEALTHY_WATCH_MS) this.#failures = 0;
    }
    if (signal.aborted) return;
    // A server before 1.27 ignores the parameter, and never reports a complete list.
    if (initial && this.#version === undefined) return this.#giveUpStreaming();
    if (clock.elapsed() - startMs >= HEALTHY_WATCH_MS) return;
    this.#failures++;
    this.sink.state("backingOff");
    await this.#pause(this.#backoffMs(undefined), signal);
  }

  #opened(listing: boolean): void {
    this.sink.received();
    if (!listing) this.#watching();
  }

  #watching(): void {
    this.sink.state("watching");
    if (this.#logged.size === 0) return;
    this.#logged.clear();
    this.context.logger.info("watching a resource again", { resource: this.resource.plural, ...this.#where });
  }

  get #where() {
    const { namespace, fieldSelector } = this.context.scope;
    return { namespace, fieldSelector };
  }

  #take(event: WatchEvent<T>): void {
    const version = event.object.metadata?.resourceVersion;
    if (!version) throw new MalformedAnswerError(`watch of ${this.resource.plural}: an event without resourceVersion`);
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.sink.put(this.#validateAndTransform(event.object));
        break;
      case "DELETED":
        this.sink.remove(this.#validateAndTransform(event.object));
        break;
      case "BOOKMARK":
        // Late events may be older than the known version; a bookmark only is if the server was restored from a backup.
        if (compareResourceVersions(version, this.#version!) < 0) throw historyWentBack(this.resource);
        break;
      default:
        event.type satisfies never;
    }
    if (compareResourceVersions(version, this.#version!) > 0) this.#version = version;
    this.#advance(version);
  }

  #takeInitial(event: WatchEvent<T>, initial: T[]): void {
    const { type, object } = event;
    if (type !== "BOOKMARK") {
      if (type !== "DELETED") initial.push(this.#validateAndTransform(object));
      return;
    }
    const version = object.metadata?.resourceVersion;
    if (!version || object.metadata?.annotations?.[INITIAL_EVENTS_END] !== "true") return;
    this.#replace(initial.splice(0), version);
    this.#watching();
  }

  #giveUpStreaming(): void {
    this.context.logger.debug("the server has no streaming lists; using pages", { resource: this.resource.plural });
    this.#streaming = false;
  }

  #beginList(): void {
    if (this.#lists++ > 0) this.relists++;
    this.sink.state("listing");
  }

  #replace(objects: T[], version: string): void {
    const rewound = compareResourceVersions(version, this.#highest) < 0;
    if (rewound) {
      this.context.logger.warn("the server's history went back: was it restored from a backup?", {
        resource: this.resource.plural,
        version,
        seen: this.#highest,
      });
      this.#highest = version;
    }
    this.#version = version;
    this.sink.replace(objects, version, rewound);
    this.#advance(version);
  }

  #advance(version: string): void {
    if (compareResourceVersions(version, this.#highest) > 0) this.#highest = version;
    this.sink.progress(version);
  }

  /** Checks an object's name and version, and transforms it. */
  #validateAndTransform(object: T): T {
    const { name, resourceVersion } = object.metadata ?? {};
    if (!name || !resourceVersion) {
      throw new MalformedAnswerError(
        `${this.resource.plural}: the server sent an object without name or resourceVersion`,
      );
    }
    return this.context.transform(object);
  }

  async #recover(error: Error, signal: AbortSignal): Promise<void> {
    if (this.#streaming && this.#version === undefined && refusesStreaming(error)) return this.#giveUpStreaming();
    this.#failures++;
    const suspect = error instanceof GoneError || error instanceof MalformedAnswerError;
    if (suspect || this.#failures % FAILURES_BEFORE_RELIST === 0) this.#version = undefined;
    const delayMs = this.#backoffMs(error);
    this.sink.state("backingOff", error);
    this.#report(error, delayMs);
    await this.#pause(delayMs, signal);
  }

  /** A refusal at once, other failures from the second on, each kind once; every attempt at debug. */
  #report(error: Error, delayMs: number): void {
    const { logger } = this.context, refused = isRefusal(error);
    const fields = {
      resource: this.resource.plural,
      ...this.#where,
      failures: this.#failures,
      delayMs: Math.round(delayMs),
      error: error.message,
    };
    const kind = error instanceof UnreachableError ? error.kind : error.name;
    if (this.#logged.has(kind) || !(refused || this.#failures > 1)) {
      logger.debug("watching a resource failed; retrying", fields);
      return;
    }
    this.#logged.add(kind);
    if (refused) logger.error("cannot watch a resource until this is fixed; retrying silently", fields);
    else logger.warn("watching a resource failed; retrying silently until it works", fields);
  }

  /** An expired version is no fault: the first relist is immediate. */
  #backoffMs(error: Error | undefined): number {
    if (error instanceof GoneError && this.#failures === 1) return 0;
    const refused = error !== undefined && isRefusal(error);
    const initialMs = refused ? this.#bounds.refusedBackoffMsInitial : this.#bounds.backoffMsInitial;
    const maxMs = refused ? this.#bounds.refusedBackoffMsMax : this.#bounds.backoffMsMax;
    const delayMs = backoffMs({ initialMs, maxMs, jitter: 0.5 }, this.#failures, this.context.random);
    const retryAfterMs = error instanceof ApiError ? error.retryAfterMs ?? 0 : 0;
    return Math.max(delayMs, retryAfterMs);
  }

  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    // An abort is no error: the loop checks the signal.
    if (delayMs > 0) await sleep(this.context.clock, delayMs, signal).catch(() => {});
  }
}

function historyWentBack(resource: ApiResource): GoneError {
  const message = "the server's version went back, as after a restore from a backup";
  const status = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code: 410,
    reason: "Expired",
    message,
  } as const;
  return new GoneError(status, { verb: "watch", resource });
}

/** Failures after which pages may still work. */
function refusesStreaming(error: Error): boolean {
  // A proxy, or a server that never reports a complete list.
  if (error instanceof UnreachableError) return error.kind === "silent";
  if (!(error instanceof ApiError) || isRefusal(error) || error instanceof GoneError) return false;
  // 500: storage without progress notifications. 429 and 503 are not about the request.
  return error.code === 500 || error.code === 501 || (error.code < 500 && error.code !== 429);
}

/** A person has to fix it. */
function isRefusal(error: Error): boolean {
  return error instanceof ForbiddenError || error instanceof UnauthorizedError || error instanceof NotFoundError;
}
