import { ScopeTracker } from "./scope_tracker.ts";
import { describeError, INLINE_MEMO, type Logger, Memo, stackOf } from "../base/mod.ts";
import {
  type AnyKind,
  type ApiResource,
  formatGroupResource,
  formatKey,
  keyOf,
  type KubeObject,
  type ObjectKey,
  parseKey,
} from "../apimachinery/mod.ts";
import type { WriteRecord } from "../client/mod.ts";
import type { StoreEvent } from "../cache/mod.ts";
import { matchesFilter } from "../handling/mod.ts";
import { backoffMs, InFlight, type WorkItem, WorkQueue } from "../queue/mod.ts";
import { ChangeHandlers } from "./change_handlers.ts";
import { typed } from "./children.ts";
import { DaemonSupervisor } from "./daemons.ts";
import { decide, type DecisionRules, type PassDecision } from "./decide.ts";
import { type ControllerDeclaration, type ControllerDeps, handles, type TimerDeclaration } from "./declaration.ts";
import type { PlannedPass } from "./dry_run.ts";
import { EventHandlers } from "./event_handlers.ts";
import { after, backsOff, changed, hotTargets, isKnown, type KeyState, nextDue, PENDING } from "./key_state.ts";
import type { JournalEntry } from "./journal.ts";
import { sameInput } from "./managed_fields.ts";
import { Pass, type PassHost } from "./pass.ts";
import { PassJournal } from "./pass_journal.ts";
import { ServedStatus } from "./status_shape.ts";
import { logEnd, outcomeOfPass, type PassSpan, resultOfPass, traced } from "./report.ts";
import { DeclaredWatches, DynamicWatches, type PendingWrite, unseen } from "./watches.ts";

/** Pause before a poll while the watch lags behind our own writes. */
const STALE_PAUSE_MS = 1_000;

interface Key {
  state: KeyState;
  readonly uid: string | undefined;
  readonly memo: Memo;
  /** Writes of the last pass that the stores may not show yet. */
  pending: readonly PendingWrite[];
}

/** What a controller knows of an object between passes. */
export interface PresentState {
  readonly phase: KeyState["phase"];
  /** When it is due without a change. */
  readonly next?: JournalEntry["next"];
  /** Objects that are written again and again without converging. */
  readonly hot: readonly string[];
}

/**
 * Reconciles every object of one kind: the shell around `decide` and `after`. It watches, queues keys, carries out
 * decisions and keeps each key's state, which may all be lost with the process.
 */
export class Controller<T extends KubeObject = KubeObject, Spec = unknown, Status extends object = object> {
  /** `plural.group`, as in logs and metrics. */
  readonly name: string;
  readonly kind: ApiResource;
  readonly workersMax: number;
  readonly queue: WorkQueue;
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #deps: ControllerDeps;
  readonly #keys = new Map<string, Key>();
  readonly #inline = new Set<string>();
  readonly #watches: DeclaredWatches<T, Spec, Status>;
  readonly #dynamic: DynamicWatches;
  readonly #host: PassHost<T, Spec, Status>;
  readonly #rules: DecisionRules<T, TimerDeclaration<T, Spec, Status>>;
  readonly #changes: ChangeHandlers<T, Spec, Status> | undefined;
  readonly #events: EventHandlers<T> | undefined;
  readonly #daemons: DaemonSupervisor<T, Spec, Status>;
  readonly #passes = new InFlight();
  readonly #journal: PassJournal | undefined;
  /** By key: reasons of items that wait for a delay of the queue. */
  readonly #postponed = new Map<string, ReadonlySet<string>>();
  /** Keys whose stores do not show their own writes yet; they occupy no worker. */
  readonly #lagging = new InFlight();
  readonly #scope: ScopeTracker<T>;

  constructor(declaration: ControllerDeclaration<T, Spec, Status>, deps: ControllerDeps) {
    this.name = formatGroupResource(declaration.kind);
    this.kind = declaration.kind;
    this.workersMax = declaration.workersMax ?? deps.options.workersMax;
    this.#declaration = declaration;
    this.#deps = deps;
    const { clock, random, options, observer, indexes, shared, events, fieldManager } = deps;
    this.#scope = new ScopeTracker(deps.scope);
    this.#journal = deps.journal && new PassJournal(deps.journal, this.kind, (...of) => this.#watches.stored(...of));
    this.queue = new WorkQueue({ clock, random, backoff: options.backoff, observer: observer?.queue });
    this.#watches = new DeclaredWatches(declaration, deps, {
      onPrimary: (event) => this.#onPrimary(event),
      onRelated: (key, reason, source) => {
        this.#journal?.trigger(key, reason, source);
        this.queue.add(key, this.#attributed(key, reason, source));
      },
      onRelist: () => this.#enqueueAll("relist"),
    });
    this.#dynamic = new DynamicWatches(deps.informers, (key, source) => {
      if (source) this.#journal?.trigger(key, "dependency", source);
      this.queue.add(key, "dependency");
    });
    this.#changes = declaration.changes.length > 0 ? new ChangeHandlers(declaration, deps.storage) : undefined;
    const kinds = {
      resolve: deps.resolveKind,
      informerOf: (resource: ApiResource) => this.#watches.owned(resource),
      owned: () => declaration.owns,
    };
    const own = { clock, kinds, events, fieldManager, indexes, shared, client: deps.client };
    const common = {
      ...own,
      cached: (resource: AnyKind) => this.#watches.reader(resource),
      pauseMs: (failures: number) => backoffMs(options.backoff, failures, random),
      logger: (key: string) => this.#logger(key),
      memo: <M>(object: T, create: () => M) => this.#key(formatKey(keyOf(object)), object).memo.of(create),
    };
    if (declaration.events.length > 0) {
      const host = { ...common, kind: declaration.kind, workersMax: options.workersMax };
      this.#events = new EventHandlers(declaration.events, host);
    }
    this.#daemons = new DaemonSupervisor(declaration, {
      ...common,
      latest: (key) => this.#watches.get(key),
      enqueue: (key, reason) => this.queue.add(key, reason, "due"),
    });
    const legacyFinalizers = handles(declaration) ? deps.legacyFinalizers : [];
    this.#rules = {
      kind: declaration.kind,
      timers: declaration.timers,
      hotLoop: options.hotLoop,
      finalizer: deps.finalizer,
      legacyFinalizers,
      needsFinalizer: (object) =>
        (this.#changes?.needsFinalizer(object) ?? false) || this.#daemons.needsFinalizer(object),
      reconciles: (object) => matchesFilter(declaration.reconcile ?? {}, object),
      wantsDeletion: (object) => this.#changes?.wantsDeletion(object) ?? false,
    };
    this.#host = {
      ...common,
      ...this.#rules,
      declaration,
      watches: this.#dynamic,
      timeoutMs: options.timeoutMs,
      changes: this.#changes,
      servedStatus: declaration.kind.servedStatus &&
        new ServedStatus(declaration.kind, declaration.kind.servedStatus.conditions, deps.clock),
    };
  }

  /** Resolves when every store is complete. */
  async start(): Promise<void> {
    await this.#watches.start();
  }

  /** Resolves after `stop` aborts and running passes are done; `abort` cuts those short. */
  async run(stop: AbortSignal, abort: AbortSignal): Promise<void> {
    const close = () => this.queue.close();
    if (stop.aborted) close();
    stop.addEventListener("abort", close, { once: true });
    this.#events?.begin(abort);
    this.#replay();
    try {
      await Promise.all(Array.from({ length: this.workersMax }, () => this.#work(abort)));
    } finally {
      await this.#lagging.end(() => true, AbortSignal.abort());
      await Promise.all([this.#events?.close(abort), this.#daemons.close(abort)]);
      stop.removeEventListener("abort", close);
      this.close();
    }
  }

  /**
   * What a reconcile of each object in scope that `only` selects would write now. Assumes a client that only sends dry
   * runs, and a controller that was started but does not run.
   */
  async *plan(only: (key: ObjectKey) => boolean, signal: AbortSignal): AsyncGenerator<PlannedPass> {
    const { planPass } = await import("./dry_run.ts"); // an operator that runs plans nothing
    for (const stored of [...this.#watches.objects()]) {
      const key = formatKey(keyOf(stored));
      if (this.#scope.excludes(key) || !only(keyOf(stored))) continue;
      try {
        const object = typed(stored, this.#declaration.kind), { client } = this.#deps;
        const planned = await planPass(this.#host, this.#rules, object, { client, log: this.#logger(key), signal });
        if (planned) yield planned;
      } finally {
        this.#dynamic.forget(key);
      }
    }
  }

  /** Whether no key is ready or in progress; delayed keys do not count. */
  get idle(): boolean {
    return this.queue.idle && (this.#events?.idle ?? true);
  }

  /** Checks every object again after a change of scope. */
  rescope(): void {
    this.#replay();
    this.#enqueueAll("resume");
  }

  /**
   * Ends all work for objects out of scope, daemons included; resolves when it has ended. `abort` cuts it short.
   * Nothing is written or remembered after that: another replica works on them.
   */
  async stopOutOfScope(abort: AbortSignal): Promise<void> {
    const gone = (key: string) => this.#scope.excludes(key);
    await Promise.all([
      this.#passes.end(gone, abort),
      this.#lagging.end(gone, AbortSignal.abort()),
      this.#events?.stopOutOfScope(gone, abort),
      this.#daemons.stopOutOfScope(gone, abort),
    ]);
    for (const key of [...this.#keys.keys()].filter(gone)) this.#forget(key);
  }

  /** What is known of an object now, for people; undefined if this process has not handled it. */
  present(key: ObjectKey): PresentState | undefined {
    const state = this.#keys.get(formatKey(key))?.state;
    return state && { phase: state.phase, next: this.#next(state), hot: hotTargets(state, this.#rules.hotLoop) };
  }

  close(): void {
    this.queue.close();
    this.#dynamic.clear();
    this.#watches.close();
  }

  /** Undefined unless the store holds exactly this object and it is handled here. */
  remembered(object: KubeObject): Pick<Memo, "of"> | undefined {
    const key = formatKey(keyOf(object)), stored = this.#watches.get(key);
    if (!stored || stored.metadata?.uid !== object.metadata?.uid || this.#scope.excludes(key)) return undefined;
    return this.#key(key, stored).memo;
  }

  /** After what is fresh: there may be thousands. */
  #enqueueAll(reason: string): void {
    for (const object of this.#watches.objects()) this.queue.add(formatKey(keyOf(object)), reason, "low");
  }

  #replay(): void {
    for (const object of this.#scope.newlyInScope(this.#watches.objects())) this.#events?.replay(object);
  }

  #onPrimary(event: StoreEvent<T>): void {
    const key = formatKey(keyOf(event.object)), known = this.#keys.get(key);
    if (this.#scope.admits(event.object)) this.#events?.onEvent(event);
    if (known && event.old && !sameInput(event.old, event.object)) {
      known.state = changed(known.state, this.#deps.clock.elapsed());
    }
    if (event.initial) this.queue.add(key, "resume", "low");
    else this.queue.add(key, "changed");
  }

  /** Names the source if this key writes it: the change may be part of a loop. */
  #attributed(key: string, reason: string, source: () => string): string {
    const state = this.#keys.get(key)?.state;
    if (!state || !isKnown(state) || (state.written.size === 0 && Object.keys(state.contested).length === 0)) {
      return reason;
    }
    const target = source();
    return state.written.has(target) || Object.hasOwn(state.contested, target) ? `${reason} ${target}` : reason;
  }

  async #work(abort: AbortSignal): Promise<void> {
    for (let taken = await this.queue.take(); taken; taken = await this.queue.take()) {
      const item = this.#withPostponed(taken), { key } = item, lagging = unseen(this.#keys.get(key)?.pending ?? []);
      if (lagging.length > 0) {
        void this.#lagging.run(key, abort, (signal) => this.#awaitWrites(item, lagging, signal));
        continue;
      }
      await this.#passes.run(key, abort, async (signal) => {
        try {
          await this.#serve(item, signal);
        } catch (error) {
          this.#caught(item, error, signal);
        } finally {
          this.queue.done(key);
        }
      });
    }
  }

  /** With the reasons of earlier items that no pass has served. */
  #withPostponed(item: WorkItem): WorkItem {
    const postponed = this.#postponed.get(item.key);
    if (!postponed) return item;
    this.#postponed.delete(item.key);
    return { ...item, reasons: new Set([...postponed, ...item.reasons]) };
  }

  /** The queue drops a delay's reasons when the key comes earlier, as by the event of its own write. */
  #postpone({ key, reasons }: WorkItem, delayMs: number): void {
    this.#postponed.set(key, reasons);
    for (const reason of reasons) this.queue.addAfter(key, delayMs, reason);
  }

  /** Enqueues the key only when the stores show its last writes, except for a poll every few seconds. */
  async #awaitWrites(item: WorkItem, lagging: readonly PendingWrite[], signal: AbortSignal): Promise<void> {
    const { clock, observer, options: { ownWriteWaitMsMax } } = this.#deps, { key } = item;
    try {
      const untilMs = clock.elapsed() + ownWriteWaitMsMax;
      for (const { informer, version } of lagging) {
        await informer.waitFor(version, Math.max(0, untilMs - clock.elapsed()), signal);
      }
      if (unseen(lagging).length === 0) {
        for (const reason of item.reasons) this.queue.add(key, reason, item.priority);
        return;
      }
      observer?.stale?.();
      this.#logger(key).debug("a store does not show the writes of the last pass yet; the object waits");
      this.#postpone(item, STALE_PAUSE_MS);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.queue.done(key);
    }
  }

  /** A filter threw, or the engine has a bug: the key returns for the same reasons, with backoff. */
  #caught(item: WorkItem, error: unknown, abort: AbortSignal): void {
    if (abort.aborted) return;
    const { key } = item, delayMs = this.queue.retry(key, "retry");
    this.#postpone(item, delayMs);
    this.#logger(key).error("the next pass of an object could not be decided; trying again", {
      error: describeError(error),
      retryInMs: Math.round(delayMs),
      stack: stackOf(error),
    });
  }

  async #serve(item: WorkItem, signal: AbortSignal): Promise<void> {
    const { key } = item, { clock } = this.#deps;
    const stored = this.#watches.get(key), former = this.#keys.get(key);
    const object = stored && this.#scope.admits(stored) ? typed(stored, this.#declaration.kind) : undefined;
    if (former && (!object || former.uid !== object.metadata?.uid)) this.#forget(key);
    const state = this.#keys.get(key)?.state ?? PENDING, { rollbacks } = this.#watches;
    const reasons = this.#daemons.hasReports(key) ? new Set([...item.reasons, "report"]) : item.reasons;
    const decision = decide(this.#rules, { object, state, reasons, elapsedMs: clock.elapsed(), rollbacks });
    if (decision.kind === "leave") return;
    if (decision.kind === "forget" || !object) return this.#forget(key);
    const entry = this.#key(key, object), { cause } = decision;
    this.#keep(key, entry, decision.state);
    // Daemons start after the finalizer is added and end before cleanup; their end enqueues the key.
    if (cause.kind === "delete" || cause.finalizer !== "add") {
      const settled = this.#daemons.supervise(key, object, cause.kind === "delete");
      if (!settled && cause.kind === "delete") return;
    }
    if (decision.kind === "wait") return this.#schedule(key, entry);
    const tracing = { kind: this.#declaration.kind, ...this.#deps, logger: this.#logger(key) };
    await traced(
      { object, cause: cause.kind },
      tracing,
      (span, log) => this.#pass(key, entry, { object, decision, rollbacks, span, log, signal }),
    );
  }

  async #pass(
    key: string,
    entry: Key,
    { object, decision, rollbacks, span, log, signal }: {
      readonly object: T;
      readonly decision: PassDecision<TimerDeclaration<T, Spec, Status>>;
      readonly rollbacks: number;
      readonly span: PassSpan;
      readonly log: Logger;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const { clock, observer } = this.#deps, writes: WriteRecord[] = [];
    const startMs = clock.elapsed();
    const client = this.#deps.client.with({ signal, onWrite: (write) => writes.push(write) });
    const recorded = this.#journal?.begin(key, { object, decision, client, nowMs: clock.now() });
    observer?.passStarted?.();
    log.debug("pass starts", { cause: decision.cause.kind, reasons: [...decision.words] });
    const plan = {
      key,
      object,
      decision,
      rollbacks,
      reports: () => this.#daemons.takeReports(key),
      handlerFailures: () => this.#daemons.failuresOf(key),
      memo: <M>(create: () => M) => entry.memo.of(create),
    };
    const report = await new Pass(this.#host, plan, {
      client: recorded?.client ?? client,
      record: recorded?.record,
      writes,
      log,
      signal,
    }).run();
    entry.pending = this.#watches.pendingOf(writes);
    const { pauseMs } = this.#host, elapsedMs = clock.elapsed();
    const retryMs = backsOff(report) ? this.queue.retry(key, "retry") : 0;
    const version = object.metadata?.resourceVersion ?? "", moment = { elapsedMs, version, rollbacks, pauseMs };
    const next = after(this.#rules, decision, report, { ...moment, backoffMs: retryMs });
    if (report.kind === "written" && !backsOff(report) && !(isKnown(next) && next.reconcileFailure)) {
      this.queue.forget(key);
    }
    this.#keep(key, entry, next);
    this.#schedule(key, entry);
    logEnd(log, report, { retryInMs: retryMs, refusalBefore: decision.state.unsaved?.refusal });
    const outcome = outcomeOfPass(report), result = resultOfPass(outcome);
    span.ended(result, outcome.kind === "done" ? undefined : outcome.error);
    observer?.passEnded?.(result, elapsedMs - startMs, writes.length);
    const durationMs = elapsedMs - startMs, failures = this.queue.failures(key);
    recorded?.end({ report, durationMs, failures, next: this.#next(entry.state) });
    log.debug("pass ends", { result, writes: writes.length, ms: elapsedMs - startMs });
  }

  /** Also reports where a hot loop starts or ends. */
  #keep(key: string, entry: Key, state: KeyState): void {
    const { hotLoop } = this.#rules, before = hotTargets(entry.state, hotLoop), now = hotTargets(state, hotLoop);
    entry.state = state;
    if (before.length > 0 === now.length > 0) return;
    this.#deps.observer?.hot?.(key, now.length > 0);
    if (now.length === 0) return this.#logger(key).info("hot loop ended");
    this.#logger(key).warn("hot loop: an object is written again and again without converging; slowing down", {
      written: now.slice(0, 5),
    });
  }

  /** When a key is due without a change, as a person reads it. */
  #next(state: KeyState): JournalEntry["next"] {
    const due = nextDue(this.#rules, state), { clock } = this.#deps;
    return due && { atMs: clock.now() + Math.max(0, due.dueMs - clock.elapsed()), reason: due.reason };
  }

  /** One delayed entry per key, for the first due time. */
  #schedule(key: string, { state }: Key): void {
    const due = nextDue(this.#rules, state);
    if (due) this.queue.addAfter(key, Math.max(1, due.dueMs - this.#deps.clock.elapsed()), due.reason);
  }

  #key(key: string, object: T): Key {
    const known = this.#keys.get(key), uid = object.metadata?.uid;
    if (known && known.uid === uid) return known;
    const entry: Key = {
      state: PENDING,
      uid,
      memo: new Memo((source) => this.#warnOfInline(key, source)),
      pending: [],
    };
    // Objects that are gone are not kept.
    if (this.#watches.get(key)?.metadata?.uid === uid) this.#keys.set(key, entry);
    return entry;
  }

  /** Once for each function, not for each object. */
  #warnOfInline(key: string, source: string): void {
    if (this.#inline.has(source)) return;
    this.#inline.add(source);
    this.#logger(key).warn(INLINE_MEMO, { source });
  }

  #forget(key: string): void {
    this.#daemons.forget(key);
    const entry = this.#keys.get(key);
    if (entry) this.#keep(key, entry, PENDING);
    if (entry?.uid) {
      this.#deps.events.forget(entry.uid);
      this.#changes?.forget(entry.uid);
    }
    this.#keys.delete(key);
    this.#journal?.forget(key);
    this.#postponed.delete(key);
    this.queue.forget(key);
    this.#dynamic.forget(key);
  }

  #logger(key: string): Logger {
    const { namespace, name } = parseKey(key);
    return this.#deps.logger.with({ kind: this.#declaration.kind.kind, namespace, name });
  }
}
