import { type ApiResource, scopeOfGlobs } from "../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { SeededRandom, sleep, SystemClock, VirtualClock } from "../lib/base/mod.ts";
import { AlreadyExistsError, Client, NotFoundError } from "../lib/client/mod.ts";
import { Namespace, type Operator, type RunningOperator, type StartOptions } from "../lib/operator/mod.ts";
import { applyCrds } from "../lib/operator/installation.ts";
import { type Cluster, EmbeddedCluster, type LogEntry } from "../lib/harness/mod.ts";
import { InProcessOperator } from "../lib/harness/in_process_operator.ts";
import { Timeline, type WriteEntry } from "../lib/harness/timeline.ts";
import { openCluster, realKubeconfig } from "./cluster.ts";
import { ClusterSweep } from "./cluster_sweep.ts";
import { QuietCluster } from "./quiet_cluster.ts";

/** Tries, 100 ms apart, for a kind to be served. */
const SERVED_TRIES_MAX = 300;

/**
 * An embedded server and an operator on one clock that only the test turns. In a run on a real control plane the
 * operator alone is on that clock, and the clock waits until the server has answered and told what changed.
 */
export class VirtualWorld implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly cluster: Cluster;
  readonly client: Client;
  readonly #timeline: Timeline;
  readonly #operator: InProcessOperator;
  readonly #sweep: ClusterSweep | undefined;
  /** The operator's writes; a test may forget those that it has seen. */
  readonly writes: WriteEntry[];
  readonly logs: readonly LogEntry[];
  readonly #beginMs: number;
  #declared: Operator | undefined;
  #kinds = new Set<ApiResource>();

  private constructor(cluster: Cluster, clock: VirtualClock, sweep?: ClusterSweep) {
    this.cluster = cluster;
    this.clock = clock;
    this.client = new Client(cluster.transport(), { fieldManager: "test", clock });
    this.#timeline = new Timeline(clock);
    this.#operator = new InProcessOperator({
      operator: () => this.#declared!,
      cluster,
      user: undefined,
      clock,
      random: () => new SeededRandom(1),
      timeline: this.#timeline,
    });
    this.#sweep = sweep;
    this.writes = this.#timeline.writes;
    this.logs = this.#timeline.logs;
    this.#beginMs = clock.now();
  }

  /** Opens a world with a namespace `home` in which the operator runs. */
  static async open(operator: Operator, options: Partial<StartOptions> = {}): Promise<VirtualWorld> {
    const world = realKubeconfig ? await VirtualWorld.#real() : VirtualWorld.embedded();
    // On a clock of its own: a real server takes its time to serve a new kind.
    const admin = new Client(world.cluster.transport(), { fieldManager: "test" });
    await applyCrds(admin, operator);
    for (const { kind } of operator.declarations) await untilServed(admin, kind);
    await admin.create(Namespace, { metadata: { name: "home" } }).catch((error) => {
      // It stays where tests share a cluster.
      if (!(error instanceof AlreadyExistsError)) throw error;
    });
    await world.clock.advance(0);
    await world.start(operator, options);
    return world;
  }

  /** A world of its own in any run, in which nothing is yet. */
  static embedded(): VirtualWorld {
    const clock = new VirtualClock();
    return new VirtualWorld(new EmbeddedCluster({ clock, random: new SeededRandom(2) }), clock);
  }

  static async #real(): Promise<VirtualWorld> {
    const cluster = new QuietCluster(await openCluster());
    const clock = new VirtualClock(new SystemClock().now(), () => cluster.quiet());
    return new VirtualWorld(cluster, clock, await ClusterSweep.begin(cluster, "home"));
  }

  /** Starts the operator with the backoffs that it has in production; its writes and logs are recorded. */
  async start(declared: Operator, options: Partial<StartOptions> = {}): Promise<void> {
    assert.ok(!this.#operator.runs, "an operator of this world runs already");
    this.#declared = declared;
    for (const { kind } of declared.declarations) this.#kinds.add(kind);
    // A cluster that is shared has objects of others.
    const scope = this.#sweep && scopeOfGlobs(["home"]);
    await this.#operator.start({ options: { controller: {}, scope, ...options } });
  }

  /** Ends the operator as kill -9 would. */
  stop(): Promise<void> {
    return this.#operator.crash();
  }

  /** Ends the operator where one runs, and starts another in its place. */
  async restart(operator: Operator, options: Partial<StartOptions> = {}): Promise<void> {
    await this.stop();
    await this.start(operator, options);
    await this.advance(1);
  }

  /** The operator. */
  get running(): RunningOperator {
    return this.#operator.running;
  }

  /** Milliseconds since the world began. */
  get elapsedMs(): number {
    return this.clock.now() - this.#beginMs;
  }

  /** Turns the clock in steps, so that what one step caused is done before the next. */
  async advance(deltaMs: number, stepMs: number = deltaMs): Promise<void> {
    for (let passedMs = 0; passedMs < deltaMs; passedMs += stepMs) await this.clock.advance(stepMs);
  }

  /** Ends operator and server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#sweep?.end([...this.#kinds]);
    await this.cluster[Symbol.asyncDispose]();
  }
}

/** A kind that is established is not found for another moment; an operator would try again when its clock is turned. */
async function untilServed(admin: Client, kind: ApiResource): Promise<void> {
  for (let tries = 0; tries < SERVED_TRIES_MAX; tries++) {
    try {
      return void await admin.list(kind);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      // No watch shows the moment in which a real server serves a kind: it must be asked again.
      await sleep(new SystemClock(), 100);
    }
  }
  throw new Error(`${kind.plural}.${kind.group} is not served`);
}
