import type { Clock } from "../base/clock.ts";
import { UsageError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { DynamicObject, KubeObject } from "../apimachinery/object.ts";
import { isDnsLabel } from "../apimachinery/name.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import type { Client } from "../client/mod.ts";
import type {
  ControllerDeclaration,
  HandlerOptions,
  ReconcileHandler,
  ResourceKind,
  WatchOptions,
} from "../controller/declaration.ts";
import type { TimerOptions } from "../handling/timer_schedule.ts";
import type { CustomResource } from "./define_resource.ts";
import { type PolicyRule, requiredRules } from "./permissions.ts";
import { RunningOperator, type StartOptions } from "./running_operator.ts";

/** What start-up and clean-up handlers get. */
export interface ActivityContext {
  /** The operator's client, with its field manager. */
  readonly client: Client;
  /** The operator's time. */
  readonly clock: Clock;
  /** The operator's logger. */
  readonly log: Logger;
  /** Aborts when the grace period is over. */
  readonly signal: AbortSignal;
}

/** Work before the first reconcile or after the last one. */
export type ActivityHandler = (context: ActivityContext) => Promise<void> | void;

/** Options of a reconcile handler. */
export interface ReconcileOptions<T extends KubeObject> extends HandlerOptions {
  /** Kinds of which this one's objects own children: their changes lead back to the owner. */
  readonly owns?: readonly ApiResource[];
  /** Other resources whose changes are mapped to objects of this kind. */
  readonly watches?: readonly WatchOptions<T, KubeObject>[];
  /** Objects that are reconciled at the same time. 16 by default. */
  readonly workersMax?: number;
}

/** The handlers of one kind. */
export class KindHandlers<T extends KubeObject, Spec, Status extends object> {
  readonly #declaration: ControllerDeclaration<T, Spec, Status>;

  /** Handlers are entered in `declaration`; {@linkcode Operator.on} makes it. */
  constructor(declaration: ControllerDeclaration<T, Spec, Status>) {
    this.#declaration = declaration;
  }

  /**
   * Level-triggered: called with the whole object whenever it, a child or a watched object may have changed, at start-up, and
   * again after an error. Must be idempotent. At most one call per object at a time.
   *
   * @throws {UsageError} where the kind has a reconcile handler already.
   */
  reconcile(handler: ReconcileHandler<T, Spec, Status>, options: ReconcileOptions<T> = {}): this {
    const { owns = [], watches = [], workersMax, ...rest } = options;
    if (this.#declaration.reconcile) {
      throw new UsageError(`${this.#declaration.kind.kind} has a reconcile handler already`);
    }
    this.#declaration.reconcile = { handler, ...rest };
    this.#declaration.owns.push(...owns);
    this.#declaration.watches.push(...watches);
    if (workersMax !== undefined) this.#declaration.workersMax = workersMax;
    return this;
  }

  /**
   * Called while the object is being deleted, before it goes; it goes when the handler returns. Adds the operator's finalizer
   * to every object of the kind: leave it out where owner references are enough.
   *
   * @throws {UsageError} where the kind has a delete handler already.
   */
  delete(handler: ReconcileHandler<T, Spec, Status>, options: HandlerOptions = {}): this {
    if (this.#declaration.delete) throw new UsageError(`${this.#declaration.kind.kind} has a delete handler already`);
    this.#declaration.delete = { handler, ...options };
    return this;
  }

  /** Called on every object again and again while it exists. Needs no finalizer and keeps no state in the object. */
  timer(
    handler: ReconcileHandler<T, Spec, Status>,
    options: TimerOptions & HandlerOptions & { readonly id?: string },
  ): this {
    const { timers, kind } = this.#declaration;
    const id = options.id ?? (handler.name || `timer-${timers.length + 1}`);
    if (timers.some((timer) => timer.id === id)) {
      throw new UsageError(`${kind.kind} has a timer "${id}" already: give it an id`);
    }
    timers.push({ ...options, id, handler });
    return this;
  }
}

/**
 * An operator: a name, and handlers of kinds. The name is its identity in the cluster: field manager, part of its
 * finalizer, reporter of its Events.
 *
 * @example
 * ```ts
 * import { Operator } from "./operator.ts";
 * import { ConfigMap } from "./builtin_kinds.ts";
 * const operator = new Operator("watcher");
 * operator.on(ConfigMap).reconcile(({ name, log }) => log.info("seen", { name }));
 * ```
 */
export class Operator {
  /** Its identity in the cluster: a lower-case DNS label. Renaming it leaves finalizers and fields of the old one behind. */
  readonly name: string;
  readonly #declarations: ControllerDeclaration[] = [];
  readonly #customResources: CustomResource<unknown, object>[] = [];
  readonly #permissions: PolicyRule[] = [];
  readonly #startup: ActivityHandler[] = [];
  readonly #cleanup: ActivityHandler[] = [];

  /**
   * An operator without handlers; nothing runs before it is started.
   *
   * @throws {UsageError} where `name` is not a lower-case DNS label.
   */
  constructor(name: string) {
    if (!isDnsLabel(name)) throw new UsageError(`operator name "${name}" is not a lower-case DNS label`);
    this.name = name;
  }

  /** The handlers of a kind: one's own ({@linkcode defineResource}) or any other. */
  on<T extends KubeObject, Spec, Status extends object>(
    kind: ResourceKind<T, Spec, Status>,
  ): KindHandlers<T, Spec, Status> {
    const known = this.#declarations.find((each) => each.kind === kind as unknown);
    if (known) return new KindHandlers(known as unknown as ControllerDeclaration<T, Spec, Status>);
    const declaration: ControllerDeclaration<T, Spec, Status> = { kind, timers: [], owns: [], watches: [] };
    this.#declarations.push(declaration as unknown as ControllerDeclaration);
    if ("crd" in kind) this.#customResources.push(kind as unknown as CustomResource<unknown, object>);
    return new KindHandlers(declaration);
  }

  /**
   * Runs once in every process, before its first reconcile; an error keeps it from starting. With leader election it runs on
   * replicas that wait, too: there it can read, and its writes are refused.
   */
  startup(handler: ActivityHandler): this {
    this.#startup.push(handler);
    return this;
  }

  /** Runs once after the last reconcile of a graceful stop. */
  cleanup(handler: ActivityHandler): this {
    this.#cleanup.push(handler);
    return this;
  }

  /** Adds what handlers do through `client` to the generated RBAC: it cannot be seen from the declarations. */
  permissions(...rules: readonly PolicyRule[]): this {
    this.#permissions.push(...rules);
    return this;
  }

  /** The rules that the operator needs in a cluster. */
  rules(): PolicyRule[] {
    return requiredRules(this.#declarations, this.#permissions);
  }

  /** The CustomResourceDefinitions of the operator's own kinds. */
  crds(): DynamicObject[] {
    return this.#customResources.map((resource) => resource.crd());
  }

  /** The finalizer that its delete handlers of a kind put on objects: its own, and no other operator's. */
  finalizer(kind: { readonly group: string }): string {
    return `${kind.group || "pintle.dev"}/${this.name}`;
  }

  /** What is declared, per kind. */
  get declarations(): readonly ControllerDeclaration[] {
    return this.#declarations;
  }

  /** Start-up and clean-up handlers, in order. */
  get activities(): { readonly startup: readonly ActivityHandler[]; readonly cleanup: readonly ActivityHandler[] } {
    return { startup: this.#startup, cleanup: this.#cleanup };
  }

  /**
   * Starts the operator against a cluster: start-up handlers, watches, then reconciles. Resolves when every store is
   * complete and work has begun.
   *
   * @throws whatever a start-up handler throws; the signal's reason where `options.signal` aborts before the stores are
   * complete.
   */
  start(options: StartOptions): Promise<RunningOperator> {
    return RunningOperator.start(this, options);
  }
}
