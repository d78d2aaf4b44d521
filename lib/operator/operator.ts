import { declaring, type Duration, durationMs, methodsDeclare, UsageError } from "../base/mod.ts";
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
import type { LoginHook } from "../client/mod.ts";
import { type ControllerDeclaration, emptyDeclaration, type PlannedPass } from "../controller/mod.ts";
import { OperatorMetrics, requireRoutePath } from "../health/mod.ts";
import { AnnotationStorage, type HandledStateStorage } from "../handling/mod.ts";
import type { BuiltinObject } from "./builtin_kinds.ts";
import type { CustomResource } from "./define_resource.ts";
import { KindHandlers } from "./kind_handlers.ts";
import { type EVERYTHING, type KindSelector, requireSelector } from "./kind_selector.ts";
import type { ActivityContext, ActivityHandler, KindSelection, OperatorDeclaration } from "./operator_declaration.ts";
import {
  type DeclaredPermission,
  type HandlerRule,
  isSamePermission,
  type Permission,
  permissionsOf,
  type PolicyRule,
  requiredPermissions,
  requireRules,
  rulesOf,
} from "./permissions.ts";
import { requireDurations } from "./require_durations.ts";
import { type PlanOptions, RunningOperator, type StartOptions } from "./running_operator.ts";

export interface OperatorProbe {
  /** Its name in `/readyz?verbose`. */
  readonly id: string;
  readonly check: ActivityHandler;
  /** `liveness` if only a new process helps. */
  readonly of: "readiness" | "liveness";
}

/** Answers requests of a path, with the context of start-up handlers; `signal` aborts on timeout or stop. */
export type RouteHandler = (request: Request, context: ActivityContext) => Promise<Response> | Response;

export interface RouteOptions {
  /** For body and handler together; then 503. Ten seconds by default. */
  readonly timeout?: Duration;
  /** A larger body gets 413. 1 MiB by default. */
  readonly bodyBytesMax?: number;
}

/** An operator's path on the server of `/livez`, `/readyz` and `/metrics`. */
export interface OperatorRoute {
  /** Matched as a whole. */
  readonly path: string;
  readonly handler: RouteHandler;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
}

/** Options of an operator. */
export interface OperatorOptions {
  /** Where handled changes are recorded; {@linkcode AnnotationStorage} by default. */
  readonly storage?: HandledStateStorage;
  /**
   * Finalizers of operators that this one replaces, as Kopf's `kopf.zalando.org/KopfFinalizerMarker`; each counts as
   * its own. The write that adds its own finalizer, if needed, removes them. Its delete handlers first clean up objects
   * being deleted. No other operator may use them on the same objects: it would add them again.
   */
  readonly legacyFinalizers?: readonly string[];
}

/**
 * The name is its identity in the cluster: field manager, part of its finalizer, reporter of its Events.
 *
 * @example
 * ```ts
 * import { ConfigMap, Operator } from "@pintle/pintle";
 * const operator = new Operator("watcher");
 * operator.on(ConfigMap).reconcile(({ name, log }) => log.info("seen", { name }));
 * ```
 */
export class Operator implements OperatorDeclaration {
  /** A lower-case DNS label. Renaming leaves finalizers and fields of the old name behind. */
  readonly name: string;
  /** Where handled changes are recorded; see {@linkcode OperatorOptions.storage}. */
  readonly storage: HandledStateStorage;
  /** Finalizers of operators that this one replaces. */
  readonly legacyFinalizers: readonly string[];
  /** The operator's own metrics, served at `/metrics`. */
  readonly metrics: OperatorMetrics = new OperatorMetrics();
  readonly #declarations: ControllerDeclaration[] = [];
  readonly #admission: AdmissionDeclaration[] = [];
  readonly #customResources: CustomResource<unknown, object>[] = [];
  readonly #permissions: HandlerRule[] = [];
  readonly #withoutPermissions: Permission[] = [];
  readonly #startup: ActivityHandler[] = [];
  readonly #cleanup: ActivityHandler[] = [];
  readonly #probes: OperatorProbe[] = [];
  readonly #routes: OperatorRoute[] = [];
  readonly #selections: KindSelection[] = [];
  #login: LoginHook | undefined;

  /**
   * An operator without handlers; does nothing before {@linkcode start}.
   *
   * @throws {UsageError} if `name` is no lower-case DNS label, or a legacy finalizer is invalid or Kubernetes' own.
   */
  constructor(name: string, { storage, legacyFinalizers = [] }: OperatorOptions = {}) {
    declaring(Operator as never, () => {
      if (!isDnsLabel(name)) throw new UsageError(`operator name "${name}" is not a lower-case DNS label`);
      for (const finalizer of legacyFinalizers) checkForeignFinalizer(finalizer);
    });
    this.legacyFinalizers = legacyFinalizers;
    this.name = name;
    this.storage = storage ?? new AnnotationStorage({ prefix: `${name}.pintle.dev` });
  }

  /**
   * The handlers of a kind, its own ({@linkcode defineResource}) or any other.
   *
   * @throws {UsageError} for another definition of a kind that has handlers.
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
        "drop large fields with `transform` of the view; the status stays",
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
   * Handlers for all kinds that a selector matches, later CRDs included, except kinds with handlers by {@linkcode on};
   * `declare` is called once for each. Grant access by {@linkcode permissions}; a kind that may not be listed is logged
   * and delays no other.
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
   * Runs once per process before its first reconcile; an error prevents the start. With leader election also on waiting
   * replicas, whose writes are refused.
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
   * Checks a dependency, such as a database; throws what is wrong. Run at most every ten seconds, by `/readyz`, or by
   * `/livez` if only a new process helps.
   *
   * @throws {UsageError} if the id is taken.
   */
  probe(
    id: string,
    check: ActivityHandler,
    { of = "readiness" }: { readonly of?: "readiness" | "liveness" } = {},
  ): this {
    if (!isDnsLabel(id)) {
      throw new UsageError(`"${id}" is not a valid id of a probe`, "lower-case letters, digits and -");
    }
    if (this.#probes.some((probe) => probe.id === id)) throw new UsageError(`there is a probe "${id}" already`);
    this.#probes.push({ id, check, of });
    return this;
  }

  /**
   * Serves a path beside `/livez`, `/readyz` and `/metrics`, on every replica, leading or not. The handler gets every
   * method and the query; its errors are only logged and answered with 500. Requests are not authenticated: check them
   * in the handler, or restrict the port by a NetworkPolicy.
   *
   * @throws {UsageError} for a taken or invalid path, and invalid bounds.
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
   * Credentials for `run`, instead of kubeconfigs and service accounts: called at the start, on expiry and on refusal.
   * A kubeconfig or context on the command line takes precedence.
   *
   * @throws {UsageError} if there is one already.
   */
  login(hook: LoginHook): this {
    if (this.#login) throw new UsageError("the operator has a login hook already");
    this.#login = hook;
    return this;
  }

  /**
   * Adds what handlers do through `client` to the generated RBAC: declarations do not show it.
   *
   * @throws {UsageError} for what is no rule.
   */
  permissions(...rules: readonly HandlerRule[]): this {
    requireRules("permissions", rules);
    this.#permissions.push(...rules);
    return this;
  }

  /**
   * Removes from the generated RBAC what `owns` brings and handlers never do, such as `delete` without `prune()`. What
   * the framework itself needs cannot be removed: {@linkcode rules} then throws.
   *
   * @throws {UsageError} for what is no rule.
   */
  withoutPermissions(...rules: readonly PolicyRule[]): this {
    requireRules("withoutPermissions", rules);
    this.#withoutPermissions.push(...rules.flatMap(permissionsOf));
    return this;
  }

  /** The RBAC rules that the operator needs. @throws {UsageError} as {@linkcode declaredPermissions}. */
  rules(): PolicyRule[] {
    return rulesOf(this.declaredPermissions());
  }

  /**
   * What the rules allow, one by one, and what declares each.
   *
   * @throws {UsageError} if {@linkcode withoutPermissions} names one that is not declared, or that the framework needs.
   */
  declaredPermissions(): DeclaredPermission[] {
    const declared = requiredPermissions(this.declarations, this.#permissions, {
      legacyFinalizers: this.legacyFinalizers,
      selects: this.#selections.length > 0,
    });
    for (const without of this.#withoutPermissions) {
      const found = declared.find((each) => isSamePermission(each, without));
      if (found && found.by !== "framework") continue;
      const { verb, resource, group } = without, why = found ? "the framework needs it" : "nothing declares it";
      throw new UsageError(
        `withoutPermissions: operator ${this.name} cannot be without ${verb} of ${resource} in API group "${group}": ${why}`,
        "name only what `owns` brings: create, patch or delete of an owned kind",
      );
    }
    return declared.filter((each) => !this.#withoutPermissions.some((without) => isSamePermission(each, without)));
  }

  /** The CRDs of its own kinds. `namespace`: of the Service that converts versions with different fields. */
  crds({ namespace = "default" }: { readonly namespace?: string } = {}): DynamicObject[] {
    const { statusFields = [] } = this.storage, service = { namespace, name: webhookServiceName(this.name) };
    return this.#customResources.map((resource) => {
      const crd = resource.crd({ statusFields });
      if (!resource.conversion()) return crd;
      return { ...crd, spec: { ...crd.spec as object, conversion: webhookConversion({ service }) } };
    });
  }

  /** The conversions of its own kinds whose versions have different fields. */
  get conversions(): readonly KindConversion[] {
    const { statusFields = [] } = this.storage;
    return this.#customResources.flatMap((resource) => resource.conversion({ statusFields }) ?? []);
  }

  /** Whether API servers call it for admission or conversion. */
  get servesWebhooks(): boolean {
    return this.#admission.length > 0 || this.conversions.length > 0;
  }

  /** The finalizer for a kind's delete handlers and daemons; no other operator uses it. */
  finalizer(kind: { readonly group: string }): string {
    return `${kind.group || "pintle.dev"}/${this.name}`;
  }

  /** The declarations per kind, except kinds with only admission handlers: they need no watch. */
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

  /** Its selections of kinds. */
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
   * Runs start-up handlers, watches, then reconciles. Resolves when every store is complete and work has begun.
   *
   * @throws whatever a start-up handler throws; the signal's reason if it aborts before the stores are complete.
   */
  start(options: StartOptions): Promise<RunningOperator> {
    return RunningOperator.start(this, options);
  }

  /**
   * What one reconcile of each object would write now. Every write is a dry run: the server checks it and keeps
   * nothing. Handlers run for real, start-up and clean-up included: effects outside the cluster happen unless they
   * check `context.dryRun`.
   *
   * @throws whatever a start-up handler throws; the signal's reason if it aborts.
   */
  plan(options: PlanOptions): AsyncGenerator<PlannedPass> {
    return RunningOperator.plan(this, options);
  }

  static {
    methodsDeclare(this);
  }
}

/** @throws {UsageError} for two views of one kind: two controllers would write one object. */
function requireOneController(kind: ResourceKind, others: readonly ControllerDeclaration[]): void {
  const name = formatGroupResource(kind);
  const other = others.find((each) => formatGroupResource(each.kind) === name && each.kind.view !== kind.view);
  if (!other) return;
  throw new UsageError(`${name} has handlers by two views`, "give one value to every on()");
}

/** Whether nothing declared needs a watch. */
function isBare(
  { reconcile, changes, events, daemons, indexes, timers, owns, watches }: ControllerDeclaration,
): boolean {
  return !reconcile && [changes, events, daemons, indexes, timers, owns, watches].every(({ length }) => length === 0);
}

/** Without finalizers of Kubernetes' own controllers, volumes and orphans would be lost. */
function checkForeignFinalizer(finalizer: string): void {
  const [domain] = finalizer.split("/");
  if (!finalizer.includes("/") || !isQualifiedName(finalizer)) {
    throw new UsageError(`"${finalizer}" is not an operator's finalizer`, "a DNS name, / and a name");
  }
  if (/(^|\.)(kubernetes|k8s)\.io$/.test(domain!)) {
    throw new UsageError(`the finalizer ${finalizer} is Kubernetes' own: no operator can take it over`);
  }
}
