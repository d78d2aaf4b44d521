import { type Duration, durationMs, methodsDeclare, UsageError } from "../base/mod.ts";
import { type AnyKind, formatGroupResource, isPartial, type KubeObject } from "../apimachinery/mod.ts";
import {
  type AdmissionDeclaration,
  admissionDeclaration,
  type MutateHandler,
  type MutateOptions,
  type ValidateHandler,
  type ValidateOptions,
} from "../admission/mod.ts";
import {
  type ChangeHandler,
  type ControllerDeclaration,
  type DaemonContext,
  type EventContext,
  type HandlerOptions,
  type ReconcileHandler,
  type WatchOptions,
} from "../controller/mod.ts";
import {
  type AttemptBounds,
  type ChangeKind,
  type ErrorsMode,
  type FieldKeys,
  type FieldPath,
  fieldPath,
  type FieldValue,
  type HandledStateStorage,
  type ObjectFilter,
  type ObjectIndex,
  type TimerOptions,
  type ValueFilter,
} from "../handling/mod.ts";
import { requireDurations } from "./require_durations.ts";

export interface ReconcileOptions<T extends KubeObject> extends HandlerOptions, ObjectFilter<T> {
  /** Kinds of children, or a `view` of each: their changes enqueue the owner. */
  readonly owns?: readonly AnyKind[];
  /** Mapped to objects of this kind. */
  readonly watches?: readonly WatchOptions<T, KubeObject>[];
  /** Concurrent reconciles. 16 by default. */
  readonly workersMax?: number;
}

/** What a change handler matches, and its attempts. */
export interface ChangeOptions<T extends KubeObject> extends ObjectFilter<T> {
  /** The key of its progress: it must stay the same over releases. The function's name by default. */
  readonly id?: string;
  /** Total attempts, unlimited by default. The last failure is given up and shown in the condition Ready. */
  readonly retries?: number;
  /** For all attempts and pauses; also ends a running attempt. Unlimited by default. */
  readonly timeout?: Duration;
  /** After an error that names no delay. By default grows within the controller's bounds. */
  readonly backoff?: Duration;
  /** For errors other than {@linkcode TemporaryError} and {@linkcode PermanentError}: `temporary` by default. */
  readonly errors?: ErrorsMode;
  /** Passed to the handler, which several declarations can share. */
  readonly param?: unknown;
}

export interface FieldOptions<T extends KubeObject> extends ChangeOptions<T> {
  /** Required value before the change. */
  readonly old?: ValueFilter;
  /** Required value after the change. */
  readonly next?: ValueFilter;
}

/** What a daemon matches, and how it begins and ends. */
export interface DaemonOptions<T extends KubeObject> extends ChangeOptions<T> {
  readonly initialDelay?: Duration;
  /** From the abort of `stopped` to that of `signal`; none by default. */
  readonly cancellationBackoff?: Duration;
  /** From the abort of `signal` until a running daemon is abandoned with a warning. Thirty seconds by default. */
  readonly cancellationTimeout?: Duration;
}

/** The handlers of one kind. */
export class KindHandlers<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;
  readonly #storage: HandledStateStorage;
  readonly #admission: AdmissionDeclaration[];

  /** Made by {@linkcode Operator.on}; fills `declaration` and `admission`. */
  constructor(
    declaration: ControllerDeclaration<T, Spec, Status>,
    storage: HandledStateStorage,
    admission: AdmissionDeclaration[],
  ) {
    this.#declaration = declaration;
    this.#storage = storage;
    this.#admission = admission;
  }

  /**
   * Level-triggered: called with the whole object when it, a child or a watched object may have changed, at start-up,
   * and after an error. Must be idempotent. At most one call per object at a time. A filter (`labels`, `annotations`,
   * `field`, `when`) selects objects; one that stops matching stays as it is.
   *
   * @throws {UsageError} if the kind has a reconcile handler.
   */
  reconcile(handler: ReconcileHandler<T, Spec, Status>, options: ReconcileOptions<T> = {}): this {
    const { owns = [], watches = [], workersMax, ...rest } = options;
    requireDurations(`the reconcile handler of ${this.#declaration.kind.kind}`, { timeout: rest.timeout });
    if (this.#declaration.reconcile) {
      throw new UsageError(`${this.#declaration.kind.kind} has a reconcile handler already`);
    }
    const single = Object.entries({ owns, watches }).find(([, list]) => !Array.isArray(list));
    if (single) {
      throw new UsageError(`${single[0]} of the reconcile handler of ${this.#declaration.kind.kind} must be a list`);
    }
    requireOneView(this.#declaration.kind.kind, owns);
    this.#declaration.reconcile = { handler, ...rest };
    this.#declaration.owns.push(...owns);
    this.#declaration.watches.push(...watches);
    if (workersMax !== undefined) this.#declaration.workersMax = workersMax;
    return this;
  }

  /** Called once for a new object; again after an error, also in a later process. Delivered at least once. */
  create(handler: ChangeHandler<T, Spec, Status>, options: ChangeOptions<T> = {}): this {
    return this.#change("create", ["create"], handler, options);
  }

  /** Called once per change of a handled object, with `old`, `next` and `diff`. Status is no change. */
  update(handler: ChangeHandler<T, Spec, Status>, options: FieldOptions<T> = {}): this {
    return this.#change("update", ["update"], handler, options);
  }

  /** Called once per process for an object handled by an earlier one. Records nothing in the object. */
  resume(
    handler: ChangeHandler<T, Spec, Status>,
    options: ChangeOptions<T> & { readonly deleted?: boolean } = {},
  ): this {
    return this.#change("resume", ["resume"], handler, options);
  }

  /**
   * Called before a deletion completes, which waits until every such handler succeeds or is given up. Adds the
   * operator's finalizer to matching objects: omit it if owner references suffice, or set `optional`.
   */
  delete(
    handler: ChangeHandler<T, Spec, Status>,
    options: ChangeOptions<T> & { readonly optional?: boolean } = {},
  ): this {
    return this.#change("delete", ["delete"], handler, options);
  }

  /**
   * Called once per change of a field, its first value and removal included; `old`, `next` and `diff` are the field's.
   * `field` is as `spec.size`, or a list of keys if one contains a dot; then `old` and `next` have no type.
   */
  field<const P extends FieldPath<T> | FieldKeys<T>>(
    field: P,
    handler: ChangeHandler<T, Spec, Status, P extends string ? FieldValue<T, P> : unknown>,
    options: Omit<FieldOptions<T>, "field"> = {},
  ): this {
    const path = fieldPath(field).join(".");
    const ofObject = handler as unknown as ChangeHandler<T, Spec, Status>;
    return this.#change(path, ["create", "update"], ofObject, { ...options, field, ofField: true });
  }

  /**
   * Called on every object repeatedly while it exists. Needs no finalizer and stores nothing in the object. A failed
   * tick returns at its next time, or after its backoff if that is later.
   *
   * @throws {UsageError} for a taken id and invalid times.
   */
  timer(
    handler: ReconcileHandler<T, Spec, Status>,
    options: TimerOptions & HandlerOptions & ObjectFilter<T> & { readonly id?: string },
  ): this {
    const { timers, kind } = this.#declaration;
    const id = options.id ?? (handler.name || `timer-${timers.length + 1}`);
    if (timers.some((timer) => timer.id === id)) {
      throw new UsageError(`${kind.kind} has a timer "${id}" already: give it an id`);
    }
    const what = `the timer "${id}" of ${kind.kind}`, { interval, initialDelay, idle, timeout } = options;
    requireDurations(what, { interval, initialDelay, idle, timeout });
    if (interval === undefined || durationMs(interval) === 0) {
      throw new UsageError(`${what} needs an interval above zero`);
    }
    timers.push({ ...options, id, handler });
    return this;
  }

  /**
   * Called per watch event, and per object that exists at the start. Needs no finalizer and stores nothing: events
   * while no operator runs are lost.
   */
  event(
    handler: (context: EventContext<T>) => Promise<void> | void,
    options: ObjectFilter<T> & { readonly id?: string } = {},
  ): this {
    const { events } = this.#declaration;
    events.push({ ...options, id: options.id ?? (handler.name || `event-${events.length + 1}`), handler });
    return this;
  }

  /**
   * Runs in each process while an object exists and matches, until its signals abort. Adds the operator's finalizer to
   * matching objects, so that it ends before they go. A return ends it; a throw restarts it.
   */
  daemon(
    handler: (context: DaemonContext<T, Spec, Status>) => Promise<void>,
    options: DaemonOptions<T> = {},
  ): this {
    const { daemons, kind } = this.#declaration, { initialDelay = 0, retries, timeout, backoff, ...rest } = options;
    const { cancellationBackoff = 0, cancellationTimeout = "30s", ...more } = rest;
    const id = options.id ?? (handler.name || `daemon-${daemons.length + 1}`);
    this.#refuseFinalizer("daemon");
    if (daemons.some((each) => each.id === id)) {
      throw new UsageError(`${kind.kind} has a daemon "${id}" already: give it an id`);
    }
    requireDurations(`the daemon "${id}" of ${kind.kind}`, { initialDelay, cancellationBackoff, cancellationTimeout });
    daemons.push({
      ...more,
      ...attemptBounds(kind.kind, id, { retries, timeout, backoff }),
      id,
      handler,
      initialDelayMs: durationMs(initialDelay),
      cancellationBackoffMs: durationMs(cancellationBackoff),
      cancellationTimeoutMs: durationMs(cancellationTimeout),
    });
    return this;
  }

  /** Indexes the kind's objects for the handlers of every kind; complete before the first handler runs. */
  index<V>(index: ObjectIndex<T, V>): this {
    this.#declaration.indexes.push(index as ObjectIndex<T, unknown>);
    return this;
  }

  /** Changes of these fields, as `spec.replicas`, call no handler: another controller writes them. */
  ignoreFields(...fields: readonly FieldPath<T>[]): this {
    for (const field of fields) fieldPath(field);
    this.#declaration.ignoredFields = [...this.#declaration.ignoredFields ?? [], ...fields];
    return this;
  }

  /**
   * Called per create or update request before storage, on every replica; an {@linkcode AdmissionError} refuses it.
   *
   * @throws {UsageError} for an id, operations or timeout that a webhook cannot have.
   */
  validate(handler: ValidateHandler<T, Spec>, options: ValidateOptions<T> = {}): this {
    return this.#admit("validate", handler, options);
  }

  /** Before validation; changes the object by editing `draft`. Must be idempotent. */
  mutate(handler: MutateHandler<T, Spec>, options: MutateOptions<T> = {}): this {
    return this.#admit("mutate", handler, options);
  }

  /** @throws {UsageError} if objects can leave the watch: their finalizer would stay and block deletion. */
  #refuseFinalizer(what: string): void {
    const { kind, view } = this.#declaration.kind;
    if (!view?.labelSelector) return;
    throw new UsageError(
      `a ${what} handler of ${kind}, of which only ${view.labelSelector} is watched: an object that loses these labels would ` +
        "keep the operator's finalizer",
      "filter with `labels` of the handler instead of labelSelector, or declare it `optional`",
    );
  }

  #admit(
    type: "validate" | "mutate",
    handler: MutateHandler<T, Spec>,
    options: ValidateOptions<T> | MutateOptions<T>,
  ): this {
    if (isPartial(this.#declaration.kind.view)) {
      const { kind } = this.#declaration.kind;
      throw new UsageError(
        `an admission handler of a view of ${kind}: reviews carry whole objects`,
        `declare it with on(${kind})`,
      );
    }
    const declared = admissionDeclaration(type, this.#declaration.kind, handler, options);
    if (this.#admission.some((each) => each.webhook === declared.webhook)) {
      throw new UsageError(
        `${declared.kind.kind} has an admission handler "${declared.id}" already: give it an id`,
      );
    }
    this.#admission.push(declared as unknown as AdmissionDeclaration);
    return this;
  }

  #change(
    what: string,
    kinds: readonly ChangeKind[],
    handler: ChangeHandler<T, Spec, Status>,
    options: FieldOptions<T> & { readonly optional?: boolean; readonly deleted?: boolean; readonly ofField?: boolean },
  ): this {
    if (kinds.includes("delete") && !options.optional) this.#refuseFinalizer(what);
    const { changes, kind } = this.#declaration, { id: given, retries, timeout, backoff, ...rest } = options;
    const id = given ?? (handler.name || what);
    if (!/^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$/.test(id)) {
      throw new UsageError(
        `"${id}" is not a valid id of a handler of ${kind.kind}`,
        "letters and digits, and between them - _ .",
      );
    }
    if (this.#storage.statusFields?.length && !kind.hasStatus) {
      throw new UsageError(
        `the handling of ${kind.kind} cannot be remembered in its status, which is not this operator's`,
        "give the operator an AnnotationStorage or a MemoryStorage",
      );
    }
    if (changes.some((each) => each.id === id)) {
      throw new UsageError(`${kind.kind} has a handler "${id}" already: give it an id`);
    }
    changes.push({
      ...rest,
      id,
      kinds: new Set(kinds),
      handler,
      ...attemptBounds(kind.kind, id, { retries, timeout, backoff }),
    });
    return this;
  }

  static {
    methodsDeclare(this);
  }
}

/** @throws {UsageError} for a kind named twice: an apply would not know which store shows it. */
function requireOneView(kind: string, owns: readonly AnyKind[]): void {
  for (const [index, owned] of owns.entries()) {
    const other = owns.slice(0, index).find((each) => formatGroupResource(each) === formatGroupResource(owned));
    if (!other || other.view === owned.view) continue;
    throw new UsageError(
      `\`owns\` of ${kind} names ${owned.kind} with two views`,
      "make one view that has all children",
    );
  }
}

/** @throws {UsageError} for invalid attempts or durations. */
function attemptBounds(
  kind: string,
  id: string,
  { retries, timeout, backoff }: Pick<ChangeOptions<KubeObject>, "retries" | "timeout" | "backoff">,
): AttemptBounds {
  if (retries !== undefined && !(Number.isInteger(retries) && retries >= 1)) {
    throw new UsageError(`retries of the handler "${id}" of ${kind} must be a whole number, at least 1`);
  }
  requireDurations(`the handler "${id}" of ${kind}`, { timeout, backoff });
  return {
    attemptsMax: retries,
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout),
    backoffMs: backoff === undefined ? undefined : durationMs(backoff),
  };
}
