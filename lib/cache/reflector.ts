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

/** What a reflector is doing. `backingOff`: the last attempt failed, and the next one waits. */
export type ReflectorState = "starting" | "listing" | "watching" | "backingOff" | "stopped";

/** What to reflect. */
export interface ReflectorScope {
  /** The whole cluster where absent. */
  namespace?: string;
  /** Only objects with these labels, in the text form of a query. */
  labelSelector?: string;
  /** Only objects with these fields, in the text form of a query. */
  fieldSelector?: string;
  /** `metadata` alone (PartialObjectMetadata). */
  metadataOnly?: boolean;
}

/** Bounds of a reflector; every one has a default. */
export interface ReflectorBounds {
  /** Objects per page of a list. */
  pageLimit?: number;
  /** Ask for the present objects as events of the watch (KEP-3157) where the server has that. */
  streamingList?: boolean;
  /** The server ends a watch after a time between these, so that many watches do not end at once. */
  watchSecondsMin?: number;
  /** The later of the two. */
  watchSecondsMax?: number;
  /** Silence for longer counts as a dead connection. */
  idleMsMax?: number;
  /** The same while a streaming list is under way, which is then read in pages: its events come one after the other. */
  listIdleMsMax?: number;
  /** The first pause after a failure; it doubles up to the maximum. */
  backoffMsInitial?: number;
  /** The longest pause after failures. */
  backoffMsMax?: number;
  /** The same after 401, 403 and 404, which a person has to mend. */
  refusedBackoffMsInitial?: number;
  /** The longest pause after those. */
  refusedBackoffMsMax?: number;
}

/** Receives what the server says, in order. Calls never overlap. */
export interface ReflectorSink<T> {
  /** The complete list; `rewound` where the server's history went back. */
  replace(objects: T[], version: string, rewound: boolean): void;
  put(object: T): void;
  remove(object: T): void;
  /** The server says: nothing else happened up to `version`. */
  progress(version: string): void;
  /** The server said something. */
  heard(): void;
  state(state: ReflectorState, error?: Error): void;
}

const BOUNDS: Required<ReflectorBounds> = {
  pageLimit: 500,
  streamingList: true,
  watchSecondsMin: 200, // under the 240 s after which common load balancers cut a quiet connection
  watchSecondsMax: 230,
  idleMsMax: 70_000,
  listIdleMsMax: 5_000,
  backoffMsInitial: 500,
  backoffMsMax: 30_000,
  refusedBackoffMsInitial: 2_000,
  refusedBackoffMsMax: 60_000,
};

/**
 * A watch that ends earlier counts as a failure: a server that ends each at once would else be asked without a pause.
 */
const HEALTHY_WATCH_MS = 1_000;
/** After so many failures in a row the version itself is suspect: list again. */
const FAILURES_BEFORE_RELIST = 5;
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/**
 * Follows one resource: lists it, watches from there, and starts again wherever that breaks, for ever.
 *
 * Guarantees: the sink sees every change at least once or a list that holds its effect; a watch resumes from the last
 * version it saw; a lost version (410) leads to a new list, never to a gap; pauses are bounded and jittered.
 */
export class Reflector<T extends KubeObject> {
  /** How often it listed after the first time, and how often it opened a watch again. */
  relists = 0;
  reconnects = 0;
  readonly #bounds: Required<ReflectorBounds>;
  #version: string | undefined;
  /** The highest version that the server ever showed, to notice when its history goes back. */
  #highest = "";
  #failures = 0;
  #lists = 0;
  #watches = 0;
  #streaming: boolean;
  /** The failures that were told since the resource was last followed: an outage is no news at every attempt. */
  readonly #told = new Set<string>();

  constructor(
    readonly client: Client,
    readonly resource: ApiResource,
    readonly scope: ReflectorScope,
    readonly sink: ReflectorSink<T>,
    readonly context: {
      clock: Clock;
      random: Random;
      logger: Logger;
      project: (object: T) => T;
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
    for await (const page of this.client.pages<T>(this.resource, { ...this.scope, limit, signal })) {
      version ??= page.metadata?.resourceVersion;
      for (const item of page.items) objects.push(this.#admit(item));
      this.sink.heard();
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
        ...this.scope,
        resourceVersion: this.#version,
        sendInitialEvents: initial ? true : undefined,
        timeoutSeconds: watchSecondsMin + random.next() * (watchSecondsMax - watchSecondsMin),
        idleMsMax: () => this.#version === undefined ? listIdleMsMax : idleMsMax,
        onOpen: () => this.#opened(initial !== undefined),
        signal,
      });
      for await (const event of events) {
        alive = true;
        this.sink.heard();
        if (this.#version === undefined) this.#takeInitial(event, initial!);
        else this.#take(event);
      }
      alive = true;
    } finally {
      if (alive && clock.elapsed() - startMs >= HEALTHY_WATCH_MS) this.#failures = 0;
    }
    if (signal.aborted) return;
    // A server that does not know the parameter (before 1.27) watches, and never says that the list is complete.
    if (initial && this.#version === undefined) return this.#giveUpStreaming();
    if (clock.elapsed() - startMs >= HEALTHY_WATCH_MS) return;
    this.#failures++;
    this.sink.state("backingOff");
    await this.#pause(this.#backoffMs(undefined), signal);
  }

  #opened(listing: boolean): void {
    this.sink.heard();
    if (!listing) this.#following();
  }

  #following(): void {
    this.sink.state("watching");
    if (this.#told.size === 0) return;
    this.#told.clear();
    this.context.logger.info("following a resource again", { resource: this.resource.plural, ...this.#where });
  }

  get #where() {
    const { namespace, fieldSelector } = this.scope;
    return { namespace, fieldSelector };
  }

  #take(event: WatchEvent<T>): void {
    const version = event.object.metadata?.resourceVersion;
    if (!version) throw new MalformedAnswerError(`watch of ${this.resource.plural}: an event without resourceVersion`);
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        this.sink.put(this.#admit(event.object));
        break;
      case "DELETED":
        this.sink.remove(this.#admit(event.object));
        break;
      case "BOOKMARK":
        // Late events may be older than what is known; a bookmark never is, unless the server was restored from a
        // backup.
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
      if (type !== "DELETED") initial.push(this.#admit(object));
      return;
    }
    const version = object.metadata?.resourceVersion;
    if (!version || object.metadata?.annotations?.[INITIAL_EVENTS_END] !== "true") return;
    this.#replace(initial.splice(0), version);
    this.#following();
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

  /** An object that may enter the store: named, versioned, projected. */
  #admit(object: T): T {
    const { name, resourceVersion } = object.metadata ?? {};
    if (!name || !resourceVersion) {
      throw new MalformedAnswerError(
        `${this.resource.plural}: the server sent an object without name or resourceVersion`,
      );
    }
    return this.context.project(object);
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

  /**
   * A refusal at once, another failure from the second one on; each kind for people once, and every attempt at debug.
   */
  #report(error: Error, delayMs: number): void {
    const { logger } = this.context, refused = isRefusal(error);
    const said = {
      resource: this.resource.plural,
      ...this.#where,
      failures: this.#failures,
      delayMs: Math.round(delayMs),
      error: error.message,
    };
    const kind = error instanceof UnreachableError ? error.kind : error.name;
    if (this.#told.has(kind) || !(refused || this.#failures > 1)) {
      logger.debug("following a resource failed; trying again", said);
      return;
    }
    this.#told.add(kind);
    if (refused) logger.error("cannot follow a resource until this is fixed; trying again in silence", said);
    else logger.warn("following a resource failed; trying again in silence until it works", said);
  }

  /** The pause before the next attempt. A lost version is no fault of anybody: the first relist comes at once. */
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
    // Aborting is no error here: the loop ends by looking at the signal.
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

/** Failures after which the same resource may still be listed in pages. */
function refusesStreaming(error: Error): boolean {
  // A proxy, or a server that watches and never says that the list is complete.
  if (error instanceof UnreachableError) return error.kind === "silent";
  if (!(error instanceof ApiError) || isRefusal(error) || error instanceof GoneError) return false;
  // 500: storage that cannot tell its progress. 429 and 503 are about the moment, not about the request.
  return error.code === 500 || error.code === 501 || (error.code < 500 && error.code !== 429);
}

/** Failures that waiting does not heal. */
function isRefusal(error: Error): boolean {
  return error instanceof ForbiddenError || error instanceof UnauthorizedError || error instanceof NotFoundError;
}
