import { type Clock, type Random, sleep, type Transport, type TransportRequest } from "../base/mod.ts";
import { EmbeddedApiServer, requestInfo, type StorageSnapshot } from "../apiserver/mod.ts";
import type { Cluster, ClusterUser } from "../harness/mod.ts";
import { isWrite } from "../harness/operator_under_test.ts";
import { failure, FAULT_MESSAGE, noStreamingLists } from "./failed_answer.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import type { Simulation } from "./simulation.ts";
import { type EventFate, WatchDelivery } from "./watch_delivery.ts";
import {
  type Actor,
  Trace,
  type TracedBookmark,
  type TracedCall,
  type TracedEvent,
  type TracedRequest,
} from "./trace.ts";

/** What happens to a write of the operator. */
export type WriteFate =
  | { readonly kind: "pass" }
  /** The process dies: before the server gets the write, before it learns the answer, or right after that. */
  | { readonly kind: "crash"; readonly moment: "before" | "unanswered" | "answered" }
  /** The process dies, and the write arrives just before the first one of the next process. */
  | { readonly kind: "late" }
  /** The answer is this code; with `effect` the server has carried the write out. */
  | { readonly kind: "fail"; readonly code: number; readonly effect: boolean }
  /** Another client changes the object just before. */
  | { readonly kind: "foreign" }
  /** The clock of the operator's machine is set. */
  | { readonly kind: "clock"; readonly byMs: number };

/** What happens to a call of the operator to the suite's world. */
export type CallFate =
  | { readonly kind: "pass" }
  /** The process dies right after the call. */
  | { readonly kind: "crash" }
  /** The call throws, and has no effect. */
  | { readonly kind: "fail" };

/** The faults of one run. Each function is called once for each request or event, in order. */
export interface NetworkFaults {
  onWrite?(request: TracedRequest): WriteFate;
  onEvent?(event: TracedEvent): EventFate;
  onCall?(call: TracedCall): CallFate;
  /** Whether the bookmark that ends a watch's list is lost. */
  losesBookmark?(bookmark: TracedBookmark): boolean;
  /** Whether the operator's process dies once the storage has this revision. */
  crashesAt?(revision: number): boolean;
  /** What the lists and watches of a process that starts after a fault show: the state of `revision`, for a while. */
  readonly stale?: { readonly revision: number; readonly forMs: number };
}

const PASS = { kind: "pass" } as const;
/** Begins the name of each process of an operator. */
export const OPERATOR = "operator";
const LATENCY_MS_MIN = 0.2, LATENCY_MS_MAX = 2; // of the time that a message takes
/** When a write of a process that died arrives, on a real cluster: its successor has begun, and has written nothing. */
export const LATE_MS = 1_003;
/** When it arrives if the next process writes nothing. */
const LATE_MS_MAX = 20_000;
/** Between the first and the last watch of a process that shows the present again. */
const CATCH_UP_MS_MAX = 2_000;
/** More requests than this are an operator that never comes to rest. */
const REQUESTS_MAX = 3_000;
/** At rest: so long without a change of the cluster, of all the time that an operator gets. */
const QUIET_MS = 60_000, SETTLE_MS_MAX = 30 * 60_000;
/** Set by the exploration itself. */
export const FOREIGN_ANNOTATION = "explore.pintle.dev/foreign";

/** An embedded cluster behind a network with virtual latencies, which records requests and injects faults. */
export class SimulatedCluster implements Cluster {
  readonly kind = "embedded";
  readonly kubeconfig: undefined = undefined;
  readonly server: EmbeddedApiServer;
  readonly trace = new Trace();
  readonly #simulation: Simulation;
  readonly #faults: NetworkFaults;
  readonly #latency: Random;
  /** What serves requests: not a part of the processes that send them. */
  readonly #machine: SimulatedProcess;
  readonly #admin: Transport;
  /** The process that sent the operator's latest request. */
  #operator: SimulatedProcess | undefined;
  /** Processes that began after the fault, and until when they see the past. */
  readonly #staleUntilMs = new Map<SimulatedProcess, number>();
  /** Collections that informers of such a process are about to list: other lists are consistent reads. */
  readonly #informerLists = new WeakMap<SimulatedProcess, Set<string>>();
  #hasCrashed = false;
  /** Has the server carry out a write of a process that died, once. */
  #arriveLate: (() => Promise<void>) | undefined;
  /** Resolves when the operator works again. */
  #downtime: PromiseWithResolvers<void> | undefined;
  readonly #startMs: number;
  #changedMs = 0;
  /** The object of each resource that was created last. */
  readonly #added = new Map<string, { readonly revision: number; readonly name: string }>();
  /** Resolves when so many requests were sent that the operator never comes to rest. */
  #overrun = { after: Infinity, reached: Promise.withResolvers<void>() };

  /** Begins with `snapshot`; with a new cluster where absent. */
  constructor(simulation: Simulation, faults: NetworkFaults = {}, snapshot?: StorageSnapshot) {
    this.#simulation = simulation;
    this.#faults = faults;
    this.#startMs = simulation.clock.elapsed();
    this.#latency = simulation.random("latency");
    this.#machine = new SimulatedProcess(simulation, "API server");
    this.server = new EmbeddedApiServer({
      clock: serverClock(simulation.clock),
      random: simulation.random("server"),
      snapshot,
    });
    this.#admin = this.server.transport();
    const isReference = faults.onWrite === undefined;
    this.server.storage.subscribe((resource, event) => {
      const { type, key, revision } = event;
      this.#changedMs = simulation.clock.elapsed();
      this.trace.recordVersion(event);
      if (isReference) this.trace.recordChange(resource, event);
      if (type === "ADDED") this.#added.set(resource, { revision, name: key.split("/").at(-1)! });
    });
  }

  transport(user?: ClusterUser): Transport {
    const inner = this.server.transport(user), actor: Actor = user ? "operator" : "scenario";
    return {
      fetch: (path, request = {}) => this.#send(inner, actor, path, request),
      close: () => inner.close(),
    };
  }

  serveService(...[namespace, name, fetch]: Parameters<NonNullable<Cluster["serveService"]>>): () => void {
    return this.server.serveService(namespace, name, fetch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.settled();
    this.server.close();
  }

  async #send(inner: Transport, actor: Actor, path: string, request: TransportRequest): Promise<Response> {
    const process = SimulatedProcess.current ?? this.#machine, { signal } = request;
    signal?.throwIfAborted();
    const isUsers = process.name === "scenario", isRead = (request.method ?? "GET") === "GET";
    if (isUsers && !isRead) await this.#downtime?.promise;
    const traced = this.#record(actor, process, path, request);
    const fate = traced.nthWrite === undefined ? PASS : this.#faults.onWrite?.(traced) ?? PASS;
    if (fate.kind !== "pass") this.#markFault();
    if (fate.kind === "crash" && fate.moment === "before") return await this.#die(process);
    if (fate.kind === "late") return await this.#dieSending(process, () => this.#serve(inner, traced, path, request));
    if (fate.kind === "clock") this.#simulation.clock.set(fate.byMs);
    await process.await(this.travel(signal));
    if (traced.nthWrite !== undefined) await this.#arriveLate?.();
    if (fate.kind === "foreign") await this.#machine.run(() => this.#changeByAnother(path));
    if (fate.kind === "fail" && !fate.effect) return await this.#answer(traced, process, failure(fate.code), signal);
    const stale = traced.nthWrite === undefined ? this.#past(process, traced) : undefined;
    if (stale?.refused) return await this.#answer(traced, process, stale.refused, signal);
    const serve = () =>
      process.await(this.#machine.run(() => this.#serve(inner, traced, stale?.path ?? path, request)));
    let response = await serve();
    while (isUsers && response.status >= 500 && this.#downtime) {
      await this.#downtime.promise; // as a user would send it again
      response = await serve();
    }
    if (fate.kind === "crash" && fate.moment === "unanswered") return await this.#die(process);
    if (fate.kind === "fail") return await this.#answer(traced, process, failure(fate.code), signal);
    if (traced.target?.verb === "watch" && response.body) {
      traced.received = response.status;
      return new Response(new WatchDelivery(this, response.body, { process, actor, path }).body, response);
    }
    if (fate.kind === "crash") {
      // Its code may use the answer until it waits for something.
      await this.#answer(traced, process, response, signal);
      this.#machine.run(() => this.#simulation.clock.schedule(() => process.kill(), 0));
      return response;
    }
    return await this.#answer(traced, process, response, signal);
  }

  #record(actor: Actor, process: SimulatedProcess, path: string, { method = "GET" }: TransportRequest): TracedRequest {
    const info = requestInfo(method, path);
    const target = info.kind === "resource" ? info : undefined;
    const writes = target !== undefined && isWrite({ method, path });
    if (actor === "operator") this.#enter(process);
    const traced: TracedRequest = {
      actor,
      process: process.name,
      method,
      path,
      target,
      atMs: this.#sinceStartMs(),
      ...(actor === "operator" && writes && { nthWrite: this.trace.nextWrite() }),
    };
    if (this.trace.requests.push(traced) > this.#overrun.after) this.#overrun.reached.resolve();
    return traced;
  }

  /** Ends the operator's process, as a fault does. */
  killOperator(): void {
    this.#hasCrashed = true;
    this.#operator?.kill();
  }

  /** Waits until the cluster has not changed for a while; false if it never stops. */
  async settle(): Promise<boolean> {
    const { clock } = this.#simulation, startMs = clock.elapsed(), { requests } = this.trace;
    const after = requests.length + REQUESTS_MAX, reached = Promise.withResolvers<void>();
    this.#overrun = { after, reached };
    for (let quietMs = 0; quietMs < QUIET_MS; quietMs = clock.elapsed() - Math.max(startMs, this.#changedMs)) {
      if (clock.elapsed() - startMs > SETTLE_MS_MAX || requests.length > after) return false;
      await Promise.race([sleep(clock, QUIET_MS - quietMs), reached.promise]);
    }
    return true;
  }

  /**
   * The scenario's writes wait until {@linkcode endDowntime}, and so do its reads that fail. Those of a user would be
   * refused while the operator's webhooks do not answer, which is no fault of the operator.
   */
  beginDowntime(): void {
    this.#downtime ??= Promise.withResolvers();
  }

  endDowntime(): void {
    this.#downtime?.resolve();
    this.#downtime = undefined;
  }

  /** A process that starts after the fault begins with the past, where the faults want it. */
  #enter(process: SimulatedProcess): void {
    if (process === this.#operator) return;
    this.#operator = process;
    const { stale } = this.#faults;
    if (stale && this.#hasCrashed) this.#staleUntilMs.set(process, this.#simulation.clock.elapsed() + stale.forMs);
  }

  /** How an informer's list or watch of a process that sees the past is served. */
  #past(process: SimulatedProcess, { target, path }: TracedRequest): { path?: string; refused?: Response } | undefined {
    const untilMs = this.#staleUntilMs.get(process), { stale } = this.#faults;
    if (untilMs === undefined || !stale || this.#simulation.clock.elapsed() >= untilMs) return undefined;
    const [base, query] = path.split("?"), parameters = new URLSearchParams(query);
    const collection = `${base} ${parameters.get("labelSelector")} ${parameters.get("fieldSelector")}`;
    if (target?.verb === "watch" && parameters.get("sendInitialEvents") === "true") {
      const lists = this.#informerLists.get(process) ?? new Set();
      this.#informerLists.set(process, lists.add(collection));
      return { refused: noStreamingLists() };
    }
    if (target?.verb !== "list" || !this.#informerLists.get(process)?.delete(collection)) return undefined;
    parameters.delete("continue");
    parameters.delete("limit");
    parameters.set("resourceVersion", `${stale.revision}`);
    parameters.set("resourceVersionMatch", "Exact");
    return { path: `${base}?${parameters}` };
  }

  /** Until when a watch of `process` shows nothing. Each catches up at a time of its own. */
  heldUntilMs(process: SimulatedProcess, watch: string): number {
    const untilMs = this.#staleUntilMs.get(process);
    if (untilMs === undefined) return 0;
    return untilMs + CATCH_UP_MS_MAX * this.#simulation.random(`${this.#faults.stale?.revision} ${watch}`).next();
  }

  async #serve(inner: Transport, traced: TracedRequest, path: string, request: TransportRequest): Promise<Response> {
    const { storage } = this.server, before = storage.revision;
    const response = await inner.fetch(path, request);
    traced.code = response.status;
    traced.revision = storage.revision;
    traced.isEffective = storage.revision !== before;
    if (response.status === 201 && traced.target) {
      const { plural, group } = traced.target, added = this.#added.get(group ? `${plural}.${group}` : plural);
      if (added && added.revision > before) traced.createdName = added.name;
    }
    if (traced.isEffective && this.#faults.crashesAt?.(storage.revision)) {
      const { clock } = this.#simulation;
      this.#markFault();
      clock.schedule(() => this.killOperator(), 0);
    }
    return response;
  }

  async #answer(traced: TracedRequest, process: SimulatedProcess, response: Response, signal?: AbortSignal) {
    await process.await(this.travel(signal));
    traced.received = response.status;
    return response;
  }

  #die(process: SimulatedProcess): Promise<never> {
    this.#hasCrashed = true;
    process.kill();
    return new Promise(() => {});
  }

  #dieSending(process: SimulatedProcess, arrive: () => Promise<Response>): Promise<never> {
    let arrived: Promise<void> | undefined;
    this.#arriveLate = () => arrived ??= this.#machine.run(arrive).then((response) => response.body?.cancel());
    this.#machine.run(() => this.#simulation.clock.schedule(() => void this.#arriveLate?.(), LATE_MS_MAX));
    return this.#die(process);
  }

  /** A write of another client to the object of a request, if it exists. */
  async #changeByAnother(path: string): Promise<void> {
    const [place = ""] = path.split("?"), object = place.replace(/\/(status|scale)$/, "");
    const body = JSON.stringify({ metadata: { annotations: { [FOREIGN_ANNOTATION]: "true" } } });
    const headers = { "content-type": "application/merge-patch+json" };
    const response = await this.#admin.fetch(object, { method: "PATCH", headers, body });
    const { metadata } = await response.json() as { metadata?: { uid?: string } };
    const isTeardown = this.trace.settledAfter < Infinity;
    if (response.ok && metadata?.uid && !isTeardown) this.trace.changedByAnother.add(metadata.uid);
  }

  /** Resolves when a message has arrived. */
  travel(signal?: AbortSignal): Promise<void> {
    const delayMs = LATENCY_MS_MIN + (LATENCY_MS_MAX - LATENCY_MS_MIN) * this.#latency.next();
    return this.pause(delayMs, signal);
  }

  /** Resolves later, even if the process that waits has died. */
  pause(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#machine.run(() => sleep(this.#simulation.clock, delayMs, signal));
  }

  elapsed = (): number => this.#simulation.clock.elapsed();

  #sinceStartMs(): number {
    return this.elapsed() - this.#startMs;
  }

  /** Records an event of the operator, and says what happens to it. */
  fateOf(event: Omit<TracedEvent, "atMs" | "nth">): EventFate {
    const traced = { ...event, atMs: this.#sinceStartMs(), nth: this.trace.events.length + 1 };
    this.trace.events.push(traced);
    const fate = this.#faults.onEvent?.(traced) ?? { kind: "deliver" };
    if (fate.kind !== "deliver") this.#markFault();
    return fate;
  }

  /** Records the bookmark that ends a list, and says whether it is lost. */
  losesBookmark(bookmark: Pick<TracedBookmark, "process" | "watch">): boolean {
    const traced = { ...bookmark, atMs: this.#sinceStartMs(), nth: this.trace.bookmarks.length + 1 };
    this.trace.bookmarks.push(traced);
    const isLost = this.#faults.losesBookmark?.(traced) ?? false;
    if (isLost) this.#markFault();
    return isLost;
  }

  /** A call to the suite's world; only those of the operator are recorded, and can have a fault. */
  readonly onWorldCall = (name: string, call: () => unknown, isAsync: boolean): unknown => {
    const process = SimulatedProcess.current;
    if (!process?.name.startsWith(OPERATOR)) return call();
    if (!process.isAlive) throw new Error("the process is gone");
    const traced = { process: process.name, name, atMs: this.#sinceStartMs(), nth: this.trace.calls.length + 1 };
    this.trace.calls.push(traced);
    const { kind } = this.#faults.onCall?.(traced) ?? PASS;
    if (kind === "pass") return call();
    this.#markFault();
    if (kind === "fail") {
      const error = new Error(FAULT_MESSAGE);
      if (isAsync) return Promise.reject(error);
      throw error;
    }
    const result = call();
    if (result instanceof Promise) return result.finally(() => this.#die(process));
    void this.#die(process);
    return result;
  };

  #markFault(): void {
    this.trace.faultRevision ??= this.server.storage.revision;
  }
}

/** The server runs on another machine: a step of the operator's clock does not move its own. */
function serverClock(clock: Clock): Clock {
  const startMs = clock.now() - clock.elapsed();
  return {
    now: () => startMs + clock.elapsed(),
    elapsed: () => clock.elapsed(),
    schedule: (callback, delayMs) => clock.schedule(callback, delayMs),
    clear: (handle) => clock.clear(handle),
  };
}
