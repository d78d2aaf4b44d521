import {
  type Clock,
  describeError,
  type Random,
  SeededRandom,
  type Transport,
  type TransportRequest,
} from "../base/mod.ts";
import { type ApiResource, keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import { KindResolver, Namespace, type Operator } from "../operator/mod.ts";
import type { Cluster } from "./cluster.ts";
import { type EventObject, EVENTS, Expectation } from "./expectation.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { Ref, TypedResource } from "./ref.ts";
import { ScenarioCluster } from "./scenario_cluster.ts";
import type { ScenarioContext, Step } from "./scenario_context.ts";
import { ScenarioOperator } from "./scenario_operator.ts";
import { recorded, type StepKind, type Timeline } from "./timeline.ts";
import { type PendingWait, type Verdict, type WaitOptions, waitUntil } from "./waiting.ts";
import { Workloads } from "./workloads.ts";

/** What a stage is made of. */
interface ScenarioEnvironmentOptions {
  readonly cluster: Cluster;
  /** The kinds of the operator under test; its objects go first when the stage is cleared. */
  readonly declared: Operator;
  readonly operator: OperatorUnderTest;
  /** The scenario's outside world. */
  readonly world?: unknown;
  readonly timeline: Timeline;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Told what keeps the scenario from going on, outside of its story. */
  readonly onError?: (error: unknown) => void;
  /** Told when a step begins and when it ends. */
  readonly onStep?: (kind: StepKind, title: string, ended: boolean) => void;
}

/** Where one scenario takes place: its corner of a cluster, its operator, its record. */
export class ScenarioEnvironment {
  readonly #options: ScenarioEnvironmentOptions;
  readonly #door: GatedTransport;
  readonly #transport: Transport;
  readonly #admin: Client;
  readonly #cluster: ScenarioCluster;
  readonly #waiting: WaitOptions;
  readonly #pending = new Set<PendingWait>();
  readonly #workloads: Workloads;

  private constructor(options: ScenarioEnvironmentOptions) {
    this.#options = options;
    const { cluster, clock, random = new SeededRandom(1), declared, prefix, signal, waitMsMax, timeline } = options;
    this.#transport = cluster.transport();
    this.#admin = new Client(this.#transport, { fieldManager: "scenario", clock, random, mask: timeline.mask });
    this.#door = new GatedTransport(cluster.transport(), timeline);
    const client = new Client(this.#door, { fieldManager: "scenario", clock, random, mask: timeline.mask });
    const kinds = declared.declarations.map(({ kind }) => kind);
    this.#waiting = { client, clock, waitMsMax, signal, pending: this.#pending, deleted: new Map() };
    this.#workloads = new Workloads({
      waiting: this.#waiting,
      clusterKind: cluster.kind,
      isOwn: ({ metadata }) => metadata?.namespace?.startsWith(`${prefix}-`) === true,
      onError: (error) => options.onError?.(error),
    });
    const resolver = new KindResolver(client, clock, [Namespace, ...kinds], { discoveryMsMin: 0 });
    this.#cluster = new ScenarioCluster(this.#waiting, resolver, prefix);
  }

  /** Sets the stage: the scenario's own namespace exists when this resolves. */
  static async open(options: ScenarioEnvironmentOptions): Promise<ScenarioEnvironment> {
    const stage = new ScenarioEnvironment(options);
    try {
      await stage.#cluster.makeNamespace("home");
    } catch (error) {
      stage.close();
      throw error;
    }
    return stage;
  }

  /** Every namespace that the scenario has made, its own first. */
  get namespaces(): readonly string[] {
    return this.#cluster.namespaces;
  }

  /** What the story waits for now. */
  get pendingWaits(): readonly PendingWait[] {
    return [...this.#pending];
  }

  /** What the story gets. */
  context(): ScenarioContext {
    const { operator, clock, signal, timeline } = this.#options, cluster = this.#cluster, waiting = this.#waiting;
    return {
      given: this.#step("given"),
      when: this.#step("when"),
      then: this.#step("then"),
      cluster,
      namespace: cluster.namespace,
      prefix: cluster.prefix,
      world: this.#options.world,
      operator: new ScenarioOperator(operator, () => this.#door.isShut),
      ref: <T extends KubeObject>(resource: TypedResource<T>, name: string, namespace = cluster.namespace): Ref<T> => ({
        resource,
        key: resource.namespaced ? { namespace, name } : { name },
      }),
      expect: (ref) => new Expectation(ref, waiting),
      makeReady: (ref) => this.#workloads.makeReady(ref),
      makeFail: (ref, message = "the scenario makes it fail") => this.#workloads.makeFail(ref, message),
      eventually: (what, resources, check) => waitUntil(what, resources, this.#showing(resources, check), waiting),
      logs: timeline.logs,
      clock,
      signal,
    };
  }

  /** A check that lists the objects where `check` leaves `seen` out. */
  #showing(resources: readonly ApiResource[], check: () => Promise<Verdict>): () => Promise<Verdict> {
    return async () => {
      const verdict = await check();
      if (verdict.holds || verdict.seen !== undefined) return verdict;
      return { holds: false, seen: await this.#cluster.describe(resources) };
    };
  }

  /** Enters the Events of the scenario's namespaces in the record. */
  async collectEvents(): Promise<void> {
    for (const namespace of this.#cluster.namespaces) {
      const { items } = await this.#admin.list<EventObject>(EVENTS, { namespace });
      for (const { type = "", reason = "", note = "", regarding = {}, eventTime, deprecatedLastTimestamp } of items) {
        const about = `${regarding.kind ?? ""} ${regarding.namespace ? `${regarding.namespace}/` : ""}${
          regarding.name ?? ""
        }`;
        const atMs = Date.parse(eventTime ?? deprecatedLastTimestamp ?? "");
        this.#options.timeline.event({
          type,
          reason,
          note,
          regarding: about,
          atMs: Number.isNaN(atMs) ? this.#options.clock.now() : atMs,
        });
      }
    }
  }

  /** Has every workload of the scenario become ready by itself, `delayMs` after it appears or its spec changes. */
  async playWorkloads(delayMs: number): Promise<void> {
    await this.#workloads.start(delayMs);
  }

  /**
   * The scenario body is over: one that continues no longer reaches the cluster. Waits for writes that are on their
   * way.
   */
  async endBody(): Promise<void> {
    const { clock, waitMsMax } = this.#options;
    await this.#workloads[Symbol.asyncDispose]();
    await this.#door.shut(clock, waitMsMax);
  }

  /**
   * Removes everything of the scenario: first the objects of the operator's own kinds, with the operator's help where
   * finalizers need it, then the namespaces and what was made outside of them. Does not wait for these:
   * {@linkcode gone} does.
   *
   * @throws {AggregateError} that names what did not go by itself. It was removed anyway, by force where
   *   finalizers
   * held it.
   */
  async clear(): Promise<void> {
    const problems: unknown[] = [];
    const attempt = (act: () => Promise<void>) => act().catch((error) => void problems.push(error));
    const held: Ref<never>[] = [];
    for (const { kind } of this.#options.declared.declarations) {
      await attempt(async () => void held.push(...await this.#deleteAll(kind)));
    }
    if (held.length > 0) {
      await attempt(() => this.#options.operator.resume());
      for (const ref of held) {
        await attempt(async () => {
          await this.#untilGone(ref).catch(async (error) => {
            await this.#force(ref);
            throw error;
          });
        });
      }
    }
    const { namespaces, outside } = this.#cluster;
    for (const ref of outside.toReversed()) await attempt(() => this.#delete(ref));
    for (const name of namespaces) await attempt(() => this.#delete(namespaceRef(name)));
    if (problems.length > 0) throw new AggregateError(problems, problems.map(describeError).join("\n"));
  }

  /** Waits until the scenario's namespaces, and what it made outside of them, are gone. */
  async gone(): Promise<void> {
    const { namespaces, outside } = this.#cluster;
    for (const ref of [...outside, ...namespaces.map(namespaceRef)]) await this.#untilGone(ref);
  }

  /** Lets go of the connections. */
  close(): void {
    this.#door.close();
    this.#transport.close();
  }

  /**
   * Deletes the objects of a kind in the scenario's namespaces; returns those that finalizers hold. Of a kind whose
   * status others write only what a finalizer may hold: the rest goes with the namespaces.
   */
  async #deleteAll(kind: TypedResource<KubeObject>): Promise<Ref<never>[]> {
    const held: Ref<never>[] = [], isOwn = "crd" in kind || ("hasStatus" in kind && kind.hasStatus === true);
    for (const namespace of kind.namespaced ? this.#cluster.namespaces : []) {
      const { items } = await this.#admin.list(kind, { namespace }).catch(nothingFound);
      for (const object of items) {
        if (!isOwn && !object.metadata?.finalizers?.length) continue;
        const ref = { resource: kind, key: { ...keyOf(object), namespace } } as Ref<never>;
        await this.#delete(ref);
        if (await this.#admin.find(kind, ref.key)) held.push(ref);
      }
    }
    return held;
  }

  async #delete({ resource, key }: Ref<never>): Promise<void> {
    await this.#admin.delete(resource, key).catch(ignoreNotFound);
  }

  async #force({ resource, key }: Ref<never>): Promise<void> {
    const patch = { metadata: { finalizers: null } } as never;
    await this.#admin.patch(resource, key, { type: "merge", body: patch }).catch(ignoreNotFound);
  }

  /** Clean-up continues where the scenario's own signal has aborted. */
  #untilGone(ref: Ref<never>): Promise<void> {
    return new Expectation(ref, { ...this.#waiting, client: this.#admin, signal: undefined }).toBeGone();
  }

  #step(kind: StepKind): Step {
    return async (title, act) => {
      const { timeline, signal, onStep } = this.#options;
      signal.throwIfAborted();
      const step = timeline.begin(kind, title), shown = timeline.mask.text(title);
      onStep?.(kind, shown, false);
      try {
        return await act();
      } catch (error) {
        step.failure = describeError(error);
        throw error;
      } finally {
        step.endMs = timeline.clock.now();
        onStep?.(kind, shown, true);
      }
    };
  }
}

/** The story's way to the cluster: its writes are entered in the record, and none passes once it is shut. */
class GatedTransport implements Transport {
  readonly #inner: Transport;
  readonly #timeline: Timeline;
  readonly #writing = new Set<Promise<unknown>>();
  #isShut = false;

  get isShut(): boolean {
    return this.#isShut;
  }

  constructor(inner: Transport, timeline: Timeline) {
    this.#inner = inner;
    this.#timeline = timeline;
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    if (this.#isShut) throw new Error("the scenario is over");
    const { method = "GET" } = request;
    if (method === "GET") return await this.#inner.fetch(path, request);
    const writing = recorded(this.#inner, { path, request }, "scenario", this.#timeline);
    this.#writing.add(writing);
    try {
      return await writing;
    } finally {
      this.#writing.delete(writing);
    }
  }

  /** Lets nothing pass any more; resolves when no write is on its way, or when the bound is reached. */
  async shut(clock: Clock, waitMsMax: number): Promise<void> {
    this.#isShut = true;
    const late = Promise.withResolvers<void>();
    const timer = clock.schedule(late.resolve, waitMsMax);
    await Promise.race([Promise.allSettled(this.#writing), late.promise]);
    clock.clear(timer);
  }

  close(): void {
    this.#isShut = true;
    this.#inner.close();
  }
}

function namespaceRef(name: string): Ref<never> {
  return { resource: Namespace, key: { name } } as Ref<never>;
}

function nothingFound(error: unknown): { items: KubeObject[] } {
  ignoreNotFound(error);
  return { items: [] };
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error;
}
