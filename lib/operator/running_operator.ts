import {
  type Clock,
  describeError,
  INLINE_MEMO,
  invariant,
  LinkedAbort,
  type Logger,
  Mask,
  maskLogger,
  Memo,
  type Random,
  silentLogger,
  SystemClock,
  SystemRandom,
  type Transport,
  untilAborted,
} from "../base/mod.ts";
import { type AdmissionHost, AdmissionWebhooks } from "../admission/mod.ts";
import {
  type ApiResource,
  EVERYWHERE,
  formatGroupResource,
  type NamespaceScope,
  type ObjectKey,
} from "../apimachinery/mod.ts";
import type { ReflectorBounds } from "../cache/mod.ts";
import { Client, type ClientOptions } from "../client/mod.ts";
import {
  Controller,
  CONTROLLER_DEFAULTS,
  type ControllerDeclaration,
  type ControllerObserver,
  type ControllerOptions,
  EventRecorder,
  IndexSet,
  type Journal,
  type PlannedPass,
  PlannedStorage,
  type PresentState,
  SharedInformers,
  storeTransform,
} from "../controller/mod.ts";
import { declareSelected, kindsSelected } from "./kind_selection.ts";
import { KindResolver } from "./kind_resolver.ts";
import { KindWatch } from "./kind_watch.ts";
import { type ControllerStatus, controllerStatusOf } from "./controller_status.ts";
import type { ActivityContext, KindSelection, OperatorDeclaration } from "./operator_declaration.ts";
import { watchesOf, type WatchStatus } from "./watch_status.ts";

/** Options of a start. Everything but the transport has a default. */
export interface StartOptions {
  /** The connection to the cluster; the caller closes it. */
  readonly transport: Transport;
  /** The machine's by default. */
  readonly clock?: Clock;
  /** For jitter and random names; the machine's by default. */
  readonly random?: Random;
  /** Discards everything by default. */
  readonly logger?: Logger;
  /** Masks values of Secrets in logs, Events, status and plans; the operator's own by default. */
  readonly mask?: Mask;
  /** This process's name in Events; the operator's by default. */
  readonly instance?: string;
  /** Bounds of every controller: workers, timeouts, backoff. */
  readonly controller?: Partial<ControllerOptions>;
  /** Bounds of every watch: pages, silence, pauses. */
  readonly watching?: ReflectorBounds;
  /** Bounds of every request; the client's own by default. */
  readonly requests?: Pick<ClientOptions, "requestTimeoutMs" | "retriesMax">;
  /** After each attempt of a request. */
  readonly onRequest?: ClientOptions["onRequest"];
  /** After each admission review. */
  readonly onReview?: AdmissionHost["onReview"];
  /** OpenTelemetry's `Tracer`: a span per API request. None by default. */
  readonly tracer?: ClientOptions["tracer"];
  /** Keeps why each object was reconciled, and what that read and wrote; nothing by default. */
  readonly journal?: Journal;
  /** Metrics and spans, per controller name. */
  readonly observe?: (controller: string) => ControllerObserver;
  /**
   * Makes it one of several replicas: stores fill at once, but it works only as leader. Until then its `transport`
   * should refuse writes (`fencedTransport`).
   */
  readonly leadership?: Leadership;
  /** Whether it handles a declared kind; true by default. If given, selected kinds are skipped. */
  readonly handles?: (kind: ApiResource) => boolean;
  /** Its namespaces; all by default. */
  readonly scope?: NamespaceScope;
  /**
   * Called first: conversion webhooks must answer before the stores fill, since lists may need them. Admission reviews
   * wait until the stores are full.
   */
  readonly serve?: (running: RunningOperator) => Promise<void> | void;
  /** Aborts a start that takes too long. */
  readonly signal?: AbortSignal;
}

export interface PlanOptions
  extends Pick<StartOptions, "transport" | "clock" | "random" | "logger" | "mask" | "controller" | "scope"> {
  /** All objects by default. */
  readonly only?: (kind: ApiResource, key: ObjectKey) => boolean;
  readonly signal: AbortSignal;
}

/** How an operator comes to lead; `LeaderElector` implements it. */
export interface Leadership {
  /** Resolves when this process leads; rejects with the signal's reason if that aborts first. */
  acquire(signal: AbortSignal): Promise<void>;
}

/** `standby`: all stores full, waits to lead. `stopping`: takes no more work. `stopped`: everything is released. */
export type OperatorState = "starting" | "standby" | "running" | "stopping" | "stopped";

/** A running operator. Disposing it stops it without grace. */
export class RunningOperator implements AsyncDisposable {
  /** Its field manager is the operator's name. */
  readonly client: Client;
  readonly #informers: SharedInformers;
  readonly #controllers = new Map<Controller, AbortController>();
  /** By name: controllers of selected kinds that run or wait for their predecessors to end. */
  readonly #selected = new Map<string, Promise<void>>();
  readonly #selections: readonly KindSelection[] = [];
  readonly #createController: (declaration: ControllerDeclaration) => Controller;
  /** The admission handlers to be served; every replica answers. */
  readonly webhooks: AdmissionWebhooks;
  readonly #operator: OperatorDeclaration;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #dryRun: boolean;
  readonly #shared = new Memo((source) => this.#logger.warn(INLINE_MEMO, { source }));
  readonly #scope: NamespaceScope;
  #unsubscribeScope: (() => void) | undefined;
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  readonly #cachesSynced = Promise.withResolvers<void>();
  #running: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  #state: OperatorState = "starting";

  private constructor(operator: OperatorDeclaration, options: StartOptions, dryRun: boolean) {
    this.#stop.signal.addEventListener("abort", () => this.#controllers.forEach((end) => end.abort()), { once: true });
    const { clock = new SystemClock(), random = new SystemRandom(), mask = new Mask() } = options;
    const { transport, tracer, handles, journal } = options, logger = maskLogger(options.logger ?? silentLogger, mask);
    this.#operator = operator;
    this.#clock = clock;
    this.#random = random;
    this.#logger = logger;
    this.#dryRun = dryRun;
    this.client = new Client(transport, {
      fieldManager: operator.name,
      clock,
      random,
      logger,
      mask,
      onRequest: (record) => [kinds, options].forEach((each) => each.onRequest?.(record)),
      tracer,
      dryRun,
      ...options.requests,
    });
    this.#informers = new SharedInformers(this.client, { ...options.watching, clock, random, logger });
    const kinds = new KindResolver(this.client, clock, kindsOf(operator), { signal: this.#abort.signal });
    const events = new EventRecorder(this.client, {
      controller: operator.name,
      instance: options.instance ?? operator.name,
      clock,
      random,
      logger,
    });
    const indexes = new IndexSet(logger), { scope = EVERYWHERE } = options;
    this.webhooks = new AdmissionWebhooks(operator.admission, {
      clock,
      logger,
      mask,
      reader: (signal) => this.client.with({ signal }),
      index: (of) => indexes.reader(of),
      remembered: (kind, object) =>
        [...this.#controllers.keys()].find(({ name }) => name === formatGroupResource(kind))?.remembered(object),
      shared: this.#shared,
      signal: this.#abort.signal,
      ready: this.#cachesSynced.promise,
      onReview: options.onReview,
    });
    this.#scope = scope;
    const transform = storeTransform(operator.name);
    this.#createController = (declaration) =>
      new Controller(declaration, {
        client: this.client,
        informers: this.#informers,
        resolveKind: (group, version, kind) => kinds.resolve(group, version, kind),
        events,
        ...{ clock, random, logger, journal },
        observer: options.observe?.(`${declaration.kind.plural}.${declaration.kind.group}`),
        fieldManager: operator.name,
        transform,
        finalizer: operator.finalizer(declaration.kind),
        legacyFinalizers: operator.legacyFinalizers,
        storage: dryRun ? new PlannedStorage(operator.storage) : operator.storage,
        indexes,
        shared: this.#shared,
        scope,
        options: { ...CONTROLLER_DEFAULTS, ...options.controller },
      });
    if (!handles) this.#selections = operator.selections;
    for (const declaration of operator.declarations) {
      if (handles?.(declaration.kind) ?? true) this.#add(declaration);
    }
  }

  /** See {@linkcode Operator.start}. */
  static async start(operator: OperatorDeclaration, options: StartOptions): Promise<RunningOperator> {
    const running = new RunningOperator(operator, options, false);
    const abandon = () => void running.crash();
    options.signal?.addEventListener("abort", abandon, { once: true });
    try {
      options.signal?.throwIfAborted();
      await running.#start(options);
      return running;
    } catch (error) {
      await running.crash();
      throw error;
    } finally {
      options.signal?.removeEventListener("abort", abandon);
    }
  }

  /** See {@linkcode Operator.plan}. */
  static async *plan(operator: OperatorDeclaration, options: PlanOptions): AsyncGenerator<PlannedPass> {
    const { signal, only = () => true } = options;
    const planning = new RunningOperator(operator, options, true);
    const end = () => planning.#abort.abort(signal.reason);
    signal.addEventListener("abort", end, { once: true });
    try {
      signal.throwIfAborted();
      await planning.#addSelected(signal);
      await planning.#syncCaches(signal);
      for (const controller of planning.#all) {
        yield* controller.plan((key) => only(controller.kind, key), planning.#abort.signal);
      }
      await planning.#cleanUp();
    } finally {
      signal.removeEventListener("abort", end);
      await planning.crash();
    }
  }

  /** Its work per kind with handlers; selected kinds come and go. */
  get kinds(): readonly ControllerStatus[] {
    return this.#all.map(controllerStatusOf);
  }

  /** Every present watch. */
  get watches(): readonly WatchStatus[] {
    return watchesOf(this.#informers);
  }

  /** Calls a probe or other activity with the context of start-up handlers. */
  async run<R>(activity: (context: ActivityContext) => Promise<R> | R, signal: AbortSignal): Promise<R> {
    return await activity({ ...this.#activityContext(), signal });
  }

  /** The present state. */
  get state(): OperatorState {
    return this.#state;
  }

  /** What a kind's controller knows of an object now; undefined if it is not handled here. */
  present(resource: string, key: ObjectKey): PresentState | undefined {
    return this.#all.find(({ name }) => name === resource)?.present(key);
  }

  /** Whether no reconcile is ready or running; delayed work (timers, retries) does not count. */
  get idle(): boolean {
    return this.#all.every((controller) => controller.idle);
  }

  /** Resolves when the operator has stopped. */
  async finished(): Promise<void> {
    await this.#running;
    await this.#stopping;
  }

  /** Takes no work, gives passes `graceMs`, aborts the rest, runs clean-ups, ends watches. Further calls wait. */
  stop(graceMs: number): Promise<void> {
    return this.#stopping ??= this.#stopWithin(graceMs);
  }

  /**
   * Ends work for objects out of scope, daemons included; resolves when nothing writes for them. Passes get `graceMs`,
   * then are cut short. Call it after a change of scope.
   */
  async release(graceMs: number): Promise<void> {
    using abort = new LinkedAbort([this.#abort.signal]);
    const timer = this.#clock.schedule(() => abort.abort(new Error("the grace period is over")), graceMs);
    try {
      await Promise.all(this.#all.map((controller) => controller.stopOutOfScope(abort.signal)));
    } finally {
      this.#clock.clear(timer);
    }
  }

  /** Stops like a killed process: cuts passes short, skips clean-up handlers. */
  async crash(): Promise<void> {
    this.#unsubscribeScope?.();
    this.#stop.abort();
    this.#abort.abort();
    await this.#running.catch(() => {});
    for (const controller of this.#all) controller.close();
    await this.#informers.close();
    this.#state = "stopped";
  }

  /** Like {@linkcode crash}; does nothing after a stop. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "stopped") await this.crash();
  }

  get #all(): readonly Controller[] {
    return [...this.#controllers.keys()];
  }

  async #syncCaches(signal: AbortSignal | undefined): Promise<void> {
    const context = this.#activityContext();
    this.#operator.metrics.warnTo(this.#logger);
    for (const handler of this.#operator.activities.startup) await handler(context);
    const started = Promise.all(this.#all.map((controller) => controller.start()));
    await (signal ? untilAborted(started, signal) : started);
    this.#cachesSynced.resolve();
  }

  async #start({ signal, leadership, serve }: StartOptions): Promise<void> {
    await serve?.(this);
    await this.#syncCaches(signal);
    if (!leadership) return this.#run();
    this.#state = "standby";
    this.#running = leadership.acquire(this.#stop.signal).then(() => {
      // A stop may have come at the moment the lease was won.
      if (this.#stop.signal.aborted) return;
      this.#run();
      return this.#running;
    }, (error) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  #run(): void {
    this.#state = "running";
    this.#unsubscribeScope = this.#scope.onChange?.(() => this.#all.forEach((controller) => controller.rescope()));
    this.#running = Promise.all([
      ...[...this.#controllers].map(([controller, end]) => controller.run(end.signal, this.#abort.signal)),
      ...(this.#selections.length > 0 ? [this.#followKinds()] : []),
    ]);
    this.#logger.info("operator runs", {
      operator: this.#operator.name,
      kinds: this.#all.map(({ name }) => name),
    });
  }

  /** Selected kinds that may be read now: a store that never fills would hold up all others. */
  async #addSelected(signal: AbortSignal): Promise<void> {
    for (const { selection, kind } of await kindsSelected(this.#operator, this.client, signal)) {
      const may = (verb: string) => this.client.can({ verb, resource: kind, namespace: this.#scope.only }, { signal });
      if (await may("list") && await may("watch")) this.#add(declareSelected(selection, kind, this.#operator.storage));
    }
  }

  #add(declaration: ControllerDeclaration): Controller {
    const controller = this.#createController(declaration);
    this.#controllers.set(controller, new AbortController());
    return controller;
  }

  async #followKinds(): Promise<void> {
    const { storage, declarations } = this.#operator;
    const watch = new KindWatch(this.#selections, {
      client: this.client,
      informers: this.#informers,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
      declared: declarations.map(({ kind }) => kind),
      begin: (selection, kind, gone) => this.#begin(declareSelected(selection, kind, storage), gone),
    });
    await watch.follow(this.#stop.signal);
    await Promise.all(this.#selected.values());
  }

  /** Handles a selected kind until `gone` aborts, after its controller of another version has ended. */
  #begin(declaration: ControllerDeclaration, gone: AbortSignal): void {
    const name = formatGroupResource(declaration.kind), before = this.#selected.get(name) ?? Promise.resolve();
    const running = before.then(() => this.#handleSelected(declaration, gone)).finally(() => {
      if (this.#selected.get(name) === running) this.#selected.delete(name);
    });
    this.#selected.set(name, running);
  }

  async #handleSelected(declaration: ControllerDeclaration, gone: AbortSignal): Promise<void> {
    if (gone.aborted || this.#stop.signal.aborted) return;
    const controller = this.#add(declaration), end = this.#controllers.get(controller)!;
    this.#logger.info("handles a kind that is selected", {
      kind: controller.name,
      version: declaration.kind.version,
    });
    const ended = new Promise<"ended">((resolve) => {
      end.signal.addEventListener("abort", () => resolve("ended"), { once: true });
    });
    gone.addEventListener("abort", () => end.abort(), { once: true });
    try {
      const state = await Promise.race([controller.start(), ended]);
      if (state !== "ended") await controller.run(end.signal, this.#abort.signal);
      controller.close();
    } finally {
      this.#controllers.delete(controller);
    }
  }

  async #stopWithin(graceMs: number): Promise<void> {
    const led = this.#state === "running";
    invariant(led || this.#state === "standby", `stop() of an operator that is ${this.#state}`);
    this.#state = "stopping";
    this.#unsubscribeScope?.();
    this.#stop.abort();
    const timer = this.#clock.schedule(() => this.#abort.abort(new Error("the grace period is over")), graceMs);
    try {
      await this.#running;
      if (led) await this.#cleanUp();
    } finally {
      this.#clock.clear(timer);
      await this.#informers.close();
      this.#state = "stopped";
      this.#logger.info("operator stopped", { operator: this.#operator.name });
    }
  }

  async #cleanUp(): Promise<void> {
    const context = this.#activityContext();
    for (const handler of this.#operator.activities.cleanup) {
      try {
        await handler(context);
      } catch (error) {
        this.#logger.error("a cleanup handler failed", { error: describeError(error) });
      }
    }
  }

  #activityContext() {
    return {
      client: this.client,
      clock: this.#clock,
      log: this.#logger,
      signal: this.#abort.signal,
      dryRun: this.#dryRun,
      shared: <M>(create: () => M) => this.#shared.of(create),
    };
  }
}

/** Every declared kind: reconciled, owned or watched. */
function kindsOf({ declarations }: OperatorDeclaration): ApiResource[] {
  return declarations.flatMap(({ kind, owns, watches }) => [kind, ...owns, ...watches.map(({ resource }) => resource)]);
}
