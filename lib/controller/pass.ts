import { durationMs, isObject, jsonEqual, type Logger } from "../base/mod.ts";
import { keyOf, type KubeObject } from "../apimachinery/mod.ts";
import {
  type HandlerFailure,
  handlerNowMs,
  type HotLoopOptions,
  type Outcome,
  outcomeOf,
  outcomeOfError,
  runWithTimeout,
} from "../handling/mod.ts";
import type { ChangeHandlers } from "./change_handlers.ts";
import { type ChildKinds, ChildRegistry, Children } from "./children.ts";
import { Commit, type Written } from "./commit.ts";
import { setEngineConditions } from "./conditions.ts";
import { type CachedReader, objectContext, type ObjectContextHost, type ReconcileContext } from "./context.ts";
import type { Client, WriteRecord } from "../client/mod.ts";
import type { PassDecision } from "./decide.ts";
import {
  type ControllerDeclaration,
  type HandlerOptions,
  handles,
  type ReconcileHandler,
  type TimerDeclaration,
} from "./declaration.ts";
import type { EventPoster, EventSink } from "./events.ts";
import { addFinalizer, annotated, removeFinalizers } from "./finalizer.ts";
import type { PassRecord } from "./journal.ts";
import { failureOf, hotTargets, targetOf, targetsOf } from "./key_state.ts";
import { ownFields, sameInput, statusOf } from "./managed_fields.ts";
import { recordedReader } from "./recorded_client.ts";
import { type HandlersReport, logFailure, type PassReport, type TickReport, type Version } from "./report.ts";
import { holdsText, StatusDraft } from "./status_draft.ts";
import type { ServedStatus, StatusShape } from "./status_shape.ts";
import type { DynamicWatches, PassWatches } from "./watches.ts";

export interface PassHost<T extends KubeObject, Spec, Status extends object> extends ObjectContextHost {
  readonly declaration: ControllerDeclaration<T, Spec, Status>;
  readonly kinds: ChildKinds;
  readonly events: EventSink;
  readonly watches: DynamicWatches;
  readonly fieldManager: string;
  readonly finalizer: string;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  readonly timeoutMs: number;
  readonly hotLoop: HotLoopOptions;
  pauseMs(failures: number): number;
  /** Absent if the kind has no change handlers. */
  readonly changes?: ChangeHandlers<T, Spec, Status>;
  reconciles(object: T): boolean;
  /** Absent if the operator defines the kind. */
  readonly servedStatus?: ServedStatus;
}

interface PassPlan<T extends KubeObject, Spec, Status extends object> {
  readonly key: string;
  readonly object: T;
  readonly decision: PassDecision<TimerDeclaration<T, Spec, Status>>;
  /** Rewinds of the server's history when the object was read. */
  readonly rollbacks: number;
  /** Status edits of daemons: taken when the status is drafted. */
  reports(): readonly ((status: StatusDraft<Status>) => void)[];
  /** Failures of daemons. */
  handlerFailures(): readonly HandlerFailure[];
  memo<M>(create: () => M): M;
}

interface PassParts<T extends KubeObject, Spec, Status extends object> {
  readonly object: T;
  readonly spec: Spec;
  readonly draft: StatusDraft<Status>;
  readonly events: EventPoster;
  readonly children: ChildRegistry;
}

/** Filled as handlers run, so results survive whatever is thrown later. */
type Collected = { -readonly [Part in keyof HandlersReport]: HandlersReport[Part] } & {
  ticks: TickReport[];
  startTimes: Record<string, { startedMs: number; beganMs: number }>;
};

/**
 * Carries out one decision: finalizer, handlers, at most one status write and one record, Events. Always returns a
 * report with all results; changes neither the queue nor the key's state.
 */
export class Pass<T extends KubeObject, Spec, Status extends object> {
  readonly #host: PassHost<T, Spec, Status>;
  readonly #plan: PassPlan<T, Spec, Status>;
  readonly #client: Client;
  /** Filled by `#client`, oldest first. */
  readonly #writes: readonly WriteRecord[];
  readonly #record: PassRecord | undefined;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #handlers: Collected;
  #targets: ReadonlySet<string> = new Set();
  #shape: StatusShape | undefined;

  constructor(
    host: PassHost<T, Spec, Status>,
    plan: PassPlan<T, Spec, Status>,
    { client, writes, record, log, signal }: {
      readonly client: Client;
      readonly writes: readonly WriteRecord[];
      /** Collects what handlers read from memory. */
      readonly record?: PassRecord;
      readonly log: Logger;
      readonly signal: AbortSignal;
    },
  ) {
    this.#host = host;
    this.#plan = plan;
    this.#client = client;
    this.#writes = writes;
    this.#record = record;
    this.#log = log;
    this.#signal = signal;
    this.#handlers = { ticks: [], startTimes: { ...plan.decision.state.startTimes } };
  }

  /** Never rejects. */
  async run(): Promise<PassReport<T>> {
    try {
      return await this.#run();
    } catch (error) {
      return this.#report(this.#signal.aborted ? { kind: "aborted" } : { kind: "threw", error });
    }
  }

  async #run(): Promise<PassReport<T>> {
    const { decision: { cause, state } } = this.#plan;
    const object = await this.#finalized();
    if (!object) return this.#report({ kind: "gone" });
    const { servedStatus } = this.#host;
    if (servedStatus) this.#shape = await servedStatus.shape(this.#client, this.#log);
    const draft = this.#draft(object), events = this.#host.events.poster(object), before = this.#writes.length;
    if (state.unsaved?.status) draft.restore(state.unsaved.status);
    await this.#runHandlers(object, draft, events.poster);
    this.#targets = targetsOf(this.#host.declaration.kind, object, this.#writes.slice(before));
    // The stop cut the handlers short: their results are dropped, the next run of the operator begins again.
    this.#signal.throwIfAborted();
    await events.flush(this.#signal);
    if (cause.kind === "delete" && (this.#handlers.changes?.finished ?? true)) return await this.#release(object);
    const { changes } = this.#handlers;
    if (changes?.edit.status) draft.record(changes.edit.status as Partial<Status>);
    for (const report of this.#plan.reports()) report(draft);
    return await this.#write(object, draft);
  }

  #report(end: EndOf<T>): PassReport<T> {
    return { ...end, handlers: this.#handlers, targets: this.#targets };
  }

  /** The object with its finalizer added or removed; undefined if it is gone or being deleted. */
  #finalized(): Promise<T | undefined> | T {
    const { decision: { cause }, object } = this.#plan;
    const { declaration: { kind }, finalizer, legacyFinalizers } = this.#host;
    if (cause.kind === "delete" || cause.finalizer === "keep") return object;
    if (cause.finalizer === "add") return addFinalizer(this.#client, kind, object, { finalizer, legacyFinalizers });
    return removeFinalizers(this.#client, kind, object, [finalizer, ...legacyFinalizers]);
  }

  /** The handlers are done: if this fails, only the removal is retried. */
  async #release(object: T): Promise<PassReport<T>> {
    const { declaration: { kind }, finalizer, legacyFinalizers } = this.#host;
    try {
      await removeFinalizers(this.#client, kind, object, [finalizer, ...legacyFinalizers]);
      return this.#report({ kind: "gone" });
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return this.#report({ kind: "refused", error, unsaved: {} });
    }
  }

  async #runHandlers(object: T, draft: StatusDraft<Status>, events: EventPoster): Promise<void> {
    const { declaration, watches, clock } = this.#host, { decision } = this.#plan, handlers = this.#handlers;
    const spec = this.#spec(object);
    if (spec === undefined) return;
    const parts = { object, spec: spec.value, draft, events, children: new ChildRegistry() };
    if (decision.cause.kind === "delete") {
      await this.#runChanges(parts);
      handlers.seen = this.#seen(object);
      return;
    }
    for (const timer of decision.timers) {
      const startMs = clock.elapsed(), outcome = await this.#invoke(timer.id, timer, parts);
      handlers.ticks.push({ id: timer.id, outcome, startMs, endMs: clock.elapsed() });
    }
    if (decision.changes) await this.#runChanges(parts);
    if (decision.reconcile && declaration.reconcile) {
      const dependent = watches.begin(this.#plan.key);
      handlers.reconcile = await this.#invoke("reconcile", declaration.reconcile, parts, dependent);
      if (handlers.reconcile.kind === "done") dependent.end();
    }
    handlers.seen = this.#seen(object);
    const ready = draft.edits.conditions.find(({ type }) => type === "Ready");
    const ran = handlers.reconcile !== undefined || (!this.#reconcile(object) && handlers.changes?.acted);
    if (ready && draft.hasSet("Ready") && (ran || handlers.changes?.acted)) {
      handlers.ready = { status: ready.status, reason: ready.reason, message: ready.message };
    } else if (ran) handlers.ready = null;
  }

  /** Undefined if the spec cannot be read; the report has the error. */
  #spec(object: T): { readonly value: Spec } | undefined {
    const { decision: { cause } } = this.#plan;
    try {
      return { value: this.#host.declaration.kind.parseSpec(object) };
    } catch (error) {
      // An unreadable object can still be deleted: its finalizer must go, whatever its spec.
      if (cause.kind === "delete") return { value: (object as { spec?: Spec }).spec ?? {} as Spec };
      const outcome = this.#handlers.unreadable = outcomeOfError(error);
      this.#handlers.seen = object.metadata?.generation;
      this.#failed("spec", outcome);
      return undefined;
    }
  }

  /** The generation that the handlers have seen or do not match. */
  #seen(object: T): number | undefined {
    const { declaration } = this.#host,
      { reconcile, changes } = this.#handlers,
      generation = object.metadata?.generation;
    const { decision: { cause, state: { seen: former } } } = this.#plan;
    // A deletion is a generation of its own, which `reconcile` is not called for.
    const byReconcile = cause.kind === "delete" || !this.#reconcile(object) || reconcile !== undefined ||
      former === generation;
    const byChanges = declaration.changes.length === 0 ||
      (changes ? changes.finished || changes.acted : former === generation);
    return byReconcile && byChanges ? generation : former;
  }

  async #runChanges(parts: PassParts<T, Spec, Status>): Promise<void> {
    const { changes, clock, timeoutMs, pauseMs } = this.#host, { decision: { cause, state } } = this.#plan;
    if (!changes) return;
    const { resume, unsaved } = state, deleting = cause.kind === "delete";
    const cleaned = state.phase === "deleting" && state.cleaned;
    this.#handlers.changes = await changes.run(parts.object, { deleting, cleaned, resume, unsaved: unsaved?.state }, {
      attemptMsMax: timeoutMs,
      pauseMs,
      mask: this.#client.mask,
      nowMs: (id, progress) => handlerNowMs(this.#handlers.startTimes, clock, id, progress),
      attempt: async (handler, facts, msMax) => {
        await runWithTimeout(clock, msMax, this.#signal, (signal) => {
          return this.#call({ handler: "changes", signal }, parts, (context) => handler({ ...context, ...facts }));
        });
      },
      failed: (handler, error, { retries, reason }, retryInMs) => {
        if (!this.#signal.aborted) logFailure(this.#log, { handler, error, reason, attempt: retries, retryInMs });
      },
    });
  }

  async #invoke(
    id: string,
    declared: { readonly handler: ReconcileHandler<T, Spec, Status> } & HandlerOptions,
    parts: PassParts<T, Spec, Status>,
    watches?: PassWatches,
  ): Promise<Outcome> {
    const timeoutMs = declared.timeout === undefined ? this.#host.timeoutMs : durationMs(declared.timeout);
    try {
      const result = await runWithTimeout(this.#host.clock, timeoutMs, this.#signal, (signal) => {
        return this.#call({ handler: id, signal, watches }, parts, (context) => declared.handler(context));
      });
      return outcomeOf(result, id);
    } catch (error) {
      const outcome = outcomeOfError(error);
      this.#failed(id, outcome);
      return outcome;
    }
  }

  #failed(handler: string, outcome: Exclude<Outcome, { kind: "done" }>): void {
    const { error, reason } = outcome, retryInMs = outcome.kind === "retry" ? outcome.delayMs ?? "backoff" : undefined;
    if (!this.#signal.aborted) logFailure(this.#log, { handler, error, reason, retryInMs });
  }

  async #call<R>(
    { handler, signal, watches }: {
      readonly handler: string;
      readonly signal: AbortSignal;
      readonly watches?: PassWatches;
    },
    { object, spec, draft, events, children: registry }: PassParts<T, Spec, Status>,
    call: (context: ReconcileContext<T, Spec, Status>) => R | Promise<R>,
  ): Promise<R> {
    const client = this.#client.with({ signal });
    const memo = <M>(create: () => M) => this.#plan.memo(create);
    const children = new Children(object, client, { ...this.#host, registry, handler, memo, log: this.#log });
    const context = objectContext(this.#host, { object, client, events, log: this.#log, signal, memo });
    const result = await call({
      ...context,
      ...(this.#record && { cached: this.#recordedCache(this.#record) }),
      spec,
      reasons: this.#plan.decision.words,
      dryRun: client.dryRun,
      status: draft,
      apply: (kind, child, options) => children.apply(kind, child, options),
      applyManifest: (manifest, options) => children.applyManifest(manifest, options),
      prune: () => children.prune(),
      watch: async (resource, key) => {
        signal.throwIfAborted(); // a handler that outlived its pass must not open a watch that is closed by nothing
        if (watches) return await watches.one(client, resource, key);
        return await client.find<KubeObject>(resource, key, { metadataOnly: true });
      },
      watchAll: async (resource, selection) => {
        signal.throwIfAborted();
        if (watches) return await watches.all(client, resource, selection);
        return (await client.list<KubeObject>(resource, { ...selection, metadataOnly: true })).items;
      },
    });
    await children.settle();
    return result;
  }

  #recordedCache(record: PassRecord): ReconcileContext<T, Spec, Status>["cached"] {
    return (resource) =>
      recordedReader(record, resource, this.#host.cached(resource)) as unknown as CachedReader<never>;
  }

  #draft(object: T): StatusDraft<Status> {
    const own = ownFields(object, this.#host.fieldManager, "status")?.["f:status"];
    const { status } = object as { status?: Partial<Status> };
    // Text of the object's own metadata or spec, such as its name, is no secret in its status.
    const isPublic = (text: string) => holdsText([object.metadata, (object as { spec?: unknown }).spec], text);
    const options = { ownFields: isObject(own) ? own : {}, mask: this.#client.mask, isPublic, shape: this.#shape },
      nowMs = this.#host.clock.now();
    return new StatusDraft(status, object.metadata?.generation, nowMs, options);
  }

  async #write(object: T, draft: StatusDraft<Status>): Promise<PassReport<T>> {
    const { declaration: { kind } } = this.#host, { changes } = this.#handlers;
    const status = draft.edits,
      handlerFailures = this.#handlerFailures(),
      deleting = this.#plan.decision.cause.kind === "delete";
    const commit = new Commit({
      host: this.#host,
      client: this.#client,
      writes: this.#writes,
      log: this.#log,
      signal: this.#signal,
      deleting,
      draft: (object) => this.#draft(object),
    });
    const facts = this.#facts(object, handlerFailures);
    if (kind.hasStatus && this.#concerns(object)) setEngineConditions(draft, facts);
    // Status first, then the record of success: a crash in between calls the handlers again and loses no status.
    let written: Written<T> | undefined = { object, foreign: false };
    try {
      if (kind.hasStatus && draft.changed) written = await commit.status(object, draft);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      this.#host.servedStatus?.forget();
      const isOwn = (before: T, after: T, status: unknown) => this.#isOwn(before, after, status);
      const again = this.#plan.decision.state.unsaved !== undefined;
      const { unsaved, after } = await commit.keepSuccess(object, error, {
        status,
        ran: facts.ran,
        changes,
        again,
        isOwn,
      });
      return this.#report({ kind: "refused", error, unsaved, echo: after && this.#ownWriteVersion(object, after) });
    }
    if (!written) return this.#report({ kind: "gone" });
    const own = !written.foreign && (written.object === object || this.#isOwn(object, written.object, draft.current));
    let kept: Written<T> | undefined = written;
    try {
      if (changes?.edit.annotations) kept = await commit.record(written.object, changes);
    } catch (error) {
      if (this.#signal.aborted) throw error;
      const echo = own ? this.#ownWriteVersion(object, written.object) : undefined;
      return this.#report({ kind: "refused", error, unsaved: { state: changes!.state }, echo });
    }
    if (!kept) return this.#report({ kind: "gone" });
    const recorded = kept === written || !kept.foreign &&
        this.#isOwn(annotated(written.object, changes!.edit.annotations!), kept.object, statusOf(written.object));
    return this.#report({
      kind: "written",
      object: kept.object,
      echo: own && recorded ? this.#ownWriteVersion(object, kept.object) : undefined,
      handlerFailures,
    });
  }

  /** Whether the answer to our write shows no other writer's change. */
  #isOwn(before: T, after: T, status: unknown): boolean {
    return !this.#writesItself(before) && sameInput(before, after) && jsonEqual(statusOf(after), status);
  }

  /** The version after this pass, if handlers have dealt with all of it. */
  #ownWriteVersion(object: T, after: T): Version | undefined {
    const { decision: { fresh, reconcile, state: { handled } }, rollbacks } = this.#plan;
    const version = after.metadata?.resourceVersion;
    const before = handled?.rollbacks === rollbacks && handled.version === object.metadata?.resourceVersion;
    return version !== undefined && (fresh || reconcile || before) ? { version, rollbacks } : undefined;
  }

  /** Whether handlers wrote to the object: another writer's change may precede theirs. */
  #writesItself(object: T): boolean {
    const { declaration: { kind } } = this.#host;
    return this.#targets.has(targetOf(kind, keyOf(object), object.metadata?.generation));
  }

  /** All current failures: of this pass, and earlier ones of handlers that did not run. */
  #handlerFailures(): readonly HandlerFailure[] {
    const { decision: { state } } = this.#plan, { unreadable, changes, reconcile, ticks } = this.#handlers;
    if (unreadable) return [failureOf("spec", unreadable)!];
    const ticked = new Map(ticks.map(({ id, outcome }) => [id, failureOf(id, outcome)] as const));
    const timers = Object.entries(state.ticks).map(([id, { failure }]) => ticked.has(id) ? ticked.get(id) : failure);
    return [
      ...(changes ? changes.handlerFailures : state.changeFailures),
      reconcile ? failureOf("reconcile", reconcile) : state.reconcileFailure,
      ...timers,
      ...this.#plan.handlerFailures(),
    ].filter((failure) => failure !== undefined);
  }

  /** Undefined if its filter does not match the object. */
  #reconcile(object: T): ControllerDeclaration<T, Spec, Status>["reconcile"] {
    return this.#host.reconciles(object) ? this.#host.declaration.reconcile : undefined;
  }

  /** Whether the engine sets conditions: some handler matches the object. */
  #concerns(object: T): boolean {
    const { declaration } = this.#host, { changes, unreadable } = this.#handlers;
    const own = { ...declaration, reconcile: this.#reconcile(object) };
    if (unreadable !== undefined) return handles(own);
    return handles({ ...own, changes: [] }) || (changes?.concerned ?? false);
  }

  #facts(object: T, handlerFailures: readonly HandlerFailure[]): Parameters<typeof setEngineConditions>[1] {
    const { declaration, hotLoop } = this.#host, { decision: { state, fresh } } = this.#plan;
    const { changes, reconcile, unreadable, seen, ready } = this.#handlers;
    const finished = changes ? changes.finished : state.changesDueMs === undefined;
    const first = state.seen === undefined, attended = declaration.timers.length + declaration.daemons.length > 0;
    // With change handlers alone, an unreadable object does not count as handled.
    const settled = unreadable ? declaration.changes.length === 0 : finished;
    const alone = !this.#reconcile(object) && declaration.changes.length === 0;
    return {
      handlerFailures,
      generation: object.metadata?.generation,
      seen,
      settled: settled && seen === object.metadata?.generation,
      ran: reconcile !== undefined || (changes?.acted ?? false) || (alone && fresh) || (state.unsaved?.ran ?? false),
      ready: ready === undefined ? state.ready : ready ?? undefined,
      stale: state.hasFailed || (first && attended),
      hot: hotTargets(state, hotLoop),
    };
  }
}

type EndOf<T extends KubeObject> = PassReport<T> extends infer Report
  ? Report extends PassReport<T> ? Omit<Report, "handlers" | "targets"> : never
  : never;
