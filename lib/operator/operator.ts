import { type Clock, type Duration, durationMs, type Logger, UsageError } from "../base/mod.ts";
import {
  type ApiResource,
  type DynamicObject,
  formatGroupResource,
  isDnsLabel,
  isQualifiedName,
  type KubeObject,
  type ResourceKind,
} from "../apimachinery/mod.ts";
import {
  type AdmissionDeclaration,
  type KindConversion,
  webhookConversion,
  webhookServiceName,
} from "../admission/mod.ts";
import type { Client, LoginHook } from "../client/mod.ts";
import { type ControllerDeclaration, emptyDeclaration, type PlannedPass } from "../controller/mod.ts";
import { OperatorMetrics, requireRoutePath } from "../health/mod.ts";
import { AnnotationStorage, type HandledStateStorage } from "../handling/mod.ts";
import type { BuiltinObject } from "./builtin_kinds.ts";
import type { CustomResource } from "./define_resource.ts";
import { KindHandlers } from "./kind_handlers.ts";
import { type EVERYTHING, type KindSelector, requireSelector } from "./kind_selector.ts";
import { type PolicyRule, requiredRules, WATCH_KINDS } from "./permissions.ts";
import { requireDurations } from "./require_durations.ts";
import { RunningOperator } from "./running_operator.ts";
import type { PlanOptions, StartOptions } from "./start_options.ts";

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
  /** Whether this process only plans: nothing that `client` writes is kept. */
  readonly dryRun: boolean;
  /**
   * What this process makes once and shares with every handler: a pool of connections, for instance. The function is
   * its key.
   */
  shared<M>(create: () => M): M;
}

/** Work before the first reconcile or after the last one. */
export type ActivityHandler = (context: ActivityContext) => Promise<void> | void;

/** Handlers for every kind that a selector means. */
export interface KindSelection {
  /** Which kinds. */
  readonly selector: KindSelector | typeof EVERYTHING;
  /** Called once for each of them. */
  readonly declare: (
    handlers: KindHandlers<BuiltinObject, BuiltinObject, Record<string, never>>,
    kind: ApiResource,
  ) => unknown;
}

/** A health check of an operator's own. */
export interface OperatorProbe {
  /** Its name in `/readyz?verbose`. */
  readonly id: string;
  /** Throws what is wrong. */
  readonly ask: ActivityHandler;
  /** Whether its failure asks for patience, or for a new process. */
  readonly of: "readiness" | "liveness";
}

/**
 * Answers requests of a path; gets what start-up handlers get, and `signal` aborts when time is over or the operator
 * stops.
 */
export type RouteHandler = (request: Request, context: ActivityContext) => Promise<Response> | Response;

/** Bounds of a route. */
export interface RouteOptions {
  /** For the body of the request and the handler together; then the answer is 503. Ten seconds by default. */
  readonly timeout?: Duration;
  /** Largest body that is taken; a larger one is answered with 413. 1 MiB by default. */
  readonly bodyBytesMax?: number;
}

/** A path of an operator's own on the server of `/livez`, `/readyz` and `/metrics`. */
export interface OperatorRoute {
  /** Matched as a whole. */
  readonly path: string;
  /** Answers its requests, whatever their method. */
  readonly handler: RouteHandler;
  /** See {@linkcode RouteOptions}. */
  readonly timeoutMs: number;
  /** See {@linkcode RouteOptions}. */
  readonly bodyBytesMax: number;
}

/** What an operator may be given. */
export interface OperatorOptions {
  /** Where the handling of changes is remembered; {@linkcode AnnotationStorage} by default. */
  readonly storage?: HandledStateStorage;
  /**
   * Finalizers of operators that this one replaces, as Kopf's `kopf.zalando.org/KopfFinalizerMarker`: each counts as
   * its own. Its objects lose them in the write that adds its own finalizer, where a handler needs one, and those that
   * were being deleted are cleaned up by its delete handlers first. No operator that uses one of them may still run on
   * the same objects: it would add it again.
   */
  readonly legacyFinalizers?: readonly string[];
}

/**
 * An operator: a name, and handlers of kinds. The name is its identity in the cluster: field manager, part of its
 * finalizer, reporter of its Events.
 *
 * @example
 * ```ts
 * import { ConfigMap, Operator } from "@pintle/pintle";
 * const operator = new Operator("watcher");
 * operator.on(ConfigMap).reconcile(({ name, log }) => log.info("seen", { name }));
 * ```
 */
export class Operator {
  /**
   * Its identity in the cluster: a lower-case DNS label. Renaming it leaves finalizers and fields of the old one
   * behind.
   */
  readonly name: string;
  /** Where the handling of changes is remembered: annotations under the operator's own prefix by default. */
  readonly storage: HandledStateStorage;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  /** Metrics of the operator's own, served at `/metrics`. */
  readonly metrics: OperatorMetrics = new OperatorMetrics();
  readonly #declarations: ControllerDeclaration[] = [];
  readonly #admission: AdmissionDeclaration[] = [];
  readonly #customResources: CustomResource<unknown, object>[] = [];
  readonly #permissions: PolicyRule[] = [];
  readonly #startup: ActivityHandler[] = [];
  readonly #cleanup: ActivityHandler[] = [];
  readonly #probes: OperatorProbe[] = [];
  readonly #routes: OperatorRoute[] = [];
  readonly #selections: KindSelection[] = [];
  #login: LoginHook | undefined;

  /**
   * An operator without handlers; nothing runs before it is started.
   *
   * @throws {UsageError} where `name` is not a lower-case DNS label, or a finalizer to take over is none, or is
   *   Kubernetes' own.
   */
  constructor(name: string, { storage, legacyFinalizers = [] }: OperatorOptions = {}) {
    if (!isDnsLabel(name)) throw new UsageError(`operator name "${name}" is not a lower-case DNS label`);
    for (const finalizer of legacyFinalizers) checkForeignFinalizer(finalizer);
    this.legacyFinalizers = legacyFinalizers;
    this.name = name;
    this.storage = storage ?? new AnnotationStorage({ prefix: `${name}.pintle.dev` });
  }

  /**
   * The handlers of a kind: one's own ({@linkcode defineResource}) or any other.
   *
   * @throws {UsageError} for another definition of a kind that has handlers already.
   */
  on<T extends KubeObject, Spec, Status extends object>(
    kind: ResourceKind<T, Spec, Status>,
  ): KindHandlers<T, Spec, Status> {
    const known = this.#declarations.find((each) => each.kind === kind as unknown);
    if (known) {
      return new KindHandlers(
        known as unknown as ControllerDeclaration<T, Spec, Status>,
        this.storage,
        this.#admission,
      );
    }
    if (kind.view?.metadataOnly && kind.hasStatus) {
      throw new UsageError(
        `on(${kind.kind}) with metadataOnly: the status that the operator writes could not be compared`,
        "drop large fields with `project` of the view; the status stays",
      );
    }
    const declaration = emptyDeclaration(kind);
    this.#declarations.push(declaration as unknown as ControllerDeclaration);
    if ("crd" in kind) this.#addCustomResource(kind as unknown as CustomResource<unknown, object>);
    return new KindHandlers(declaration, this.storage, this.#admission);
  }

  #addCustomResource(resource: CustomResource<unknown, object>): void {
    const name = formatGroupResource(resource);
    if (this.#customResources.some(({ crd }) => crd === resource.crd)) return; // a view of it
    if (this.#customResources.some((each) => formatGroupResource(each) === name)) {
      throw new UsageError(
        `${name} is declared by two definitions`,
        "define it once, and use what `withVersion` returns everywhere",
      );
    }
    this.#customResources.push(resource);
  }

  /**
   * Handlers for every kind that a selector means, those of CRDs that come later included: `declare` is called once for
   * each. Kinds that have handlers by {@linkcode on} are left out. Grant access to them by
   * {@linkcode permissions}; a kind that it may not list is logged and holds up no other.
   *
   * @throws {UsageError} for an empty selector.
   */
  select(
    selector: KindSelector | typeof EVERYTHING,
    declare: (
      handlers: KindHandlers<BuiltinObject, BuiltinObject, Record<string, never>>,
      kind: ApiResource,
    ) => unknown,
  ): this {
    requireSelector(selector);
    this.#selections.push({ selector, declare });
    return this;
  }

  /**
   * Runs once in every process, before its first reconcile; an error keeps it from starting. With leader election it
   * runs on replicas that wait, too: there it can read, and its writes are refused.
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

  /**
   * A question about what the operator needs, a database for instance: it throws what is wrong. Asked at most every ten
   * seconds, by `/readyz`, or by `/livez` where only a new process would help.
   *
   * @throws {UsageError} where the id is taken.
   */
  probe(id: string, ask: ActivityHandler, { of = "readiness" }: { readonly of?: "readiness" | "liveness" } = {}): this {
    if (!isDnsLabel(id)) throw new UsageError(`"${id}" is no id of a probe`, "lower-case letters, digits and -");
    if (this.#probes.some((probe) => probe.id === id)) throw new UsageError(`there is a probe "${id}" already`);
    this.#probes.push({ id, ask, of });
    return this;
  }

  /**
   * Serves a path beside `/livez`, `/readyz` and `/metrics`, on every replica that runs, leading or not. Every method
   * goes to the handler, and the query is its own to read. An error is answered with 500 and is in the log only.
   * Requests are not authenticated: check them in the handler, or restrict the port by a NetworkPolicy.
   *
   * @throws {UsageError} for a path that is taken or cannot be one, and bounds that are none.
   */
  route(path: string, handler: RouteHandler, { timeout = "10s", bodyBytesMax = 1_048_576 }: RouteOptions = {}): this {
    requireRoutePath(path);
    if (this.#routes.some((route) => route.path === path)) throw new UsageError(`there is a route ${path} already`);
    if (!Number.isInteger(bodyBytesMax) || bodyBytesMax < 0) {
      throw new UsageError(`bodyBytesMax of the route ${path} must be a whole number of bytes`);
    }
    requireDurations(`the route ${path}`, { timeout });
    if (durationMs(timeout) === 0) throw new UsageError(`timeout of the route ${path} must be longer than 0`);
    this.#routes.push({ path, handler, timeoutMs: durationMs(timeout), bodyBytesMax });
    return this;
  }

  /**
   * How `run` gets its credentials, instead of kubeconfigs and service accounts: called at the start, when they expire,
   * and when the server refuses them. A kubeconfig or context on the command line still takes precedence.
   *
   * @throws {UsageError} where there is one already.
   */
  login(hook: LoginHook): this {
    if (this.#login) throw new UsageError("the operator has a login hook already");
    this.#login = hook;
    return this;
  }

  /** Adds what handlers do through `client` to the generated RBAC: it cannot be seen from the declarations. */
  permissions(...rules: readonly PolicyRule[]): this {
    this.#permissions.push(...rules);
    return this;
  }

  /** The rules that the operator needs in a cluster. */
  rules(): PolicyRule[] {
    const kinds = this.#selections.length > 0 ? [WATCH_KINDS] : [];
    return requiredRules(this.declarations, [...kinds, ...this.#permissions], {
      legacyFinalizers: this.legacyFinalizers,
    });
  }

  /**
   * The CustomResourceDefinitions of the operator's own kinds. `namespace` is that of the Service behind which it
   * converts their versions, where they have different fields.
   */
  crds({ namespace = "default" }: { readonly namespace?: string } = {}): DynamicObject[] {
    const { statusFields = [] } = this.storage, service = { namespace, name: webhookServiceName(this.name) };
    return this.#customResources.map((resource) => {
      const crd = resource.crd({ statusFields });
      if (!resource.conversion()) return crd;
      return { ...crd, spec: { ...crd.spec as object, conversion: webhookConversion({ service }) } };
    });
  }

  /** How the objects of its own kinds are converted: one for each kind whose versions have different fields. */
  get conversions(): readonly KindConversion[] {
    const { statusFields = [] } = this.storage;
    return this.#customResources.flatMap((resource) => resource.conversion({ statusFields }) ?? []);
  }

  /** Whether API servers ask it something: to admit what is written, or to convert what is stored. */
  get servesWebhooks(): boolean {
    return this.#admission.length > 0 || this.conversions.length > 0;
  }

  /** The finalizer that its delete handlers and daemons of a kind put on objects: its own, and no other operator's. */
  finalizer(kind: { readonly group: string }): string {
    return `${kind.group || "pintle.dev"}/${this.name}`;
  }

  /** What is declared, per kind. A kind with nothing but admission handlers is left out: it needs no watch. */
  get declarations(): readonly ControllerDeclaration[] {
    const declared = this.#declarations.filter((each) =>
      !isBare(each) || !this.#admission.some(({ kind }) => kind as unknown === each.kind)
    );
    declared.forEach(({ kind }, index) => requireOneController(kind, declared.slice(0, index)));
    return declared;
  }

  /** The admission handlers of every kind. */
  get admission(): readonly AdmissionDeclaration[] {
    return this.#admission;
  }

  /** What kinds it selects. */
  get selections(): readonly KindSelection[] {
    return this.#selections;
  }

  /** Its own health checks. */
  get probes(): readonly OperatorProbe[] {
    return this.#probes;
  }

  /** See {@linkcode route}. */
  get routes(): readonly OperatorRoute[] {
    return this.#routes;
  }

  /** See {@linkcode login}. */
  get loginHook(): LoginHook | undefined {
    return this.#login;
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

  /**
   * What one reconcile of each object would write now, object by object. Every write is sent as a dry run, so the
   * server checks it and keeps nothing. Handlers run for real, start-up and clean-up handlers too: effects outside
   * of the cluster happen, unless they check `context.dryRun`.
   *
   * @throws whatever a start-up handler throws; the signal's reason where it aborts.
   */
  plan(options: PlanOptions): AsyncGenerator<PlannedPass> {
    return RunningOperator.plan(this, options);
  }
}

/**
 * @throws {UsageError} where handlers of one kind are declared by two views: two controllers would write one object.
 */
function requireOneController(kind: ResourceKind, others: readonly ControllerDeclaration[]): void {
  const name = formatGroupResource(kind);
  const other = others.find((each) => formatGroupResource(each.kind) === name && each.kind.view !== kind.view);
  if (!other) return;
  throw new UsageError(`${name} has handlers by two views`, "give one value to every on()");
}

/** Whether nothing is declared that a watch would feed. */
function isBare(
  { reconcile, changes, events, daemons, indexes, timers, owns, watches }: ControllerDeclaration,
): boolean {
  return !reconcile && [changes, events, daemons, indexes, timers, owns, watches].every(({ length }) => length === 0);
}

/** Taking off what Kubernetes' own controllers wait for would lose volumes and orphans. */
function checkForeignFinalizer(finalizer: string): void {
  const [domain] = finalizer.split("/");
  if (!finalizer.includes("/") || !isQualifiedName(finalizer)) {
    throw new UsageError(`"${finalizer}" is no operator's finalizer`, "a DNS name, / and a name");
  }
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain!)) {
    throw new UsageError(`the finalizer ${finalizer} is Kubernetes' own: no operator takes it over`);
  }
}
