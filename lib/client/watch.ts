import {
  type ApiResource,
  type ApiStatus,
  formatApiVersion,
  type KubeObject,
  resourcePath,
} from "../apimachinery/mod.ts";
import { type Clock, LinkedAbort } from "../base/mod.ts";
import { ApiError, apiErrorOf, describeTarget, type RequestTarget } from "./api_error.ts";
import type { Requester } from "./requester.ts";
import { classifyFailure, MalformedAnswerError, UnreachableError } from "./unreachable.ts";
import { decodeJsonLines } from "./watch_stream.ts";

/** One event of a watch. Of a BOOKMARK only the object's metadata counts. */
export interface WatchEvent<T extends KubeObject = KubeObject> {
  /** A BOOKMARK only says how far the watch is. */
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  /** The state after the event; the last one for DELETED. */
  readonly object: T;
}

/** Options of a watch. */
export interface WatchOptions {
  /** The whole cluster where absent. */
  namespace?: string;
  /** An object that stops matching comes as DELETED. */
  labelSelector?: string;
  /** As `metadata.name=login`. */
  fieldSelector?: string;
  /** Requests `metadata` alone. */
  metadataOnly?: boolean;
  /** Events after this version; absent: the present objects first, as ADDED. */
  resourceVersion?: string;
  /** Requests the present objects as ADDED events, ended by an annotated bookmark (KEP-3157). */
  sendInitialEvents?: boolean;
  /** The server then ends the stream. */
  timeoutSeconds?: number;
  /**
   * Longer silence is an {@linkcode UnreachableError}; servers send a bookmark every minute. A function is called at
   * each bound.
   */
  idleMsMax?: number | (() => number);
  /** Longest line in characters. */
  lineLengthMax?: number;
  /** Called once the server accepted the watch, maybe a minute before the first event. */
  onOpen?: () => void;
  /** Ends the stream, without an error. */
  signal: AbortSignal;
}

const IDLE_MS_MAX = 70_000;

export const METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/**
 * @throws {GoneError} where the version is no longer known; other {@linkcode ApiError}s as the server says.
 * @throws {UnreachableError} where the connection breaks or falls silent.
 */
export async function* watch<T extends KubeObject>(
  requester: Requester,
  resource: ApiResource,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const subject: RequestTarget = { verb: "watch", resource, key: { namespace: options.namespace } };
  const { signal, idleMsMax = IDLE_MS_MAX, lineLengthMax } = options;
  const signals = [signal, ...requester.options.signals], isEnded = () => signals.some(({ aborted }) => aborted);
  if (isEnded()) return;
  using link = new LinkedAbort(signals);
  using watchdog = new Watchdog(
    requester.options.clock,
    typeof idleMsMax === "number" ? () => idleMsMax : idleMsMax,
    () => link.abort(new UnreachableError("", "silent", { during: describeTarget(subject) })),
  );
  try {
    const response = await requester.stream(specOf(resource, subject, options), link);
    if (!response.body) throw new MalformedAnswerError(`cannot ${describeTarget(subject)}: the response has no body`);
    const onChunk = () => watchdog.feed();
    watchdog.feed();
    options.onOpen?.();
    for await (
      const events of decodeJsonLines<RawEvent>(response.body, { lineLengthMax, signal: link.signal, onChunk })
    ) {
      // An abort during a consumer's pause loses no earlier events.
      for (const event of events) {
        if (!options.metadataOnly) requester.learn(subject, event.object);
        yield eventOf<T>(event, resource, subject, options.metadataOnly === true);
      }
    }
  } catch (error) {
    if (isEnded()) return;
    if (link.signal.aborted) throw link.signal.reason;
    const classified = error instanceof ApiError || error instanceof UnreachableError;
    if (classified || error instanceof MalformedAnswerError) throw error;
    throw new UnreachableError("", classifyFailure(error), { cause: error, during: describeTarget(subject) });
  } finally {
    // Ends the request where the consumer stopped early: the body alone would not end every transport.
    link.abort(new DOMException("the watch ended", "AbortError"));
  }
}

interface RawEvent {
  type?: string;
  object?: unknown;
}

function specOf(resource: ApiResource, subject: RequestTarget, options: WatchOptions) {
  const { namespace, signal, sendInitialEvents } = options;
  const query = {
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: sendInitialEvents ? "NotOlderThan" : undefined,
    sendInitialEvents: sendInitialEvents === undefined ? undefined : String(sendInitialEvents),
    labelSelector: options.labelSelector || undefined,
    fieldSelector: options.fieldSelector || undefined,
    timeoutSeconds: options.timeoutSeconds === undefined ? undefined : String(Math.round(options.timeoutSeconds)),
  };
  const accept = options.metadataOnly ? METADATA_ONLY : undefined;
  return {
    subject,
    method: "GET",
    path: resourcePath(resource, { namespace }),
    query,
    accept,
    idempotent: true,
    signal,
  };
}

function eventOf<T extends KubeObject>(
  event: RawEvent,
  resource: ApiResource,
  subject: RequestTarget,
  metadataOnly: boolean,
): WatchEvent<T> {
  switch (event.type) {
    case "ADDED":
    case "MODIFIED":
    case "DELETED":
    case "BOOKMARK":
      if (typeof event.object !== "object" || event.object === null) break;
      if (metadataOnly) setTypeMeta(event.object, resource);
      return event as WatchEvent<T>;
    case "ERROR": {
      const status = event.object as ApiStatus;
      throw apiErrorOf({ ...status, code: status?.code || 500 }, subject);
    }
  }
  throw new MalformedAnswerError(`cannot ${describeTarget(subject)}: an event of unknown type or without an object`);
}

/** Gives an object its own kind, not its envelope's (PartialObjectMetadata); edits it. */
export function setTypeMeta<T extends KubeObject>(object: T, resource: ApiResource): T {
  object.apiVersion = formatApiVersion(resource);
  object.kind = resource.kind;
  return object;
}

/** Calls `bark` once after `idleMs` without feeding, which costs no timer because it happens with every chunk. */
class Watchdog implements Disposable {
  #lastMs: number;
  #timer;

  constructor(readonly clock: Clock, readonly idleMs: () => number, readonly bark: () => void) {
    this.#lastMs = clock.elapsed();
    this.#timer = clock.schedule(() => this.#check(), idleMs());
  }

  feed(): void {
    this.#lastMs = this.clock.elapsed();
  }

  #check(): void {
    const leftMs = this.#lastMs + this.idleMs() - this.clock.elapsed();
    if (leftMs <= 0) return this.bark();
    this.#timer = this.clock.schedule(() => this.#check(), leftMs);
  }

  [Symbol.dispose](): void {
    this.clock.clear(this.#timer);
  }
}
