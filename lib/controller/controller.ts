import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type Random, randomSuffix } from "../base/random.ts";
import { formatKey, keyOf, type KubeObject } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import type { Informer, StoreEvent } from "../cache/mod.ts";
import type { Client } from "../client/mod.ts";
import { detectCause } from "../handling/cause.ts";
import { afterRepeatedWrite, type HotLoopOptions, isHot } from "../handling/hot_loop.ts";
import type { Outcome } from "../handling/outcome.ts";
import { outcomeOfError } from "../handling/outcome.ts";
import type { BackoffOptions } from "../queue/backoff.ts";
import { type WorkItem, WorkQueue } from "../queue/work_queue.ts";
import { type ChildKinds, ownerKey, typed } from "./children.ts";
import { Cycle, type CycleHost, type CyclePlan, type CycleReport } from "./cycle.ts";
import { CycleClient, type WriteRecord } from "./cycle_client.ts";
import type { ControllerDeclaration, TimerDeclaration } from "./declaration.ts";
import { Dependencies } from "./dependencies.ts";
import type { EventRecorder } from "./event_recorder.ts";
import { KeyMemory, sameInput } from "./key_memory.ts";
import { KeySchedule, mayLoop } from "./key_schedule.ts";
import type { ControllerObserver, CycleResult, CycleSpan } from "./observer.ts";
import type { SharedInformers } from "./shared_informers.ts";
import { WatchSet } from "./watch_set.ts";

/** Bounds of a controller; all have defaults. */
export interface ControllerOptions {
  /** Cycles at the same time, each on another object. */
  readonly workersMax: number;
  /** Longest run of a handler that names no timeout of its own. */
  readonly timeoutMs: number;
  /** Pauses after failures of one object in a row. */
  readonly backoff: BackoffOptions;
  /** Longest wait for the store to show what the last cycle wrote. */
  readonly ownWriteWaitMsMax: number;
  /** When an object's cycles count as a loop, and how far they are slowed down. */
  readonly hotLoop: HotLoopOptions;
}

/** What holds unless somebody says otherwise. */
export const CONTROLLER_DEFAULTS: ControllerOptions = {
  workersMax: 16,
  timeoutMs: 300_000,
  backoff: { initialMs: 500, maxMs: 300_000 },
  ownWriteWaitMsMax: 5_000,
  hotLoop: { writesInARowMax: 10, windowMs: 10_000, pauseMsMax: 60_000 },
};

const UNTRACED: CycleSpan = { ended: () => {} };

/** What a controller is given. */
export interface ControllerDeps {
  /** Every request goes through it. */
  readonly client: Client;
  /** Watches, shared with the other controllers. */
  readonly informers: SharedInformers;
  /** The resource of a child's kind. */
  readonly resolveKind: ChildKinds["resolve"];
  /** Posts what handlers say about their objects. */
  readonly events: EventRecorder;
  /** Times everything: delays, timeouts, timers. */
  readonly clock: Clock;
  /** Scatters pauses and makes identifiers. */
  readonly random: Random;
  /** Lines about an object add its kind, namespace and name. */
  readonly logger: Logger;
  /** Metrics and spans. */
  readonly observer?: ControllerObserver;
  /** Field manager of status and children. */
  readonly fieldManager: string;
  /** What stores keep of the kind and of what it owns; the same function for every controller, so that they share stores. */
  readonly project: (object: KubeObject) => KubeObject;
  /** Set on objects whose kind has a delete handler: a qualified name, the operator's own. */
  readonly finalizer: string;
  /** Bounds; those of a handler or a declaration go before them. */
  readonly options: ControllerOptions;
}

/**
 * Reconciles every object of one kind: watches, queues keys, runs cycles, and remembers between cycles only what may be lost.
 */
export class Controller<T extends KubeObject = KubeObject, Spec = unknown, Status extends object = object> {
  /** `plural.group` of its kind: what logs and metrics call it. */
  readonly name: string;
  /** Keys of the objects to look at. */
  readonly queue: WorkQueue;
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #deps: ControllerDeps;
  readonly #memory = new Map<string, KeyMemory>();
  readonly #watches: WatchSet;
  readonly #dependencies: Dependencies;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #host: CycleHost<T, Spec, Status>;
  readonly #schedule: KeySchedule<TimerDeclaration<T, Spec, Status>>;
  #primary!: Informer<T>;

  /** Watches nothing and works on nothing before it is started. */
  constructor(declaration: ControllerDeclaration<T, Spec, Status>, deps: ControllerDeps) {
    this.name = formatGroupResource(declaration.kind);
    this.#declaration = declaration;
    this.#deps = deps;
    const { clock, random, options, observer } = deps;
    this.queue = new WorkQueue({ clock, random, backoff: options.backoff, observer: observer?.queue });
    this.#watches = new WatchSet(deps.informers);
    this.#dependencies = new Dependencies(deps.informers, (key) => this.queue.add(key, "dependency"));
    this.#schedule = new KeySchedule(declaration.timers, options.hotLoop);
    const kinds = { resolve: deps.resolveKind, informerOf: (resource: ApiResource) => this.#ownedInformer(resource) };
    this.#host = {
      declaration,
      clock,
      kinds,
      events: deps.events,
      dependencies: this.#dependencies,
      fieldManager: deps.fieldManager,
      finalizer: deps.finalizer,
      timeoutMs: options.timeoutMs,
      cached: (resource) => this.#watches.reader(resource),
    };
  }

  /** Starts the watches and resolves when every store is complete. */
  async start(): Promise<void> {
    const { kind, owns, watches } = this.#declaration;
    const { project } = this.#deps;
    this.#primary = this.#watches.add({ resource: kind, project }) as unknown as Informer<T>;
    this.#unsubscribe.push(this.#primary.onEvent((event) => this.#onPrimary(event)));
    for (const resource of owns) {
      this.#unsubscribe.push(this.#watches.add({ resource, project }).onEvent((event) => this.#onOwned(event)));
    }
    for (const { map, indexes = {}, ...spec } of watches) {
      const informer = this.#watches.add(spec);
      for (const [name, index] of Object.entries(indexes)) informer.store.addIndex(name, index);
      this.#unsubscribe.push(informer.onEvent((event) => this.#onWatched(map, event)));
    }
    await this.#watches.synced();
  }

  /** Works until `stop` aborts and the cycles under way are done; `abort` cuts those short. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const close = () => this.queue.close();
    if (stop.aborted) close();
    stop.addEventListener("abort", close, { once: true });
    const workers = this.#declaration.workersMax ?? this.#deps.options.workersMax;
    try {
      await Promise.all(Array.from({ length: workers }, () => this.#work(abort)));
    } finally {
      stop.removeEventListener("abort", close);
      this.close();
    }
  }

  /** Lets go of every watch. */
  close(): void {
    this.queue.close();
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#dependencies.clear();
    this.#watches.close();
  }

  #onPrimary(event: StoreEvent<T>): void {
    const key = formatKey(keyOf(event.object));
    const memory = this.#memory.get(key);
    if (memory && event.old && !sameInput(event.old, event.object)) memory.changedMs = this.#deps.clock.now();
    if (event.initial) this.queue.add(key, "resume", "low");
    else this.queue.add(key, "changed");
  }

  #onOwned(event: StoreEvent<KubeObject>): void {
    for (const object of event.old ? [event.object, event.old] : [event.object]) {
      const key = ownerKey(object, this.#declaration.kind);
      // While the primary's own initial load is under way, that load brings the key.
      if (key && !event.initial) this.queue.add(formatKey(key), "owned");
    }
  }

  #onWatched(map: ControllerDeclaration<T>["watches"][number]["map"], event: StoreEvent<KubeObject>): void {
    if (event.initial && !this.#primary.hasSynced) return;
    const change = {
      object: event.object,
      before: event.old,
      deleted: event.type === "deleted",
      primaries: this.#primary.store.values() as Iterable<T & KubeObject>,
    };
    for (const key of map(change as never)) this.queue.add(formatKey(key), "mapped");
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (let item = await this.queue.take(); item; item = await this.queue.take()) {
      try {
        await this.#serve(item, abort);
      } catch (error) {
        this.#caught(item.key, error, this.#logger(item.key), abort);
      } finally {
        this.queue.done(item.key);
      }
    }
  }

  /** A cycle's own writes failed, or this engine has a bug: either way the key comes back, slower and slower. */
  #caught(key: string, error: unknown, log: Logger, abort: AbortSignal): void {
    if (!abort.aborted) this.#retry(key, outcomeOfError(error), log);
    else log.info("cycle cut short by the stop; the next run takes it up");
  }

  async #serve(item: WorkItem, abort: AbortSignal): Promise<void> {
    const former = this.#memory.get(item.key);
    if (former) await this.#awaitOwnWrites(former, abort);
    const stored = this.#primary.store.get(item.key);
    if (!stored || (former && former.uid !== stored.metadata?.uid)) this.#forget(item.key);
    if (!stored) return;
    const memory = this.#memory.get(item.key) ?? new KeyMemory(stored, this.#deps.clock.now());
    this.#memory.set(item.key, memory);
    const object = typed(stored, this.#declaration.kind);
    const { finalizer, clock } = this.#deps, needsFinalizer = this.#declaration.delete !== undefined;
    const cause = detectCause(object, { finalizer, needsFinalizer });
    if (cause.kind === "gone") return this.#forget(item.key);
    memory.deleting = cause.kind === "delete";
    const news = new Set(item.reasons);
    if (memory.isHandled(stored)) news.delete("changed"); // our own echo
    const wasHot = isHot(memory.hot, this.#deps.options.hotLoop);
    const { reconcile, timers, reasons } = this.#schedule.due(news, memory, clock.now());
    if (wasHot && !memory.hot) this.#reportHot(item.key, false);
    if (!reconcile && timers.length === 0) return this.#reschedule(item.key, memory);
    const stalled = isHot(memory.hot, this.#deps.options.hotLoop);
    await this.#runCycle({ key: item.key, object, cause, reasons, reconcile, timers, stalled }, memory, abort);
  }

  #runCycle(plan: CyclePlan<T, Spec, Status>, memory: KeyMemory, abort: AbortSignal): Promise<void> {
    const { observer, random } = this.#deps, { kind } = this.#declaration.kind;
    const { namespace, name = "" } = plan.object.metadata ?? {};
    const reconcile = randomSuffix(random, 8);
    const attributes = {
      "k8s.object.kind": kind,
      ...(namespace ? { "k8s.namespace.name": namespace } : {}),
      "k8s.object.name": name,
      "reconcile.id": reconcile,
      "reconcile.cause": plan.cause.kind,
    };
    const span = observer?.span ?? ((_name, _attributes, work) => work(UNTRACED));
    return span(`reconcile ${kind}`, attributes, (active) => {
      const { traceId } = active;
      const log = this.#logger(plan.key).with(traceId ? { reconcile, trace_id: traceId } : { reconcile });
      return this.#runTraced(plan, memory, abort, active, log);
    });
  }

  async #runTraced(
    plan: CyclePlan<T, Spec, Status>,
    memory: KeyMemory,
    abort: AbortSignal,
    span: CycleSpan,
    log: Logger,
  ): Promise<void> {
    const { clock, observer, client } = this.#deps;
    const cycleClient = new CycleClient(client, abort);
    const startMs = clock.now();
    const wasHandled = memory.isHandled(plan.object);
    memory.handledVersion = undefined; // until this cycle is through
    observer?.cycleStarted?.();
    let result: CycleResult = "error", failure: unknown;
    try {
      log.debug("cycle starts", { cause: plan.cause.kind, reasons: [...plan.reasons] });
      const report = await new Cycle(this.#host, plan, cycleClient, log, abort).run();
      const dealtWith = report.undisturbed && (plan.reconcile || wasHandled);
      if (dealtWith) memory.handledVersion = report.object?.metadata?.resourceVersion;
      if (report.outcome.kind !== "done") failure = report.outcome.error;
      result = this.#settle(plan, report, memory, log);
    } catch (error) {
      failure = error;
      this.#caught(plan.key, error, log, abort);
    } finally {
      this.#watches.expect(cycleClient.writes, memory.pendingWrites);
      this.#guard(plan, memory, cycleClient.writes);
      span.ended(result, failure);
      observer?.cycleEnded?.(result, clock.now() - startMs, cycleClient.writes.length);
      log.debug("cycle ends", { result, writes: cycleClient.writes.length, ms: clock.now() - startMs });
    }
  }

  #settle(plan: CyclePlan<T, Spec, Status>, report: CycleReport<T>, memory: KeyMemory, log: Logger): CycleResult {
    const { outcome, object } = report, nowMs = this.#deps.clock.now();
    for (const [id, state] of report.ticks) memory.timers.set(id, state);
    if (outcome.kind === "retry") {
      this.#retry(plan.key, outcome, log);
      return "error";
    }
    if (plan.reconcile) {
      this.queue.forget(plan.key);
      const afterMs = outcome.kind === "done" ? outcome.requeueAfterMs : undefined;
      memory.reconcileDueMs = afterMs === undefined ? undefined : nowMs + afterMs;
    }
    if (outcome.kind === "failed") {
      log.warn("reconcile failed for good; waiting for the object to change", {
        reason: outcome.reason,
        error: outcome.message,
      });
    }
    if (object) this.#reschedule(plan.key, memory);
    if (outcome.kind === "failed") return "failed";
    return outcome.requeueAfterMs === undefined ? "success" : "requeue_after";
  }

  #retry(key: string, outcome: Outcome, log: Logger): void {
    const asked = outcome.kind === "retry" ? outcome.delayMs : undefined;
    if (asked !== undefined) this.queue.addAfter(key, asked, "retry");
    const delayMs = asked ?? this.queue.retry(key, "retry");
    const memory = this.#memory.get(key);
    if (memory) {
      memory.reconcileDueMs = this.#deps.clock.now() + delayMs;
      this.#reschedule(key, memory);
    }
    if (outcome.kind === "done") return;
    const stack = outcome.error instanceof Error && outcome.error.name.endsWith("TypeError")
      ? outcome.error.stack
      : undefined;
    log.warn("reconcile will be retried", {
      reason: outcome.reason,
      error: outcome.message,
      retryInMs: Math.round(delayMs),
    });
    if (stack) log.debug("stack of the failed reconcile", { stack });
  }

  /** One delayed entry per key, for whatever falls due first. */
  #reschedule(key: string, memory: KeyMemory): void {
    for (const { delayMs, reason } of this.#schedule.next(memory, this.#deps.clock.now())) {
      this.queue.addAfter(key, delayMs, reason);
    }
  }

  #guard(plan: CyclePlan<T, Spec, Status>, memory: KeyMemory, writes: readonly WriteRecord[]): void {
    const { clock, options: { hotLoop } } = this.#deps;
    // The echo of a status write is never handled, so it cannot drive a loop. A new generation is work, not a loop.
    const generation = plan.object.metadata?.generation;
    const targets = new Set(
      writes.filter(({ subresource }) => subresource !== "status")
        .map(({ resource, key }) => `${generation} ${formatGroupResource(resource)} ${formatKey(key)}`),
    );
    if (targets.size === 0) return;
    const again = [...targets].some((target) => memory.lastTargets.has(target));
    memory.lastTargets = targets;
    if (!again || !mayLoop(plan.reasons)) return;
    const before = isHot(memory.hot, hotLoop);
    memory.hot = afterRepeatedWrite(memory.hot, clock.now(), hotLoop);
    if (!before && isHot(memory.hot, hotLoop)) this.#reportHot(plan.key, true);
    this.#reschedule(plan.key, memory);
  }

  #reportHot(key: string, hot: boolean): void {
    this.#deps.observer?.hot?.(key, hot);
    const log = this.#logger(key);
    if (hot) log.warn("hot loop: reconciles write the same again and again without converging; slowing down");
    else log.info("hot loop ended");
  }

  async #awaitOwnWrites(memory: KeyMemory, abort: AbortSignal): Promise<void> {
    for (const [informer, version] of memory.pendingWrites) {
      await informer.waitFor(version, this.#deps.options.ownWriteWaitMsMax, abort);
    }
    memory.pendingWrites.clear();
  }

  #forget(key: string): void {
    const memory = this.#memory.get(key);
    if (memory?.uid) this.#deps.events.forget(memory.uid);
    if (memory && isHot(memory.hot, this.#deps.options.hotLoop)) this.#reportHot(key, false);
    this.#memory.delete(key);
    this.queue.forget(key);
    this.#dependencies.forget(key);
  }

  #ownedInformer(resource: ApiResource): Informer<KubeObject> | undefined {
    const owned = this.#declaration.owns.find((each) =>
      each.group === resource.group && each.plural === resource.plural
    );
    return owned && this.#watches.informerOf(owned);
  }

  #logger(key: string): Logger {
    const slash = key.indexOf("/");
    const namespace = slash < 0 ? undefined : key.slice(0, slash);
    return this.#deps.logger.with({ kind: this.#declaration.kind.kind, namespace, name: key.slice(slash + 1) });
  }
}
