import assert from "node:assert/strict";
import { createLogger, type LogRecord, SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { Namespace, type Operator, type RunningOperator, type StartOptions } from "../../lib/operator/mod.ts";
import { CustomResourceDefinition } from "../world.ts";

/** An embedded server and an operator on one clock that only the test turns. */
export class VirtualWorld implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock, random: new SeededRandom(2) });
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });
  readonly logs: LogRecord[] = [];
  /** The operator's requests other than GETs, with their time in milliseconds since the world began. */
  readonly writes: { readonly method: string; readonly path: string; readonly atMs: number }[] = [];
  readonly #beginMs = this.clock.now();
  #running: RunningOperator | undefined;

  /** Opens a world with a namespace `home` in which the operator runs. */
  static async open(operator: Operator, options: Partial<StartOptions> = {}): Promise<VirtualWorld> {
    const world = new VirtualWorld();
    for (const crd of operator.crds()) await world.client.apply(CustomResourceDefinition, crd);
    await world.client.create(Namespace, { metadata: { name: "home" } });
    await world.server.settled();
    await world.start(operator, options);
    return world;
  }

  /** Starts the operator. */
  async start(operator: Operator, options: Partial<StartOptions> = {}): Promise<void> {
    assert.equal(this.#running, undefined);
    const inner = this.server.transport();
    const starting = operator.start({
      transport: {
        fetch: (path, request = {}) => {
          const { method = "GET" } = request;
          if (method !== "GET") this.writes.push({ method, path, atMs: this.elapsedMs });
          return inner.fetch(path, request);
        },
        close: () => {},
      },
      clock: this.clock,
      random: new SeededRandom(1),
      logger: createLogger((record) => this.logs.push(record)),
      ...options,
    });
    await settle();
    this.#running = await starting;
  }

  /** Ends the operator as kill -9 would. */
  async stop(): Promise<void> {
    await this.running.crash();
    this.#running = undefined;
  }

  /** Ends the operator where one runs, and starts another in its place. */
  async restart(operator: Operator, options: Partial<StartOptions> = {}): Promise<void> {
    if (this.#running) await this.stop();
    await this.start(operator, options);
    await this.advance(1);
  }

  /** The operator. */
  get running(): RunningOperator {
    assert.ok(this.#running);
    return this.#running;
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
    await this.#running?.crash();
    this.server.close();
    await settle();
  }
}
