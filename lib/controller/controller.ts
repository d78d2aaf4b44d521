import type { Logger } from "../base/log.ts";
import type { Memo } from "../base/memo.ts";
import { formatKey, keyOf, type KubeObject, type ObjectKey } from "../apimachinery/object.ts";
import { type ApiResource, formatGroupResource } from "../apimachinery/resource.ts";
import type { StoreEvent } from "../cache/mod.ts";
import { detectCause } from "../handling/cause.ts";
import { isHot } from "../handling/hot_loop.ts";
import { type Outcome, outcomeOfError } from "../handling/outcome.ts";
import { backoffMs } from "../queue/backoff.ts";
import { type WorkItem, WorkQueue } from "../queue/work_queue.ts";
import { Attendants } from "./attendants.ts";
import { ChangeHandling } from "./change_handling.ts";
import { typed } from "./children.ts";
import { Coverage } from "./coverage.ts";
import { Cycle, type CycleHost, type CyclePlan, type CycleReport } from "./cycle.ts";
import { CycleClient } from "./cycle_client.ts";
import { type ControllerDeclaration, handles, type TimerDeclaration } from "./declaration.ts";
import { Dependencies } from "./dependencies.ts";
import type { ControllerDeps } from "./controller_deps.ts";
import { KeyMemory, sameInput } from "./key_memory.ts";
import { HotLoopGuard } from "./hot_loop_guard.ts";
import { KeySchedule } from "./key_schedule.ts";
import { Inputs } from "./inputs.ts";
import type { CycleResult, CycleSpan } from "./observer.ts";
import type { PlannedCycle } from "./planned_cycle.ts";
import { tracedCycle } from "./traced_cycle.ts";
import { Underway } from "./underway.ts";

/** Before another look at an object whose watch lags behind our own writes. */
const UNREFLECTED_PAUSE_MS = 1_000;

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
  readonly #inputs: Inputs<T, Spec, Status>;
  readonly #dependencies: Dependencies;
  readonly #host: CycleHost<T, Spec, Status>;
  readonly #schedule: KeySchedule<T, TimerDeclaration<T, Spec, Status>>;
  readonly #changes: ChangeHandling<T, Spec, Status> | undefined;
  readonly #attendants: Attendants<T, Spec, Status>;
  readonly #guard: HotLoopGuard;
  readonly #cycles = new Underway();
  readonly #coverage: Coverage<T>;

  /** Watches nothing and works on nothing before it is started. */
  constructor(declaration: ControllerDeclaration<T, Spec, Status>, deps: ControllerDeps) {
    this.name = formatGroupResource(declaration.kind);
    this.#declaration = declaration;
    this.#deps = deps;
    const { clock, random, options, observer } = deps;
    this.#coverage = new Coverage(deps.scope);
    this.queue = new WorkQueue({ clock, random, backoff: options.backoff, observer: observer?.queue });
    this.#inputs = new Inputs(declaration, deps, {
      onPrimary: (event) => this.#onPrimary(event),
      onRelated: (key, reason) => this.queue.add(key, reason),
    });
    this.#dependencies = new Dependencies(deps.informers, (key) => this.queue.add(key, "dependency"));
    this.#schedule = new KeySchedule(declaration.timers, options.hotLoop);
    this.#guard = new HotLoopGuard(options.hotLoop, { clock, observer, logger: (key) => this.#logger(key) });
    if (declaration.changes.length > 0) {
      this.#changes = new ChangeHandling(declaration, deps.storage);
    }
    const kinds = {
      resolve: deps.resolveKind,
      informerOf: (resource: ApiResource) => this.#inputs.owned(resource),
      owned: () => declaration.owns,
    };
    const pauseMs = (failures: number) => backoffMs(options.backoff, failures, random);
    const shared = {
      clock,
      kinds,
      events: deps.events,
      fieldManager: deps.fieldManager,
      indexes: deps.indexes,
      shared: deps.shared,
      pauseMs,
    };
    const cached = (resource: ApiResource) => this.#inputs.reader(resource);
    this.#attendants = new Attendants(declaration, {
      ...shared,
      client: deps.client,
      workersMax: options.workersMax,
      cached,
      logger: (key) => this.#logger(key),
      latest: (key) => this.#inputs.get(key),
      memo: (object, create) => this.#remember(formatKey(keyOf(object)), object).memo(create),
      look: (key, reason) => this.queue.add(key, reason),
    });
    this.#host = {
      ...shared,
      declaration,
      dependencies: this.#dependencies,
      finalizer: deps.finalizer,
      takesOver: handles(declaration) ? deps.takesOver : [],
      timeoutMs: options.timeoutMs,
      changes: this.#changes,
      cached,
      holds: (object) => this.#changes?.holds(object) || this.#attendants.holds(object),
    };
  }

  /** Starts the watches and resolves when every store is complete. */
  async start(): Promise<void> {
    await this.#inputs.start();
  }

  /** Works until `stop` aborts and the cycles under way are done; `abort` cuts those short. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const close = () => this.queue.close();
    if (stop.aborted) close();
    stop.addEventListener("abort", close, { once: true });
    const workers = this.#declaration.workersMax ?? this.#deps.options.workersMax;
    this.#attendants.begin(abort);
    this.#attendants.greet(this.#coverage.gained(this.#inputs.objects()));
    try {
      await Promise.all(Array.from({ length: workers }, () => this.#work(abort)));
    } finally {
      await this.#attendants.close(abort);
      stop.removeEventListener("abort", close);
      this.close();
    }
  }

  /** Whose objects it reconciles. */
  get kind(): ApiResource {
    return this.#declaration.kind;
  }

  /**
   * What a reconcile of each object that is covered, and that `only` means, would write now. Assumes that the controller's client sends
   * dry runs only, and that it was started and is not run.
   */
  async *plan(only: (key: ObjectKey) => boolean, signal: AbortSignal): AsyncGenerator<PlannedCycle> {
    const { planCycle } = await import("./planned_cycle.ts"); // an operator that runs plans nothing
    for (const stored of [...this.#inputs.objects()]) {
      const object = typed(stored, this.#declaration.kind), key = formatKey(keyOf(stored));
      if (this.#coverage.excludes(key) || !only(keyOf(stored))) continue;
      try {
        const planned = await planCycle(this.#host, object, this.#deps.client, this.#logger(key), signal);
        if (planned) yield planned;
      } finally {
        this.#dependencies.forget(key);
      }
    }
  }

  /** Whether nothing waits to be looked at now; work for later does not count. */
  get idle(): boolean {
    return this.queue.idle && this.#attendants.idle;
  }

  /** Looks at every object again: what it covers has changed. */
  rescope(): void {
    this.#attendants.greet(this.#coverage.gained(this.#inputs.objects()));
    for (const object of this.#inputs.objects()) this.queue.add(formatKey(keyOf(object)), "resume", "low");
  }

  /**
   * Ends what is under way for objects that are no longer covered, daemons included, and resolves when it has ended; `abort` cuts it
   * short. None of it writes after that.
   */
  async release(abort: AbortSignal): Promise<void> {
    const gone = (key: string) => this.#coverage.excludes(key);
    await Promise.all([this.#cycles.end(gone, abort), this.#attendants.release(gone, abort)]);
  }

  /** Lets go of every watch. */
  close(): void {
    this.queue.close();
    this.#dependencies.clear();
    this.#inputs.close();
  }

  #onPrimary(event: StoreEvent<T>): void {
    const key = formatKey(keyOf(event.object));
    if (this.#coverage.admits(event.object)) this.#attendants.take(event);
    const memory = this.#memory.get(key);
    if (memory && event.old && !sameInput(event.old, event.object)) memory.changedMs = this.#deps.clock.now();
    if (event.initial) this.queue.add(key, "resume", "low");
    else this.queue.add(key, "changed");
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (let item = await this.queue.take(); item; item = await this.queue.take()) {
      await this.#cycles.run(item.key, abort, async (signal) => {
        try {
          await this.#serve(item, signal);
        } catch (error) {
          this.#caught(item.key, error, this.#logger(item.key), signal);
        } finally {
          this.queue.done(item.key);
        }
      });
    }
  }

  /** A cycle's own writes failed, or this engine has a bug: either way the key comes back, slower and slower. */
  #caught(key: string, error: unknown, log: Logger, abort: AbortSignal): void {
    if (!abort.aborted) this.#retry(key, outcomeOfError(error), log);
    else log.info("cycle cut short; whoever works on the object next takes it up");
  }

  async #serve(item: WorkItem, abort: AbortSignal): Promise<void> {
    const former = this.#memory.get(item.key);
    // What changed is told from what was written last: on an object as it was before that, an old change would be handled anew.
    const { options: { ownWriteWaitMsMax }, finalizer, clock } = this.#deps;
    const reflected = !former || await former.reflected(ownWriteWaitMsMax, this.#changes !== undefined, abort);
    if (!reflected && this.#changes) {
      for (const reason of item.reasons) this.queue.addAfter(item.key, UNREFLECTED_PAUSE_MS, reason);
      return;
    }
    const stored = this.#inputs.get(item.key);
    const ours = stored !== undefined && this.#coverage.admits(stored);
    if (!ours || (former && former.uid !== stored.metadata?.uid)) this.#forget(item.key);
    if (!ours) return;
    const memory = this.#remember(item.key, stored);
    const object = typed(stored, this.#declaration.kind);
    const { takesOver } = this.#host;
    const detected = detectCause(object, { finalizer, takesOver, needsFinalizer: this.#host.holds(object) });
    const attends = detected.kind === "gone" && !memory.letGo && this.#changes?.attends(object);
    const cause = attends ? { kind: "delete" } as const : detected;
    if (cause.kind === "gone") return memory.letGo ? undefined : this.#forget(item.key);
    memory.deleting = cause.kind === "delete";
    // Daemons start once the finalizer is there, and end before the object is cleaned up; their end brings the key back.
    if (cause.kind === "delete" || cause.finalizer !== "claim") {
      const settled = this.#attendants.tend(item.key, object, memory.deleting);
      if (!settled && cause.kind === "delete") return;
    }
    const news = new Set(item.reasons);
    if (memory.isHandled(stored)) news.delete("changed"); // our own echo
    const wasHot = isHot(memory.hot, this.#deps.options.hotLoop);
    const { reconcile, timers, reasons } = this.#schedule.due(news, memory, clock.now(), object);
    if (wasHot && !memory.hot) this.#guard.report(item.key, false);
    const reports = this.#attendants.reportsOf(item.key);
    if (!reconcile && timers.length === 0 && reports.length === 0) return this.#reschedule(item.key, memory);
    const stalled = isHot(memory.hot, this.#deps.options.hotLoop);
    const { givenUp, resumed, resuming } = memory, pass = { resumed, resuming, cleaned: memory.cleaned };
    const memo = <M>(create: () => M) => memory.memo(create);
    const trouble = this.#attendants.troubleOf(item.key);
    const plan = {
      key: item.key,
      object,
      cause,
      reasons,
      reconcile,
      timers,
      stalled,
      givenUp,
      trouble,
      reports,
      pass,
      memo,
    };
    const logger = this.#logger(item.key), { observer, random } = this.#deps, { kind } = this.#declaration;
    await tracedCycle(
      plan,
      { kind, observer, random, logger },
      (span, log) => this.#runCycle(plan, memory, abort, span, log),
    );
  }

  async #runCycle(
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
      this.#inputs.expect(cycleClient.writes, memory.pendingWrites);
      const { object: { metadata }, reasons, key } = plan;
      if (this.#guard.after(key, metadata?.generation, reasons, memory, cycleClient.writes)) {
        this.#reschedule(key, memory);
      }
      span.ended(result, failure);
      observer?.cycleEnded?.(result, clock.now() - startMs, cycleClient.writes.length);
      log.debug("cycle ends", { result, writes: cycleClient.writes.length, ms: clock.now() - startMs });
    }
  }

  #settle(plan: CyclePlan<T, Spec, Status>, report: CycleReport<T>, memory: KeyMemory, log: Logger): CycleResult {
    const { outcome, object } = report, nowMs = this.#deps.clock.now();
    for (const [id, state] of report.ticks) memory.timers.set(id, state);
    if (report.changes) memory.heed(report.changes);
    memory.letGo ||= plan.cause.kind === "delete" && report.object === undefined;
    if (outcome.kind === "retry") {
      this.#retry(plan.key, outcome, log);
      return outcome.waiting ? "requeue_after" : "error";
    }
    if (plan.reconcile) {
      this.queue.forget(plan.key);
      const afterMs = outcome.kind === "done" ? outcome.requeueAfterMs : undefined;
      memory.reconcileDueMs = afterMs === undefined ? undefined : nowMs + afterMs;
    }
    if (outcome.kind === "failed") {
      const goes = plan.cause.kind === "delete" && report.object === undefined;
      log.warn(
        goes ? "gave up on a handler; the object is let go" : "failed for good; waiting for the object to change",
        {
          reason: outcome.reason,
          error: outcome.message,
        },
      );
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
    if (outcome.kind === "done" || outcome.kind === "retry" && outcome.waiting) return;
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

  /** What handlers remember of an object of the store; undefined for one that is not there as it is, or not handled here. */
  remembered(object: KubeObject): Pick<Memo, "of"> | undefined {
    const key = formatKey(keyOf(object)), stored = this.#inputs.get(key);
    if (!stored || stored.metadata?.uid !== object.metadata?.uid || this.#coverage.excludes(key)) return undefined;
    const memory = this.#remember(key, stored);
    return { of: (create) => memory.memo(create) };
  }

  #remember(key: string, object: T): KeyMemory {
    const known = this.#memory.get(key);
    if (known?.uid === object.metadata?.uid) return known!;
    const memory = new KeyMemory(object, this.#deps.clock.now());
    // An object that is gone already is remembered by nobody.
    if (this.#inputs.get(key)?.metadata?.uid === memory.uid) this.#memory.set(key, memory);
    return memory;
  }

  #forget(key: string): void {
    this.#attendants.forget(key);
    const memory = this.#memory.get(key);
    if (memory?.uid) {
      this.#deps.events.forget(memory.uid);
      this.#changes?.forget(memory.uid);
    }
    if (memory && isHot(memory.hot, this.#deps.options.hotLoop)) this.#guard.report(key, false);
    this.#memory.delete(key);
    this.queue.forget(key);
    this.#dependencies.forget(key);
  }

  #logger(key: string): Logger {
    const slash = key.indexOf("/");
    const namespace = slash < 0 ? undefined : key.slice(0, slash);
    return this.#deps.logger.with({ kind: this.#declaration.kind.kind, namespace, name: key.slice(slash + 1) });
  }
}
