import type { Clock } from "../base/clock.ts";
import { durationMs } from "../base/duration.ts";
import { isObject, jsonEqual } from "../base/json.ts";
import type { Logger } from "../base/log.ts";
import { formatKey, keyOf, type KubeObject } from "../apimachinery/object.ts";
import { type ApiResource, formatApiVersion } from "../apimachinery/resource.ts";
import { ConflictError, NotFoundError } from "../client/mod.ts";
import type { Cause } from "../handling/cause.ts";
import { runWithTimeout } from "../handling/execution.ts";
import { type Outcome, outcomeOf, outcomeOfError } from "../handling/outcome.ts";
import { nextTick, type TimerState } from "../handling/timer_schedule.ts";
import { type ChildKinds, Children } from "./children.ts";
import type { CachedReader, ReconcileContext } from "./context.ts";
import type { CycleClient } from "./cycle_client.ts";
import type { ControllerDeclaration, HandlerOptions, ReconcileHandler, TimerDeclaration } from "./declaration.ts";
import type { Dependencies } from "./dependencies.ts";
import type { EventPoster, EventRecorder } from "./event_recorder.ts";
import { claim, release } from "./finalizer.ts";
import { sameInput } from "./key_memory.ts";
import { ownFields } from "./own_fields.ts";
import { StatusDraft } from "./status_draft.ts";

/** Fresh looks at an object that others write to at the same time, before its status waits for the next cycle. */
const STATUS_ATTEMPTS_MAX = 4;

/** What a cycle needs of its controller. */
export interface CycleHost<T extends KubeObject, Spec, Status extends object> {
  readonly declaration: ControllerDeclaration<T, Spec, Status>;
  readonly clock: Clock;
  readonly kinds: ChildKinds;
  readonly events: EventRecorder;
  readonly dependencies: Dependencies;
  readonly fieldManager: string;
  readonly finalizer: string;
  readonly timeoutMs: number;
  cached(resource: ApiResource): CachedReader<KubeObject>;
}

/** One pass over one object, as data. */
export interface CyclePlan<T extends KubeObject, Spec, Status extends object> {
  readonly key: string;
  readonly object: T;
  readonly cause: Exclude<Cause, { kind: "gone" }>;
  readonly reasons: ReadonlySet<string>;
  /** Whether the reconcile or delete handler runs; a timer tick alone does not ask for it. */
  readonly reconcile: boolean;
  readonly timers: readonly TimerDeclaration<T, Spec, Status>[];
  readonly stalled: boolean;
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
    const { kind } = this.#host.declaration;
    const ticks = new Map<string, TimerState>();
    const object = await this.#settleFinalizer();
    if (!object) return { outcome: { kind: "done" }, object: undefined, undisturbed: false, ticks };
    const draft = this.#draft(object);
    const events = this.#host.events.poster(object);
    const outcome = await this.#handle(object, draft, events.poster, ticks);
    // What a handler did until the stop cut it short is its own affair; the next run of the operator begins anew.
    this.#signal.throwIfAborted();
    await events.flush(this.#signal);
    if (this.#plan.cause.kind === "delete" && outcome.kind === "done") {
      await release(this.#client, kind, object, this.#host.finalizer);
      return { outcome, object: undefined, undisturbed: false, ticks };
    }
    this.#judge(draft, outcome);
    if (!kind.hasStatus || !draft.changed) return { outcome, object, undisturbed: true, ticks };
    const written = await this.#commit(object, draft);
    const undisturbed = written !== undefined && sameInput(object, written) &&
      jsonEqual((written as { status?: unknown }).status, draft.current);
    return { outcome, object: written, undisturbed, ticks };
  }

  #draft(object: T): StatusDraft<Status> {
    const own = ownFields(object, this.#host.fieldManager, "status")?.["f:status"];
    const { status } = object as { status?: Partial<Status> };
    return new StatusDraft(status, object.metadata?.generation, this.#host.clock.now(), isObject(own) ? own : {});
  }

  /** The object with its finalizer claimed or given up; undefined where it is gone, or on its way, meanwhile. */
  #settleFinalizer(): Promise<T | undefined> | T {
    const { cause, object } = this.#plan, { declaration, finalizer } = this.#host;
    if (cause.kind === "delete" || cause.finalizer === "keep") return object;
    const settle = cause.finalizer === "claim" ? claim : release;
    return settle(this.#client, declaration.kind, object, finalizer);
  }

  async #handle(
    object: T,
    draft: StatusDraft<Status>,
    events: EventPoster,
    ticks: Map<string, TimerState>,
  ): Promise<Outcome> {
    const { declaration, dependencies, clock } = this.#host, { cause } = this.#plan;
    let spec: Spec;
    try {
      spec = declaration.kind.parseSpec(object);
    } catch (error) {
      // An object that cannot be read can still go: its delete handler is not owed a readable spec, only its finalizer is.
      if (cause.kind !== "delete" || !declaration.delete) return outcomeOfError(error);
      spec = (object as { spec?: Spec }).spec ?? {} as Spec;
    }
    const parts = { object, spec, draft, events };
    if (cause.kind === "delete") {
      return declaration.delete ? await this.#invoke(declaration.delete, parts) : { kind: "done" };
    }
    let worst: Outcome = { kind: "done" };
    for (const timer of this.#plan.timers) {
      const startMs = clock.now();
      const outcome = await this.#invoke(timer, parts);
      ticks.set(timer.id, nextTick(timer, startMs, clock.now()));
      if (outcome.kind !== "done") worst = outcome;
    }
    if (!this.#plan.reconcile || !declaration.reconcile) return worst;
    const dependent = dependencies.begin(this.#plan.key);
    const outcome = await this.#invoke(declaration.reconcile, parts, dependent.watch);
    if (outcome.kind === "done") dependent.end();
    return outcome.kind === "done" && worst.kind !== "done" ? worst : outcome;
  }

  async #invoke(
    declared: { readonly handler: ReconcileHandler<T, Spec, Status> } & HandlerOptions,
    parts: CycleParts<T, Spec, Status>,
    watch?: ReturnType<Dependencies["begin"]>["watch"],
  ): Promise<Outcome> {
    const timeoutMs = declared.timeout === undefined ? this.#host.timeoutMs : durationMs(declared.timeout);
    try {
      const result = await runWithTimeout(this.#host.clock, timeoutMs, this.#signal, (signal) => {
        return declared.handler(this.#context(parts, signal, watch));
      });
      return outcomeOf(result);
    } catch (error) {
      return outcomeOfError(error);
    }
  }

  #context(
    { object, spec, draft, events }: CycleParts<T, Spec, Status>,
    signal: AbortSignal,
    watch: ReturnType<Dependencies["begin"]>["watch"] | undefined,
  ): ReconcileContext<T, Spec, Status> {
    const client = this.#client.withSignal(signal);
    const children = new Children(object, client, this.#host.kinds, this.#host.fieldManager);
    const { name = "", namespace = "", uid = "", labels = {}, annotations = {} } = object.metadata ?? {};
    return {
      object,
      spec,
      name,
      namespace,
      uid,
      labels,
      annotations,
      reasons: this.#plan.reasons,
      status: draft,
      apply: (child, options) => children.apply(child, options),
      client,
      cached: (resource) => this.#host.cached(resource) as unknown as CachedReader<never>,
      watch: async (resource, key) => {
        signal.throwIfAborted(); // a handler that outlived its cycle must not open a watch that nobody closes
        if (watch) return await watch(client, resource, key);
        return await client.find<KubeObject>(resource, key, { metadataOnly: true });
      },
      events,
      log: this.#log,
      signal,
      clock: this.#host.clock,
    };
  }

  /** The engine's own conditions: Ready where the handler left it open or failed, Stalled while the key runs hot. */
  #judge(draft: StatusDraft<Status>, outcome: Outcome): void {
    if (outcome.kind !== "done") draft.condition("Ready", false, outcome.reason, outcome.message);
    else if (this.#plan.reconcile && !draft.hasSet("Ready")) draft.condition("Ready", true, "Reconciled");
    if (this.#plan.stalled) {
      draft.condition("Stalled", true, "HotLoop", "every reconcile of this object writes again without converging");
    } else if (draft.current.conditions?.some((each) => each.type === "Stalled" && each.reason === "HotLoop")) {
      draft.removeCondition("Stalled");
    }
    if (this.#plan.reconcile) draft.observe();
  }

  /** Writes the status; undefined where the object is gone. */
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
