import type { DynamicObject } from "../apimachinery/mod.ts";
import type { ResourceRequestInfo, StorageEvent } from "../apiserver/mod.ts";

/** Who sent a request. */
export type Actor = "operator" | "scenario";

/** One request, in the order in which they were sent. */
export interface TracedRequest {
  readonly actor: Actor;
  readonly process: string;
  readonly method: string;
  readonly path: string;
  /** Absent for discovery and other paths. */
  readonly target?: Pick<ResourceRequestInfo, "verb" | "group" | "plural" | "namespace" | "name" | "subresource">;
  readonly atMs: number;
  /** Among the writes of the operator, from 1. */
  readonly nthWrite?: number;
  /** The name of the object that it created: a path of a collection has none. */
  createdName?: string;
  /** The server's answer; absent where it never got the request. */
  code?: number;
  /** The answer that its sender got, which a fault may have changed; absent where none came. */
  received?: number;
  /** The storage's revision afterwards. */
  revision?: number;
  /** Whether it changed the storage. */
  isEffective?: boolean;
}

/** Whether a request deletes what no later write brings back. A ConfigMap is only its content, which is compared. */
export function losesState({ verb, group, plural }: NonNullable<TracedRequest["target"]>): boolean {
  return verb === "delete" && !(group === "" && plural === "configmaps");
}

/** An event of a watch of the operator, as it was delivered. */
export interface TracedEvent {
  /** The process that watches. */
  readonly process: string;
  /** The watch's path without its query. */
  readonly watch: string;
  readonly type: string;
  /** Whether it is of the list with which its watch began. */
  readonly isInitial: boolean;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly atMs: number;
  /** Among the events of the operator's watches, from 1. */
  readonly nth: number;
}

/**
 * Whether an event is of an object whose addition was the `hidden` event. An API server sends no change of an object
 * that the watch has not shown: the watch lost both, and a list follows.
 */
export function isUnknown(type: string, hidden: string | undefined): boolean {
  return hidden === "ADDED" && type !== "ADDED";
}

/** The bookmark with which a watch of the operator says that its list is complete. */
export interface TracedBookmark extends Pick<TracedEvent, "process" | "watch" | "atMs"> {
  /** Among these bookmarks, from 1. */
  readonly nth: number;
}

/** A call of the operator to a function of the suite's world. */
export interface TracedCall {
  readonly process: string;
  /** As `world.bank.open`. */
  readonly name: string;
  readonly atMs: number;
  /** Among the calls of the operator, from 1. */
  readonly nth: number;
}

/** Versions of the cluster between which an object existed. */
export interface Lifetime {
  /** Resource, namespace and name. */
  readonly place: string;
  readonly created: number;
  /** When its deletion was requested, and when it was gone. */
  deletedAt?: number;
  gone?: number;
  /** Whether a finalizer ever held it. */
  isHeld: boolean;
}

/** What happened on the network of one run, as data. */
export interface TraceRecord {
  readonly requests: readonly TracedRequest[];
  readonly events: readonly TracedEvent[];
  readonly bookmarks: readonly TracedBookmark[];
  readonly calls: readonly TracedCall[];
  /** Of each object, by uid. */
  readonly lifetimes: ReadonlyMap<string, Lifetime>;
  /** Number of requests when the operator had come to rest: what follows is the teardown. */
  readonly settledAfter: number;
  /** When the cluster was compared: at rest after the body, and after the teardown. */
  readonly comparedMs: readonly number[];
  /** When the last request of the scenario's body was sent. */
  readonly bodyEndMs: number;
}

/** A trace of an operator that never comes to rest, without what it does again and again. */
export function cutTrace(trace: TraceRecord, afterMs: number): TraceRecord {
  const untilMs = trace.bodyEndMs + afterMs, isKept = ({ atMs }: { readonly atMs: number }) => atMs <= untilMs;
  const before = trace.requests.slice(0, trace.settledAfter).filter(isKept);
  return {
    ...trace,
    lifetimes: trace.lifetimes,
    requests: [...before, ...trace.requests.slice(trace.settledAfter)],
    settledAfter: before.length,
    events: trace.events.filter(isKept),
    bookmarks: trace.bookmarks.filter(isKept),
    calls: trace.calls.filter(isKept),
  };
}

/** What happens on the network of one run. */
export class Trace implements TraceRecord {
  readonly requests: TracedRequest[] = [];
  readonly events: TracedEvent[] = [];
  readonly bookmarks: TracedBookmark[] = [];
  readonly calls: TracedCall[] = [];
  /** Of each object, by uid. */
  readonly lifetimes = new Map<string, Lifetime>();
  /** Each version of a Secret, and of an object with a status: watchers saw what later writes hide. */
  readonly shown: DynamicObject[] = [];
  /** Uids of objects that another client changed, as a fault. */
  readonly changedByAnother = new Set<string>();
  /** The storage's revision when the first fault struck. */
  faultRevision: number | undefined;
  settledAfter = Infinity;
  readonly comparedMs: number[] = [];
  bodyEndMs = Infinity;
  #writes = 0;

  nextWrite(): number {
    return ++this.#writes;
  }

  /** Keeps what an object showed. */
  recordVersion({ current: { object } }: StorageEvent): void {
    if (object.kind === "Secret" || object.status !== undefined) this.shown.push(object);
  }

  /** Follows an object's lifetime. */
  recordChange(resource: string, { type, key, revision, current }: StorageEvent): void {
    const { uid = "", finalizers = [], deletionTimestamp } = current.object.metadata ?? {};
    let lifetime = this.lifetimes.get(uid);
    if (!lifetime) {
      this.lifetimes.set(uid, lifetime = { place: `${resource} ${key}`, created: revision, isHeld: false });
    }
    if (finalizers.length > 0) lifetime.isHeld = true;
    if (deletionTimestamp || type === "DELETED") lifetime.deletedAt ??= revision;
    if (type === "DELETED") lifetime.gone = revision;
  }

  /**
   * Objects (`plural namespace/name`) that the operator deleted after the fault, and had not made since. A write that
   * has the fault counts as later.
   */
  deletions(sinceRevision: number): Set<string> {
    const made = new Set<string>(), deleted = new Set<string>();
    for (const request of this.requests.slice(0, this.settledAfter)) {
      const { actor, target, code, isEffective, revision = 0 } = request;
      if (actor !== "operator" || !isEffective || revision < sinceRevision || !target) continue;
      const object = `${target.plural} ${target.namespace ?? ""}/${target.name ?? request.createdName}`;
      if (code === 201) made.add(object);
      else if (losesState(target) && revision > sinceRevision && !made.has(object)) deleted.add(object);
    }
    return deleted;
  }

  /** Whether two runs sent the same requests at the same virtual times, and got the same answers. */
  digest(): string {
    return this.requests.map(({ actor, method, path, atMs, code }) => `${atMs} ${actor} ${method} ${path} ${code}`)
      .join("\n");
  }
}
