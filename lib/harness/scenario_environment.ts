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

interface ScenarioEnvironmentOptions {
  readonly cluster: Cluster;
  /** Its objects are deleted first. */
  readonly declared: Operator;
  readonly operator: OperatorUnderTest;
  readonly world?: unknown;
  readonly timeline: Timeline;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Notified of what stops the scenario outside of its body. */
  readonly onError?: (error: unknown) => void;
  /** Nobody uses the cluster afterwards: namespaces may stay. */
  readonly isDiscarded?: boolean;
  readonly onStep?: (kind: StepKind, title: string, ended: boolean) => void;
}

/** One scenario's part of a cluster, operator and record. */
export class ScenarioEnvironment {
  readonly #options: ScenarioEnvironmentOptions;
  readonly #gate: GatedTransport;
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
    this.#gate = new GatedTransport(cluster.transport(), timeline);
    const client = new Client(this.#gate, { fieldManager: "scenario", clock, random, mask: timeline.mask });
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

  /** Resolves when the scenario's namespace exists. */
  static async open(options: ScenarioEnvironmentOptions): Promise<ScenarioEnvironment> {
    const environment = new ScenarioEnvironment(options);
    try {
      await environment.#cluster.makeNamespace("home");
    } catch (error) {
      environment.close();
      throw error;
    }
    return environment;
  }

  get namespaces(): readonly string[] {
    return this.#cluster.namespaces;
  }

  get pendingWaits(): readonly PendingWait[] {
    return [...this.#pending];
  }

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
      operator: new ScenarioOperator(operator, () => this.#gate.isShut),
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

  /** Lists the objects if `check` leaves `seen` out. */
  #showing(resources: readonly ApiResource[], check: () => Promise<Verdict>): () => Promise<Verdict> {
    return async () => {
      const verdict = await check();
      if (verdict.holds || verdict.seen !== undefined) return verdict;
      return { holds: false, seen: await this.#cluster.describe(resources) };
    };
  }

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

  /** Makes every workload of the scenario ready `delayMs` after it appears or its spec changes. */
  async simulateWorkloads(delayMs: number): Promise<void> {
    await this.#workloads.start(delayMs);
  }

  /** A body that continues no longer reaches the cluster. Waits for writes in flight. */
  async endBody(): Promise<void> {
    const { clock, waitMsMax } = this.#options;
    await this.#workloads[Symbol.asyncDispose]();
    await this.#gate.shut(clock, waitMsMax);
  }

  /**
   * Removes everything of the scenario: first objects of the operator's kinds, whose finalizers the operator handles.
   * Then namespaces and objects outside of them; {@linkcode gone} waits for these.
   *
   * @throws {AggregateError} naming what was left; it was removed anyway, by force if finalizers held it.
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
            await this.#removeFinalizers(ref);
            throw error;
          });
        });
      }
    }
    const { namespaces, outside } = this.#cluster;
    for (const ref of outside.toReversed()) await attempt(() => this.#delete(ref));
    if (!this.#options.isDiscarded) {
      for (const name of namespaces) await attempt(() => this.#delete(namespaceRef(name)));
    }
    if (problems.length > 0) throw new AggregateError(problems, problems.map(describeError).join("\n"));
  }

  async gone(): Promise<void> {
    const { namespaces, outside } = this.#cluster;
    for (const ref of [...outside, ...namespaces.map(namespaceRef)]) await this.#untilGone(ref);
  }

  close(): void {
    this.#gate.close();
    this.#transport.close();
  }

  /**
   * Deletes a kind's objects in the scenario's namespaces; returns those that finalizers hold. If others write the
   * kind's status, it deletes only those with finalizers: namespaces delete the rest.
   */
  async #deleteAll(kind: TypedResource<KubeObject>): Promise<Ref<never>[]> {
    const held: Ref<never>[] = [], isOwn = "crd" in kind || ("hasStatus" in kind && kind.hasStatus === true);
    if (!kind.namespaced) return held;
    const { items } = await this.#admin.list(kind).catch(nothingFound);
    for (const object of items) {
      if (!this.#cluster.namespaces.includes(object.metadata?.namespace ?? "")) continue;
      if (!isOwn && !object.metadata?.finalizers?.length) continue;
      const ref = { resource: kind, key: keyOf(object) } as Ref<never>;
      await this.#delete(ref);
      if (await this.#admin.find(kind, ref.key)) held.push(ref);
    }
    return held;
  }

  async #delete({ resource, key }: Ref<never>): Promise<void> {
    await this.#admin.delete(resource, key).catch(ignoreNotFound);
  }

  async #removeFinalizers({ resource, key }: Ref<never>): Promise<void> {
    const patch = { metadata: { finalizers: null } } as never;
    await this.#admin.patch(resource, key, { type: "merge", body: patch }).catch(ignoreNotFound);
  }

  /** Clean-up ignores the scenario's aborted signal. */
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

/** The body's transport: its writes are recorded, and none passes after {@linkcode shut}. */
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

  /** Blocks all requests; resolves when no write is in flight, or at the bound. */
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
