import assert from "node:assert/strict";
import { SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { Namespace, type Operator, type RunningOperator, type StartOptions } from "../../lib/operator/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { EmbeddedCluster, type LogEntry } from "../../lib/harness/mod.ts";
import { InProcessOperator } from "../../lib/harness/in_process_operator.ts";
import { Timeline, type WriteEntry } from "../../lib/harness/timeline.ts";

/** An embedded server and an operator on one clock that only the test turns. */
export class VirtualWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly cluster = new EmbeddedCluster({ clock: this.clock, random: new SeededRandom(2) });
  readonly client = new Client(this.cluster.transport(), { fieldManager: "test", clock: this.clock });
  readonly #timeline = new Timeline(this.clock);
  readonly #operator = new InProcessOperator({
    operator: () => this.#declared!,
    cluster: this.cluster,
    user: undefined,
    clock: this.clock,
    random: () => new SeededRandom(1),
    timeline: this.#timeline,
  });
  /** The operator's writes; a test may forget those that it has seen. */
  readonly writes: WriteEntry[] = this.#timeline.writes;
  readonly logs: readonly LogEntry[] = this.#timeline.logs;
  readonly #beginMs = this.clock.now();
  #declared: Operator | undefined;

  /** Opens a world with a namespace `home` in which the operator runs. */
  static async open(operator: Operator, options: Partial<StartOptions> = {}): Promise<VirtualWorld> {
    const world = new VirtualWorld();
    await applyCrds(world.client, operator);
    await world.client.create(Namespace, { metadata: { name: "home" } });
    await settle();
    await world.start(operator, options);
    return world;
  }

  /** Starts the operator with the backoffs that it has in production; its writes and logs are recorded. */
  async start(declared: Operator, options: Partial<StartOptions> = {}): Promise<void> {
    assert.ok(!this.#operator.runs, "an operator of this world runs already");
    this.#declared = declared;
    await this.#operator.start({ options: { controller: {}, ...options } });
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
    await this.cluster[Symbol.asyncDispose]();
  }
}
