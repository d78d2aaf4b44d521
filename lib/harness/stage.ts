import {
  type Clock,
  describeError,
  type Random,
  SeededRandom,
  type Transport,
  type TransportRequest,
} from "../base/mod.ts";
import { keyOf, type KubeObject } from "../apimachinery/mod.ts";
import { Client, NotFoundError } from "../client/mod.ts";
import { Namespace } from "../operator/builtin_kinds.ts";
import { KindResolver } from "../operator/kind_resolver.ts";
import type { Operator } from "../operator/operator.ts";
import type { Cluster } from "./cluster.ts";
import { type EventObject, EVENTS, Expectation } from "./expectation.ts";
import type { OperatorUnderTest } from "./operator_under_test.ts";
import type { Ref, TypedResource } from "./ref.ts";
import { ScenarioCluster } from "./scenario_cluster.ts";
import type { ScenarioContext, Step } from "./scenario_context.ts";
import type { StepKind, Timeline } from "./timeline.ts";
import { type WaitOptions, waitUntil } from "./waiting.ts";

/** What a stage is made of. */
export interface StageOptions {
  readonly cluster: Cluster;
  /** The kinds of the operator under test; its objects go first when the stage is cleared. */
  readonly declared: Operator;
  readonly operator: OperatorUnderTest;
  readonly timeline: Timeline;
  readonly prefix: string;
  readonly clock: Clock;
  readonly random?: Random;
  readonly waitMsMax: number;
  readonly signal: AbortSignal;
  /** Told when a step begins and when it ends. */
  readonly onStep?: (kind: StepKind, title: string, ended: boolean) => void;
}

/** Where one scenario takes place: its corner of a cluster, its operator, its record. */
export class Stage {
  readonly #options: StageOptions;
  readonly #transport: Transport;
  readonly #cluster: ScenarioCluster;
  readonly #waiting: WaitOptions;

  private constructor(options: StageOptions) {
    this.#options = options;
    const { cluster, clock, random = new SeededRandom(1), declared, prefix, signal, waitMsMax, timeline } = options;
    this.#transport = recording(cluster.transport(), timeline);
    const client = new Client(this.#transport, { fieldManager: "scenario", clock, random });
    const kinds = declared.declarations.map(({ kind }) => kind);
    this.#cluster = new ScenarioCluster(client, new KindResolver(client, clock, [Namespace, ...kinds]), prefix);
    this.#waiting = { client, clock, waitMsMax, signal };
  }

  /** Sets the stage: the scenario's own namespace exists when this resolves. */
  static async open(options: StageOptions): Promise<Stage> {
    const stage = new Stage(options);
    try {
      await stage.#cluster.makeNamespace("home");
    } catch (error) {
      stage.#transport.close();
      throw error;
    }
    return stage;
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
      operator,
      ref: <T extends KubeObject>(resource: TypedResource<T>, name: string, namespace = cluster.namespace): Ref<T> => ({
        resource,
        key: resource.namespaced ? { namespace, name } : { name },
      }),
      expect: (ref) => new Expectation(ref, waiting),
      eventually: (what, resources, look) => waitUntil(what, resources, look, waiting),
      logs: timeline.logs,
      clock,
      signal,
    };
  }

  /** Enters the Events of the scenario's namespaces in the record. */
  async collectEvents(): Promise<void> {
    for (const namespace of this.#cluster.namespaces) {
      const { items } = await this.#cluster.client.list<EventObject>(EVENTS, { namespace });
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

  /**
   * Removes everything of the scenario: first the objects of the operator's own kinds, with the operator's help where
   * finalizers need it, then the namespaces. Does not wait for these: {@linkcode gone} does.
   */
  async clear(): Promise<void> {
    const { declared, operator } = this.#options, { client, namespaces } = this.#cluster;
    await operator.resume();
    for (const { kind } of declared.declarations) {
      if (!("crd" in kind)) continue;
      for (const namespace of namespaces) {
        const { items } = await client.list(kind, { namespace }).catch(nothingFound);
        const refs = items.map((object) => ({ resource: kind, key: { ...keyOf(object), namespace } }));
        for (const ref of refs) await this.#cluster.delete(ref as Ref<never>);
        for (const ref of refs) await new Expectation(ref, this.#clearing()).toBeGone();
      }
    }
    for (const name of namespaces) await this.#cluster.delete({ resource: Namespace, key: { name } });
  }

  /** Waits until the scenario's namespaces are gone. */
  async gone(): Promise<void> {
    for (const name of this.#cluster.namespaces) {
      await new Expectation({ resource: Namespace, key: { name } }, this.#clearing()).toBeGone();
    }
  }

  /** Lets go of the connection. */
  close(): void {
    this.#transport.close();
  }

  /** Clearing goes on where the scenario's own signal has aborted. */
  #clearing(): WaitOptions {
    return { ...this.#waiting, signal: undefined };
  }

  #step(kind: StepKind): Step {
    return async (title, act) => {
      const { timeline, signal, onStep } = this.#options;
      signal.throwIfAborted();
      const step = timeline.begin(kind, title);
      onStep?.(kind, title, false);
      try {
        return await act();
      } catch (error) {
        step.failure = describeError(error);
        throw error;
      } finally {
        step.endMs = timeline.clock.now();
        onStep?.(kind, title, true);
      }
    };
  }
}

/** A transport that enters the story's own writes in the record. */
function recording(inner: Transport, timeline: Timeline): Transport {
  return {
    fetch: async (path: string, request: TransportRequest = {}) => {
      const { method = "GET" } = request;
      if (method === "GET") return await inner.fetch(path, request);
      const response = await inner.fetch(path, request);
      timeline.write({ by: "scenario", method, path, status: response.status });
      return response;
    },
    close: () => inner.close(),
  };
}

function nothingFound(error: unknown): { items: KubeObject[] } {
  if (error instanceof NotFoundError) return { items: [] };
  throw error;
}
