import { shardOf } from "../../lib/election/shards.ts";
import assert from "node:assert/strict";
import {
  createLogger,
  type Logger,
  SeededRandom,
  SystemClock,
  type Transport,
  type TransportRequest,
} from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { fencedTransport, Sharding } from "../../lib/election/mod.ts";
import { Operator, type RunningOperator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("sharding");
const TIMING = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 100 };

/** Replicas of one operator that share its work, and a book of every write that was not its owner's. */
class Replicas implements AsyncDisposable {
  readonly clock = new SystemClock();
  readonly foreign: string[] = [];
  readonly writes = new Map<string, number>();
  readonly #up = new Map<string, { sharding: Sharding; running: RunningOperator; transport: Transport }>();

  constructor(readonly world: World, readonly operator: () => Operator) {}

  async start(identity: string): Promise<void> {
    const { clock, world } = this, transport = world.cluster.transport();
    const started: { running?: RunningOperator } = {};
    const logger: Logger = createLogger(() => {});
    const sharding = new Sharding({
      ...TIMING,
      client: new Client(transport, { fieldManager: "leases", clock, retriesMax: 0 }),
      clock,
      random: new SeededRandom(identity.length),
      logger,
      namespace: world.home,
      name: "widgets",
      identity,
      drain: async () => await started.running?.release(5_000),
    });
    const running = await this.operator().start({
      transport: this.#audited(identity, fencedTransport(transport, () => sharding.mayWrite)),
      clock,
      logger,
      leadership: sharding,
      scope: sharding,
      instance: identity,
      controller: { backoff: { initialMs: 5, maxMs: 50 } },
    });
    started.running = running;
    this.#up.set(identity, { sharding, running, transport });
  }

  shards(identity: string): number {
    return this.#up.get(identity)!.sharding.shards;
  }

  /** Whether one of these namespaces is the replica's: their names, and so their shards, are random. */
  ownsAny(identity: string, namespaces: readonly string[]): boolean {
    const { sharding } = this.#up.get(identity)!;
    return namespaces.some((namespace) => sharding.owns(shardOf(namespace)));
  }

  /** As kill -9 would. */
  async kill(identity: string): Promise<void> {
    const { sharding, running } = this.#take(identity);
    sharding[Symbol.dispose]();
    await running.crash();
  }

  async stop(identity: string): Promise<void> {
    const { sharding, running } = this.#take(identity);
    await running.stop(5_000);
    await sharding.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const identity of [...this.#up.keys()]) await this.stop(identity);
  }

  #take(identity: string) {
    const up = this.#up.get(identity)!;
    this.#up.delete(identity);
    return up;
  }

  /** Writes down each write for a namespace that another replica owns, before it is sent and after it was answered. */
  #audited(identity: string, inner: Transport): Transport {
    const check = (path: string, when: string) => {
      const [, namespace] = /\/namespaces\/([^/]+)\//.exec(path) ?? [];
      if (!namespace) return;
      const owners = [...this.#up].filter(([, { sharding }]) => sharding.owns(shardOf(namespace))).map(([id]) => id);
      if (owners.some((owner) => owner !== identity)) this.foreign.push(`${identity} ${when} ${path}, of ${owners}`);
    };
    return {
      fetch: async (path: string, request: TransportRequest = {}) => {
        const writes = (request.method ?? "GET") !== "GET";
        if (writes) check(path, "sent");
        const answer = await inner.fetch(path, request);
        if (writes) {
          check(path, "wrote");
          this.writes.set(identity, (this.writes.get(identity) ?? 0) + 1);
        }
        return answer;
      },
      close: () => inner.close(),
    };
  }
}

// FR-188
Deno.test("replicas share namespaces as they come, die and leave: every change is handled, and none writes what another owns", async () => {
  await using world = await World.open(configMapOperator(Widget));
  const namespaces: string[] = [];
  for (let at = 0; at < 12; at++) namespaces.push(await world.namespace(`n${at}`));
  for (const namespace of namespaces) await createWidget(world, Widget, namespace, "w", { size: 1 });
  await using replicas = new Replicas(world, () => configMapOperator(Widget));
  /** Every widget gets another size, which a replica must handle. */
  const change = async (size: number) => {
    for (const namespace of namespaces) {
      await world.client.patch(Widget, { namespace, name: "w" }, { type: "merge", body: { spec: { size } } as never });
    }
    for (const namespace of namespaces) {
      await world.untilObject<WidgetObject>(Widget, { namespace, name: "w" }, ({ status }) => status?.size === size);
    }
  };
  await replicas.start("a");
  await change(2);
  assert.equal(replicas.shards("a"), 64);
  await Promise.all([replicas.start("b"), replicas.start("c"), change(3)]);
  let size = 4;
  while (!["a", "b", "c"].every((id) => replicas.shards(id) >= 20)) await change(size++);
  const owners = ["a", "b", "c"].filter((id) => replicas.ownsAny(id, namespaces));
  await change(size++);
  for (const id of owners) assert.ok(replicas.writes.get(id)! > 0, `${id} does its part`);
  const busy = change(size++);
  await replicas.kill("b");
  await busy;
  await Promise.all([replicas.stop("c"), change(size++)]);
  await change(size);
  assert.deepEqual(replicas.foreign, []);
  assert.ok(owners.length > 1, `${owners}`);
});
