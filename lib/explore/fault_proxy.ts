import { type Clock, isObject, parseJson, sleep, type Transport, type TransportRequest } from "../base/mod.ts";
import { requestInfo, type ResourceRequestInfo } from "../apiserver/mod.ts";
import type { Cluster, ClusterUser } from "../harness/mod.ts";
import type { InProcessOperator, OperatorHost } from "../harness/in_process_operator.ts";
import { isWrite } from "../harness/operator_under_test.ts";
import { eventName, isAt, type Moment, type PlacedFault, simulatedName, writeName } from "./placed_fault.ts";
import { FOREIGN_ANNOTATION, LATE_MS, type WriteFate } from "./simulated_cluster.ts";
import { type EventFate, HIDDEN_MS } from "./watch_delivery.ts";
import { failure, noStreamingLists } from "./failed_answer.ts";
import { RESTART_MS } from "./simulated_run.ts";
import { type Actor, isUnknown, losesState } from "./trace.ts";

interface FaultProxyOptions {
  readonly clock: Clock;
  /** Of the scenario's names. */
  readonly prefix: string;
  readonly faults: readonly PlacedFault[];
  /** Whether the faults happen; otherwise only their moments are noticed, for a comparison. */
  readonly injects: boolean;
}

/** One process of the operator: it ends when it can no longer reach the cluster. */
class ProxiedProcess {
  isAlive = true;
  /** It has got its last answer: its next request ends it, or the next turn of the event loop. */
  isDying = false;
  staleUntilMs = 0;
}

/**
 * A real cluster behind a proxy in this process, which injects the faults of a plan in real time. A process that dies
 * sends nothing and learns nothing from that moment; its timers and connections are then ended.
 */
export class FaultProxy implements Cluster, OperatorHost {
  readonly kind: Cluster["kind"];
  readonly kubeconfig: string | undefined;
  readonly #inner: Cluster;
  readonly #options: FaultProxyOptions;
  readonly #admin: Transport;
  /** How often each moment came. */
  readonly #counts = new Map<string, number>();
  readonly #reached = new Set<PlacedFault>();
  /** The versions that stale lists show. */
  readonly #shown = new Map<PlacedFault, string>();
  #operator: InProcessOperator | undefined;
  #process = new ProxiedProcess();
  /** What the lists of processes that start from now on show. */
  #past: { readonly fault: PlacedFault; readonly version: string; readonly forMs: number } | undefined;
  /** Objects that the operator created since the first fault, and others that it deleted. */
  readonly #made = new Set<string>();
  readonly #deleted = new Set<string>();
  #hasStruck = false;
  #changedMs: number;
  /** Restarts, late writes and watches that lack an event. */
  #pending = 0;

  constructor(inner: Cluster, options: FaultProxyOptions) {
    this.kind = inner.kind;
    this.kubeconfig = inner.kubeconfig;
    this.#inner = inner;
    this.#options = options;
    this.#admin = inner.transport();
    this.#changedMs = options.clock.elapsed();
  }

  /** Faults whose moment did not come. */
  get missed(): readonly PlacedFault[] {
    return this.#options.faults.filter((fault) => !this.#reached.has(fault));
  }

  /** Objects that the operator deleted although it had not made them since the first fault. */
  get deletions(): ReadonlySet<string> {
    return this.#deleted;
  }

  /** When the operator or the scenario last changed the cluster; undefined while a fault is not over. */
  get changedMs(): number | undefined {
    const { clock } = this.#options;
    return this.#pending > 0 || clock.elapsed() < this.#process.staleUntilMs ? undefined : this.#changedMs;
  }

  async start(operator: InProcessOperator, begin: () => Promise<void>): Promise<void> {
    this.#operator = operator;
    await begin();
  }

  transport(user?: ClusterUser): Transport {
    const inner = this.#inner.transport(user);
    const close = () => inner.close();
    if (!user) return { fetch: (path, request = {}) => this.#sendOfScenario(inner, path, request), close };
    const process = this.#process = new ProxiedProcess(), { clock } = this.#options;
    if (this.#past) process.staleUntilMs = clock.elapsed() + this.#past.forMs;
    return { fetch: (path, request = {}) => this.#sendOfOperator(inner, process, path, request), close };
  }

  serveService(...service: Parameters<NonNullable<Cluster["serveService"]>>): () => void {
    return this.#inner.serveService!(...service);
  }

  /** Leaves the cluster. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#admin.close();
    return Promise.resolve();
  }

  async #sendOfScenario(inner: Transport, path: string, request: TransportRequest): Promise<Response> {
    const moment = this.#momentOf("scenario", path, request);
    const response = await inner.fetch(path, request);
    if (moment && await this.#note(moment, response)) this.#kill(this.#process);
    return response;
  }

  async #sendOfOperator(
    inner: Transport,
    process: ProxiedProcess,
    path: string,
    request: TransportRequest,
  ): Promise<Response> {
    const { signal } = request;
    if (!process.isAlive) return await never(signal);
    if (process.isDying) return await this.#die(process, signal);
    const moment = this.#momentOf("operator", path, request);
    if (!moment) return await this.#read(inner, process, path, request);
    const fate = this.#fateOf(moment);
    if (fate.kind === "crash" && fate.moment === "before") return await this.#die(process, signal);
    if (fate.kind === "late") {
      void this.#later(
        LATE_MS,
        async () => await (await inner.fetch(path, { ...request, signal: undefined })).body?.cancel(),
      );
      return await this.#die(process, signal);
    }
    if (fate.kind === "foreign") await this.#changeByAnother(path);
    if (fate.kind === "fail" && !fate.effect) return failure(fate.code);
    // A process that dies does not take back what it sent.
    const response = await inner.fetch(path, fate.kind === "crash" ? { ...request, signal: undefined } : request);
    await this.#recordObject(path, request, response);
    const dies = await this.#note(moment, response) || (fate.kind === "crash" && fate.moment === "unanswered");
    if (dies || !process.isAlive) {
      await response.body?.cancel();
      return await this.#die(process, signal);
    }
    if (fate.kind === "fail") {
      await response.body?.cancel();
      return failure(fate.code);
    }
    if (fate.kind === "crash") {
      // Its code may use the answer until it waits for something.
      process.isDying = true;
      this.#options.clock.schedule(() => this.#kill(process), 0);
    }
    return response;
  }

  async #read(inner: Transport, process: ProxiedProcess, path: string, request: TransportRequest): Promise<Response> {
    const target = targetOf(path, request), past = this.#past, isStale = this.#isStale(process);
    if (isStale && target?.verb === "watch" && path.includes("sendInitialEvents=true")) return noStreamingLists();
    const isPast = isStale && past !== undefined && target?.verb === "list";
    const response = await inner.fetch(isPast ? pathAt(path, past.version) : path, request);
    if (!process.isAlive) return await never(request.signal);
    if (isPast && response.ok) this.#reached.add(past.fault);
    if (target?.verb !== "watch" || !response.ok || !response.body) return response;
    return new Response(this.#watched(response.body, process, path), response);
  }

  async #recordObject(path: string, request: TransportRequest, response: Response): Promise<void> {
    const target = targetOf(path, request);
    if (!response.ok || !target || !this.#hasStruck) return;
    const isMade = response.status === 201, { plural, namespace = "" } = target;
    const name = target.name ?? (isMade ? metadataIn(await response.clone().text(), "name") : undefined);
    if (!name) return;
    const object = simulatedName(`${plural} ${namespace}/${name}`, this.#options.prefix);
    if (isMade) this.#made.add(object);
    else if (losesState(target) && !this.#made.has(object)) this.#deleted.add(object);
  }

  #isStale({ staleUntilMs }: ProxiedProcess): boolean {
    return this.#options.clock.elapsed() < staleUntilMs;
  }

  /** Undefined for what changes nothing. */
  #momentOf(actor: Actor, path: string, request: TransportRequest): Moment | undefined {
    const { method = "GET" } = request, target = isWrite({ method, path }) ? targetOf(path, request) : undefined;
    if (!target) return undefined;
    this.#changedMs = this.#options.clock.elapsed();
    return this.#next(writeName(actor, target));
  }

  /** The moment of a write or an event, which has its name in the simulation. */
  #next(actualName: string): Moment {
    const name = simulatedName(actualName, this.#options.prefix), nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    return { name, nth };
  }

  #fateOf(moment: Moment): WriteFate {
    for (const fault of this.#options.faults) {
      if (fault.at !== "write" || !isAt(fault.moment, moment)) continue;
      this.#reached.add(fault);
      this.#hasStruck = true;
      if (this.#options.injects) return fault.fate;
    }
    return { kind: "pass" };
  }

  /** What follows from an answered write: whether the operator dies now. */
  async #note(moment: Moment, response: Response): Promise<boolean> {
    let dies = false;
    for (const fault of this.#options.faults) {
      if (fault.at !== "revision") continue;
      if (isAt(fault.shows, moment)) this.#shown.set(fault, await this.#versionAfter(response));
      const version = this.#shown.get(fault);
      if (!isAt(fault.dies, moment) || version === undefined) continue;
      this.#hasStruck = true;
      if (!this.#options.injects) continue;
      this.#past = { fault, version, forMs: fault.forMs };
      dies = true;
    }
    return dies;
  }

  /** The cluster's version after a write: its object's, or, if the answer has none, that of a list. */
  async #versionAfter(response: Response): Promise<string> {
    const version = metadataIn(await response.clone().text(), "resourceVersion");
    if (version) return version;
    const list = await this.#admin.fetch("/api/v1/namespaces?limit=1");
    return metadataIn(await list.text(), "resourceVersion") ?? "";
  }

  async #changeByAnother(path: string): Promise<void> {
    const object = path.split("?")[0]!.replace(/\/(status|scale)$/, "");
    const body = JSON.stringify({ metadata: { annotations: { [FOREIGN_ANNOTATION]: "true" } } });
    const headers = { "content-type": "application/merge-patch+json" };
    await (await this.#admin.fetch(object, { method: "PATCH", headers, body })).body?.cancel();
  }

  async #die(process: ProxiedProcess, signal: AbortSignal | undefined): Promise<never> {
    this.#kill(process);
    return await never(signal);
  }

  /** As SIGKILL and a kubelet. */
  #kill(process: ProxiedProcess): void {
    if (!process.isAlive || process !== this.#process) return;
    process.isAlive = false;
    const operator = this.#operator, end = operator?.abandon();
    void end?.().catch(() => {});
    void this.#later(RESTART_MS, async () => await operator?.revive().catch(() => {}));
  }

  async #later(delayMs: number, act: () => Promise<void>): Promise<void> {
    this.#pending++;
    try {
      await sleep(this.#options.clock, delayMs);
      await act();
    } finally {
      this.#changedMs = this.#options.clock.elapsed();
      this.#pending--;
    }
  }

  /** A watch's events, each with its fate. */
  #watched(
    body: ReadableStream<Uint8Array>,
    process: ProxiedProcess,
    path: string,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    const lines = new LineReader(body), hidden = new Map<string, string>(), relist = Promise.withResolvers<"relist">();
    const deliver = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): Promise<void> => {
      const line = await Promise.race([lines.next(), relist.promise]);
      if (!process.isAlive) return void await lines.cancel(); // and nothing more reaches it
      if (line === undefined) return controller.close();
      const end = async () => {
        controller.close();
        await lines.cancel();
      };
      if (line === "relist") {
        controller.enqueue(EXPIRED);
        return await end();
      }
      const heldMs = process.staleUntilMs - this.#options.clock.elapsed();
      if (heldMs > 0) await sleep(this.#options.clock, heldMs);
      const event = eventOf(line), fate = event ? this.#fateOfEvent(path, event) : DELIVER;
      if (event && isUnknown(event.type, hidden.get(event.key))) {
        controller.enqueue(EXPIRED);
        return await end();
      }
      if (event) hidden.delete(event.key);
      if (event && fate.kind === "hide") {
        hidden.set(event.key, event.type);
        void this.#later(HIDDEN_MS, () => {
          if (hidden.has(event.key)) relist.resolve("relist");
          return Promise.resolve();
        });
        return await deliver(controller);
      }
      if (fate.kind === "delay") await this.#later(fate.byMs, () => Promise.resolve());
      if (!process.isAlive) return void await lines.cancel();
      for (let times = fate.kind === "repeat" ? 2 : 1; times > 0; times--) controller.enqueue(encoded(`${line}\n`));
      if (fate.kind === "expire") controller.enqueue(EXPIRED);
      if (fate.kind === "cut" || fate.kind === "expire") await end();
    };
    return new ReadableStream({ pull: deliver, cancel: () => lines.cancel() }, { highWaterMark: 0 });
  }

  #fateOfEvent(path: string, { type, key }: WatchedEvent): EventFate {
    const moment = this.#next(eventName(path.split("?")[0]!, type, key));
    for (const fault of this.#options.faults) {
      if (fault.at !== "event" || !isAt(fault.moment, moment)) continue;
      this.#reached.add(fault);
      this.#hasStruck = true;
      if (this.#options.injects) return fault.fate;
    }
    return DELIVER;
  }
}

interface WatchedEvent {
  readonly type: string;
  readonly key: string;
}

const DELIVER: EventFate = { kind: "deliver" };
const EXPIRED = encoded(
  `${JSON.stringify({ type: "ERROR", object: { kind: "Status", apiVersion: "v1", reason: "Expired", code: 410 } })}\n`,
);

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Settles only if the signal aborts. */
function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function targetOf(path: string, { method = "GET" }: TransportRequest): ResourceRequestInfo | undefined {
  const info = requestInfo(method, path);
  return info.kind === "resource" ? info : undefined;
}

function pathAt(path: string, version: string): string {
  const [base, query] = path.split("?"), parameters = new URLSearchParams(query);
  parameters.delete("continue");
  parameters.delete("limit");
  parameters.set("resourceVersion", version);
  parameters.set("resourceVersionMatch", "Exact");
  return `${base}?${parameters}`;
}

function metadataIn(text: string, field: "name" | "resourceVersion"): string | undefined {
  const object = parseJson(text), metadata = isObject(object) ? object.metadata : undefined;
  const value = isObject(metadata) ? metadata[field] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Undefined for bookmarks and errors, which are no changes of objects. */
function eventOf(line: string): WatchedEvent | undefined {
  const { type, object } = JSON.parse(line) as { type: string; object: { metadata?: Record<string, string> } };
  if (type === "BOOKMARK" || type === "ERROR") return undefined;
  const { namespace = "", name = "" } = object.metadata ?? {};
  return { type, key: `${namespace}/${name}` };
}

/** The lines of a body, wherever its chunks are cut. */
class LineReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  readonly #lines: string[] = [];
  #rest = "";
  #next: Promise<string | undefined> | undefined;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** The same until it resolves; undefined at the end. */
  next(): Promise<string | undefined> {
    return this.#next ??= this.#read().finally(() => this.#next = undefined);
  }

  async #read(): Promise<string | undefined> {
    while (this.#lines.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      const lines = (this.#rest + this.#decoder.decode(value, { stream: true })).split("\n");
      this.#rest = lines.pop()!;
      this.#lines.push(...lines.filter((line) => line !== ""));
    }
    return this.#lines.shift();
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}
