import assert from "node:assert/strict";
import { SeededRandom, SystemClock } from "../lib/base/mod.ts";
import type { ApiResource, KubeObject, ObjectKey } from "../lib/apimachinery/mod.ts";
import { Client } from "../lib/client/mod.ts";
import type { Operator, RunningOperator, StartOptions } from "../lib/operator/mod.ts";
import { applyCrds } from "../lib/operator/installation.ts";
import {
  type Cluster,
  type ClusterUser,
  Expectation,
  type LogEntry,
  logLine,
  NotYetError,
  type SeenRequest,
  type WriteFault,
} from "../lib/harness/mod.ts";
import { InProcessOperator } from "../lib/harness/in_process_operator.ts";
import { ScenarioEnvironment } from "../lib/harness/scenario_environment.ts";
import { Timeline } from "../lib/harness/timeline.ts";
import { waitUntil } from "../lib/harness/waiting.ts";
import { openCluster } from "./cluster.ts";

/** Bound of each wait: a real garbage collector looks for new kinds every thirty seconds. */
const WAIT_MS_MAX = 60_000;

let worlds = 0;

/**
 * One test's own corner of a cluster: the stage of a scenario without its story. Namespaces that begin with its prefix,
 * an operator that it starts and stops, the requests that this made. Works alike on the embedded server and on a real
 * one; leaves nothing behind.
 */
export class World implements AsyncDisposable {
  readonly client: Client;
  readonly #timeline: Timeline;
  readonly #operator: InProcessOperator;
  readonly #stage: ScenarioEnvironment;

  private constructor(
    readonly cluster: Cluster,
    stage: ScenarioEnvironment,
    operator: InProcessOperator,
    timeline: Timeline,
  ) {
    this.client = new Client(cluster.transport(), { fieldManager: "test" });
    this.#stage = stage;
    this.#operator = operator;
    this.#timeline = timeline;
  }

  /** Opens a world in which the operator's CRDs are installed; nothing runs yet. It closes `cluster`. */
  static async open(declared: Operator, cluster?: Cluster): Promise<World> {
    const clock = new SystemClock(), timeline = new Timeline(clock), within = cluster ?? await openCluster();
    const operator = new InProcessOperator({
      operator: () => declared,
      cluster: within,
      user: undefined,
      clock,
      random: () => new SeededRandom(1),
      timeline,
      webhooksStay: true,
    });
    await applyCrds(new Client(within.transport(), { fieldManager: "test" }), declared);
    const prefix = `t${worlds++}-${crypto.randomUUID().slice(0, 8)}`;
    const options = { cluster: within, declared, operator, timeline, prefix, clock, waitMsMax: WAIT_MS_MAX };
    return new World(
      within,
      await ScenarioEnvironment.open({ ...options, signal: new AbortController().signal }),
      operator,
      timeline,
    );
  }

  /** First part of the names of everything of this world. */
  get prefix(): string {
    return this.#stage.context().prefix;
  }

  /** Its namespace `home`, which is there from the beginning. */
  get home(): string {
    return this.#stage.context().namespace;
  }

  /** What the operator has logged. */
  get logs(): readonly LogEntry[] {
    return this.#timeline.logs;
  }

  /** Starts the operator with short backoffs; its requests and logs are recorded. */
  async start(
    options: Partial<StartOptions> & { as?: ClusterUser; fault?: WriteFault } = {},
  ): Promise<RunningOperator> {
    assert.ok(!this.#operator.runs, "the operator of this world runs already");
    const { as, fault, ...rest } = options;
    await this.#operator.start({ as, fault, options: rest });
    return this.running;
  }

  /** The operator that runs. */
  get running(): RunningOperator {
    return this.#operator.running;
  }

  /** Stops the operator gracefully. */
  stop(): Promise<void> {
    return this.#operator.pause();
  }

  /** Ends the operator as kill -9 would. */
  kill(): Promise<void> {
    return this.#operator.crash();
  }

  /** What the operator wrote since it started. */
  get writes(): readonly SeenRequest[] {
    return this.#operator.writes;
  }

  /** Creates a namespace of this world; `name` comes after its prefix. */
  namespace(name: string, labels: Record<string, string> = {}): Promise<string> {
    return this.#stage.context().cluster.makeNamespace(name, labels);
  }

  /** Waits, woken by changes of `resources`, until `holds`. */
  async until(resources: readonly ApiResource[], holds: () => Promise<boolean>): Promise<void> {
    const look = async () => await holds() ? { holds: true } as const : { holds: false, seen: "  not yet" } as const;
    await this.#told(waitUntil("the world gets there", resources, look, this.#waiting));
  }

  /** Waits until an object exists and `holds` for it; returns it. */
  untilObject<T extends KubeObject>(
    resource: ApiResource,
    key: ObjectKey,
    holds: (object: T) => boolean = () => true,
  ): Promise<T> {
    return this.#told(new Expectation<T>({ resource, key }, this.#waiting).toSatisfy("to be as wanted", holds));
  }

  /** Waits until an object is gone. */
  untilGone(resource: ApiResource, key: ObjectKey): Promise<void> {
    return this.#told(new Expectation({ resource, key }, this.#waiting).toBeGone());
  }

  /** Waits until the operator has nothing left to do now. */
  idle(): Promise<void> {
    return this.#operator.idle();
  }

  /** Waits until the operator has nothing left to do, or its fault has struck; then ends it as kill -9 would. */
  idleThenKill(): Promise<void> {
    return this.#operator.idleThenCrash();
  }

  /** Removes everything of this world, with the operator's help where finalizers need it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#stage.clear();
    } finally {
      await this.#operator[Symbol.asyncDispose]();
      this.#stage.close();
      await this.cluster[Symbol.asyncDispose]();
    }
  }

  get #waiting() {
    return { client: this.client, clock: this.#timeline.clock, waitMsMax: WAIT_MS_MAX };
  }

  /** What is waited for in vain is told with what the operator said last. */
  async #told<T>(waiting: Promise<T>): Promise<T> {
    try {
      return await waiting;
    } catch (error) {
      if (!(error instanceof NotYetError)) throw error;
      throw new Error([error.message, ...this.logs.slice(-15).map(logLine)].join("\n"), { cause: error });
    }
  }
}
