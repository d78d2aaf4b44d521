import type { ResourceRequestInfo } from "../apiserver/mod.ts";

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
  /** The server's answer; absent where none came. */
  code?: number;
  /** The storage's revision afterwards. */
  revision?: number;
  /** Whether it changed the storage. */
  isEffective?: boolean;
}

/** An event of a watch of the operator, as it was delivered. */
export interface TracedEvent {
  /** The watch's path without its query. */
  readonly watch: string;
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly atMs: number;
  /** Among the events of the operator's watches, from 1. */
  readonly nth: number;
}

/** What happened on the network of one run. */
export class Trace {
  readonly requests: TracedRequest[] = [];
  readonly events: TracedEvent[] = [];
  #writes = 0;

  nextWrite(): number {
    return ++this.#writes;
  }

  /** Whether two runs sent the same requests at the same virtual times, and got the same answers. */
  digest(): string {
    return this.requests.map(({ actor, method, path, atMs, code }) => `${atMs} ${actor} ${method} ${path} ${code}`)
      .join("\n");
  }
}
