import { durationMs } from "../base/duration.ts";
import { describeError } from "../base/errors.ts";
import { isObject, jsonEqual } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { formatKey, keyOf, type KubeObject } from "../apimachinery/object.ts";
import { formatApiVersion } from "../apimachinery/resource.ts";
import { ConflictError, InvalidError, NotFoundError } from "../client/mod.ts";
import type { Cause } from "../handling/cause.ts";
import { runWithTimeout } from "../handling/execution.ts";
import { type Outcome, outcomeOf, outcomeOfError, worse } from "../handling/outcome.ts";
import { nextTick, type TimerState } from "../handling/timer_schedule.ts";
import type { ChangeHandling, ChangePass, ChangesHandled } from "./change_handling.ts";
import { type ChildKinds, Children } from "./children.ts";
import type { ReconcileContext } from "./context.ts";
import type { CycleClient } from "./cycle_client.ts";
import {
  type ControllerDeclaration,
  type HandlerOptions,
  handles,
  type ReconcileHandler,
  type TimerDeclaration,
} from "./declaration.ts";
import type { CycleWatches, Dependencies } from "./dependencies.ts";
import type { EventPoster, EventSink } from "./event_recorder.ts";
import { claim, release } from "./finalizer.ts";
import { annotate, annotated } from "./handled_state.ts";
import { sameInput } from "./key_memory.ts";
import { objectContext, type ObjectContextHost } from "./object_context.ts";
import { ownFields } from "./own_fields.ts";
import { holdsText, StatusDraft } from "./status_draft.ts";

/** Fresh looks at an object that others write to at the same time, before its status waits for the next cycle. */
const STATUS_ATTEMPTS_MAX = 4;

/** What a cycle needs of its controller. */
export interface CycleHost<T extends KubeObject, Spec, Status extends object> extends ObjectContextHost {
  readonly declaration: ControllerDeclaration<T, Spec, Status>;
  readonly kinds: ChildKinds;
  readonly events: EventSink;
  readonly dependencies: Dependencies;
  readonly fieldManager: string;
  readonly finalizer: string;
  /** Finalizers of operators that this one replaces. */
  readonly takesOver: readonly string[];
  readonly timeoutMs: number;
  /** The pause after so many failures of a change's handler. */
  pauseMs(failures: number): number;
  /** Absent where the kind has no handlers of changes. */
  readonly changes?: ChangeHandling<T, Spec, Status>;
  /** Whether something must happen before an object may go. */
  holds(object: T): boolean;
}

/** One pass over one object, as data. */
export interface CyclePlan<T extends KubeObject, Spec, Status extends object> {
  readonly key: string;
  readonly object: T;
  readonly cause: Exclude<Cause, { kind: "gone" }>;
  readonly reasons: ReadonlySet<string>;
  /** Whether the handlers of the object itself run; a timer tick alone does not ask for them. */
  readonly reconcile: boolean;
  readonly timers: readonly TimerDeclaration<T, Spec, Status>[];
  readonly stalled: boolean;
  /** Why the last change's handlers gave up, until the object changes again. */
  readonly givenUp?: { readonly reason: string; readonly message: string };
  /** Why a daemon of the object does not run as it should. */
  readonly trouble?: { readonly reason: string; readonly message: string };
  /** What daemons have to say in the status. */
  readonly reports: readonly ((status: StatusDraft<Status>) => void)[];
  /** What this process remembers of the object's changes. */
  readonly pass: ChangePass;
  /** See `ReconcileContext.memo`. */
  memo<M>(create: () => M): M;
}

/** How a cycle ended. */
export interface CycleReport<T extends KubeObject> {
  readonly outcome: Outcome;
  /** The object after the cycle's own writes; undefined once it was let go or turned out to be gone. */
  readonly object: T | undefined;
  /** Whether `object` holds nobody else's change that the handlers have not seen. */
  readonly undisturbed: boolean;
  /** Next ticks of the timers that ran. */
  readonly ticks: ReadonlyMap<string, TimerState>;
  /** What came of the object's changes, where the kind has handlers of them. */
  readonly changes?: ChangesHandled;
}

interface CycleParts<T extends KubeObject, Spec, Status extends object> {
  readonly object: T;
  readonly spec: Spec;
  readonly draft: StatusDraft<Status>;
  readonly events: EventPoster;
}

/**
 * Runs one cycle: finalizer, handlers, at most one status write, Events. Everything it learns is in its report; it touches
 * neither the queue nor the controller's memory.
 */
export class Cycle<T extends KubeObject, Spec, Status extends object> {
  readonly #host: CycleHost<T, Spec, Status>;
  readonly #plan: CyclePlan<T, Spec, Status>;
  readonly #client: CycleClient;
  readonly #log: Logger;
  readonly #signal: AbortSignal;

  constructor(
    host: CycleHost<T, Spec, Status>,
    plan: CyclePlan<T, Spec, Status>,
    client: CycleClient,
    log: Logger,
    signal: AbortSignal,
  ) {
    this.#host = host;
    this.#plan = plan;
    this.#client = client;
    this.#log = log;
    this.#signal = signal;
  }

  /** Runs the cycle. Errors of handlers become the report's outcome; errors of the cycle's own writes are thrown. */
  async run(): Promise<CycleReport<T>> {
    const { kind } = this.#host.declaration, ticks = new Map<string, TimerState>();
    const object = await this.#settleFinalizer();
    if (!object) return { outcome: { kind: "done" }, object: undefined, undisturbed: false, ticks };
    const draft = this.#draft(object);
    const events = this.#host.events.poster(object);
    const { outcome, changes } = await this.#handle(object, draft, events.poster, ticks);
    // What a handler did until the stop cut it short is its own affair; the next run of the operator begins anew.
    this.#signal.throwIfAborted();
    await events.flush(this.#signal);
    if (this.#plan.cause.kind === "delete" && (changes?.finished ?? outcome.kind === "done")) {
      try {
        await release(this.#client, kind, object, [this.#host.finalizer, ...this.#host.takesOver]);
      } catch (error) {
        // The handlers are done with it all the same: what is tried again is to let go.
        return { outcome: outcomeOfError(error), object, undisturbed: false, ticks, changes };
      }
      return { outcome, object: undefined, undisturbed: false, ticks, changes };
    }
    if (changes?.edit.status) draft.record(changes.edit.status as Partial<Status>);
    for (const report of this.#plan.reports) report(draft);
    this.#judge(draft, outcome, changes);
    // First what handlers say, then that they succeeded: a crash in between calls them again, and loses nothing that they said.
    const told = kind.hasStatus && draft.changed ? await this.#tell(object, draft, changes) : object;
    const kept = told && changes ? await this.#remember(told, changes) : told;
    if (!told || !kept) return { outcome, object: undefined, undisturbed: false, ticks, changes };
    const own = changes?.edit.annotations ? annotated(told, changes.edit.annotations) : told;
    const undisturbed = (told === object || sameInput(object, told) && jsonEqual(statusOf(told), draft.current)) &&
      (kept === told || sameInput(own, kept) && jsonEqual(statusOf(told), statusOf(kept)));
    return { outcome, object: kept, undisturbed, ticks, changes };
  }

  /** Writes the status; undefined where the object is gone. */
  async #tell(object: T, draft: StatusDraft<Status>, changes: ChangesHandled | undefined): Promise<T | undefined> {
    try {
      return await this.#commit(object, draft);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      // What the server refuses it will refuse again: handlers that succeeded are not called anew for that, and the object says why.
      if (changes) await this.#remember(object, changes);
      const plain = this.#draft(object);
      plain.condition("Ready", false, "StatusRefused", describeError(error));
      if (plain.changed) await this.#commit(object, plain);
      throw error;
    }
  }

  /** Writes what is to be remembered of the object's changes; undefined where it is gone. */
  async #remember(object: T, { edit, state }: ChangesHandled): Promise<T | undefined> {
    const { declaration: { kind }, changes } = this.#host;
    if (!edit.annotations) return object;
    try {
      return await annotate(this.#client, kind, object, edit.annotations);
    } catch (error) {
      if (!(error instanceof InvalidError)) throw error;
      this.#log.warn("the object has no room for what it was; only digests of it are remembered", {
        error: describeError(error),
      });
    }
    const slim = await changes!.slim(object, state);
    try {
      return slim.annotations ? await annotate(this.#client, kind, object, slim.annotations) : object;
    } catch (error) {
      // An object that is going must not be held up by our own books.
      if (this.#plan.cause.kind === "delete" && error instanceof InvalidError) return object;
      throw error;
    }
  }

  #draft(object: T): StatusDraft<Status> {
    const own = ownFields(object, this.#host.fieldManager, "status")?.["f:status"];
    const { status } = object as { status?: Partial<Status> };
    // What the object says of itself, as its name or its spec's host, is no secret in its status.
    const isPublic = (text: string) => holdsText([object.metadata, (object as { spec?: unknown }).spec], text);
    const masking = { mask: this.#client.mask, isPublic }, nowMs = this.#host.clock.now();
    return new StatusDraft(status, object.metadata?.generation, nowMs, isObject(own) ? own : {}, masking);
  }

  /** The object with its finalizer claimed or given up; undefined where it is gone, or on its way, meanwhile. */
  #settleFinalizer(): Promise<T | undefined> | T {
    const { cause, object } = this.#plan, { declaration: { kind }, finalizer, takesOver } = this.#host;
    if (cause.kind === "delete" || cause.finalizer === "keep") return object;
    if (cause.finalizer === "claim") return claim(this.#client, kind, object, finalizer, takesOver);
    return release(this.#client, kind, object, [finalizer, ...takesOver]);
  }

  async #handle(
    object: T,
    draft: StatusDraft<Status>,
    events: EventPoster,
    ticks: Map<string, TimerState>,
  ): Promise<{ outcome: Outcome; changes?: ChangesHandled }> {
    const { declaration, dependencies, clock } = this.#host, { cause } = this.#plan;
    let spec: Spec;
    try {
      spec = declaration.kind.parseSpec(object);
    } catch (error) {
      // An object that cannot be read can still go: its delete handler is not owed a readable spec, only its finalizer is.
      if (cause.kind !== "delete") return { outcome: outcomeOfError(error) };
      spec = (object as { spec?: Spec }).spec ?? {} as Spec;
    }
    const parts = { object, spec, draft, events };
    if (cause.kind === "delete") {
      const changes = await this.#change(parts);
      return { outcome: changes?.outcome ?? { kind: "done" }, changes };
    }
    let worst: Outcome = { kind: "done" };
    for (const timer of this.#plan.timers) {
      const startMs = clock.now();
      const outcome = await this.#invoke(timer, parts);
      ticks.set(timer.id, nextTick(timer, startMs, clock.now()));
      worst = worse(worst, outcome);
    }
    if (!this.#plan.reconcile) return { outcome: worst };
    const changes = await this.#change(parts);
    if (changes) worst = worse(worst, changes.outcome);
    if (!declaration.reconcile) return { outcome: worst, changes };
    const dependent = dependencies.begin(this.#plan.key);
    const outcome = await this.#invoke(declaration.reconcile, parts, dependent);
    if (outcome.kind === "done") dependent.end();
    return { outcome: worse(outcome, worst), changes };
  }

  /** Runs the handlers of the object's changes, where the kind has some. */
  async #change(parts: CycleParts<T, Spec, Status>): Promise<ChangesHandled | undefined> {
    const { changes, clock, timeoutMs, pauseMs } = this.#host, { cause, pass } = this.#plan;
    return await changes?.run(parts.object, cause.kind === "delete", pass, {
      clock,
      attemptMsMax: timeoutMs,
      pauseMs,
      mask: this.#client.mask,
      attempt: async (handler, facts, msMax) => {
        await runWithTimeout(clock, msMax, this.#signal, (signal) => {
          return handler({ ...this.#context(parts, signal, undefined), ...facts });
        });
      },
    });
  }

  async #invoke(
    declared: { readonly handler: ReconcileHandler<T, Spec, Status> } & HandlerOptions,
    parts: CycleParts<T, Spec, Status>,
    watches?: CycleWatches,
  ): Promise<Outcome> {
    const timeoutMs = declared.timeout === undefined ? this.#host.timeoutMs : durationMs(declared.timeout);
    try {
      const result = await runWithTimeout(this.#host.clock, timeoutMs, this.#signal, (signal) => {
        return declared.handler(this.#context(parts, signal, watches));
      });
      return outcomeOf(result);
    } catch (error) {
      return outcomeOfError(error);
    }
  }

  #context(
    { object, spec, draft, events }: CycleParts<T, Spec, Status>,
    signal: AbortSignal,
    watches: CycleWatches | undefined,
  ): ReconcileContext<T, Spec, Status> {
    const client = this.#client.withSignal(signal);
    const children = new Children(object, client, this.#host.kinds, this.#host.fieldManager);
    const memo = <M>(create: () => M) => this.#plan.memo(create);
    return {
      ...objectContext(this.#host, { object, client, events, log: this.#log, signal, memo }),
      spec,
      reasons: this.#plan.reasons,
      dryRun: client.dryRun,
      status: draft,
      apply: (child, options) => children.apply(child, options),
      prune: () => children.prune(),
      watch: async (resource, key) => {
        signal.throwIfAborted(); // a handler that outlived its cycle must not open a watch that nobody closes
        if (watches) return await watches.one(client, resource, key);
        return await client.find<KubeObject>(resource, key, { metadataOnly: true });
      },
      watchAll: async (resource, selection) => {
        signal.throwIfAborted();
        if (watches) return await watches.all(client, resource, selection);
        return (await client.list<KubeObject>(resource, { ...selection, metadataOnly: true })).items;
      },
    };
  }

  /** The engine's own conditions: Ready where the handler left it open or failed, Stalled while the key runs hot. */
  #judge(draft: StatusDraft<Status>, outcome: Outcome, changes: ChangesHandled | undefined): void {
    const { givenUp, reconcile, trouble } = this.#plan, { declaration } = this.#host;
    const others = handles({ ...declaration, changes: [] });
    if (!others && !changes?.concerned && outcome.kind === "done") return;
    const speaks = changes === undefined || changes.acted || declaration.reconcile !== undefined;
    if (outcome.kind !== "done") draft.condition("Ready", false, outcome.reason, outcome.message);
    else if (givenUp && !changes?.acted) draft.condition("Ready", false, givenUp.reason, givenUp.message);
    else if (trouble) draft.condition("Ready", false, trouble.reason, trouble.message);
    else if (reconcile && speaks && !draft.hasSet("Ready")) draft.condition("Ready", true, "Reconciled");
    if (this.#plan.stalled) {
      draft.condition("Stalled", true, "HotLoop", "every reconcile of this object writes again without converging");
    } else if (draft.current.conditions?.some((each) => each.type === "Stalled" && each.reason === "HotLoop")) {
      draft.removeCondition("Stalled");
    }
    if (reconcile && (changes?.finished ?? true)) draft.observe();
  }

  /** Applies the status, in spite of others who write to the object; undefined where it is gone. */
  async #commit(object: T, draft: StatusDraft<Status>): Promise<T | undefined> {
    const { kind } = this.#host.declaration;
    const { name, namespace, uid } = object.metadata!;
    let resourceVersion = this.#latestVersion(object);
    for (let attempt = 1;; attempt++) {
      // At the status of a custom resource a server takes no notice of the uid. Only the version tells a successor of the same
      // name, to which this status must not go.
      const metadata = { name, uid, resourceVersion, ...(namespace ? { namespace } : {}) };
      const body = { apiVersion: formatApiVersion(kind), kind: kind.kind, metadata, status: draft.own };
      try {
        return await this.#client.apply(kind, body as unknown as T, { subresource: "status" });
      } catch (error) {
        const raced = error instanceof ConflictError || error instanceof NotFoundError;
        if (!raced || attempt >= STATUS_ATTEMPTS_MAX) throw error;
      }
      const fresh = await this.#client.find<KubeObject>(kind, keyOf(object), { metadataOnly: true });
      if (fresh?.metadata?.uid !== uid) {
        // Its successor, if there is one, brings a cycle of its own.
        this.#log.debug("the object went while it was reconciled; its status is not written");
        return undefined;
      }
      resourceVersion = fresh?.metadata?.resourceVersion;
    }
  }

  /** The version of the object after what this cycle's handlers wrote to it themselves. */
  #latestVersion(object: T): string | undefined {
    const { kind } = this.#host.declaration, key = formatKey(keyOf(object));
    const own = this.#client.writes.filter(({ resource, key: written }) =>
      resource.group === kind.group && resource.plural === kind.plural && formatKey(written) === key
    );
    // A handler that made the object anew wrote to the successor since.
    const remade = own.some(({ verb }) => verb === "create" || verb === "delete");
    return (remade ? undefined : own.at(-1)?.resourceVersion) ?? object.metadata?.resourceVersion;
  }
}

function statusOf(object: KubeObject): unknown {
  return (object as { status?: unknown }).status;
}
