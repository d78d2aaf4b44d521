import assert from "node:assert/strict";
import { SystemClock, VirtualClock } from "../../lib/base/mod.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { Client, openTransport, UnreachableError } from "../../lib/client/mod.ts";
import { Replication } from "../../lib/replicator/mod.ts";
import { ConfigMap, type ConfigMapObject } from "../../lib/operator/mod.ts";
import { HttpsCluster } from "../cli/https_cluster.ts";
import { Gate, type GateObserver, type Verdict } from "./gate.ts";

const KEY = { namespace: "home", name: "a" };

/** An API server, a gate before it, and a client of the replicator's account behind that, who asks once. */
class Rig implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  private constructor(
    readonly cluster: HttpsCluster,
    readonly gate: Gate,
    readonly client: Client,
    readonly clock: VirtualClock,
  ) {}

  static async open(observer: GateObserver = {}): Promise<Rig> {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await HttpsCluster.open()), clock = new VirtualClock(Date.now());
    await cluster.namespace("home");
    const { url: server, authority: ca } = cluster.door;
    const gate = stack.use(await Gate.open({ ...observer, server, ca, clock }));
    const path = await cluster.file("gate.json", gate.kubeconfig(await cluster.token(), "home"));
    const { credentials, server: entrance } = await loadKubeconfig({ paths: [path], clock: new SystemClock() });
    const transport = openTransport({ server: entrance, credentials });
    stack.defer(() => transport.close());
    const rig = new Rig(cluster, gate, new Client(transport, { fieldManager: "test", retriesMax: 0 }), clock);
    rig.#stack.use(stack.move());
    return rig;
  }

  create(signal?: AbortSignal): Promise<ConfigMapObject> {
    return this.client.create<ConfigMapObject>(ConfigMap, { metadata: KEY, data: { x: "y" } }, { signal });
  }

  watch(): AsyncIterable<{ readonly type: string }> {
    return this.client.watch(Replication, { namespace: "home", signal: new AbortController().signal });
  }

  /** Whether the server has the object. */
  async has(): Promise<boolean> {
    return await this.cluster.client.find(ConfigMap, KEY) !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

Deno.test("a gate passes reads, writes, refusals and watches on, and counts them", async () => {
  const seen: string[] = [];
  await using rig = await Rig.open({ onAnswer: ({ method }, status) => void seen.push(`${method} ${status}`) });
  assert.deepEqual((await rig.create()).data, { x: "y" });
  await assert.rejects(rig.create(), /already exists/);
  await rig.cluster.replicate("home", "early", "v", ["home"]);
  for await (const { type } of rig.watch()) {
    assert.equal(type, "ADDED");
    break;
  }
  assert.deepEqual(seen, ["POST 201", "POST 409", "GET 200"]);
  assert.deepEqual([rig.gate.requests, rig.gate.writes, rig.gate.disturbed], [3, 2, 0]);
});

for (
  const [kind, carriedOut] of [["cut", false], ["reset", false], ["loseAnswer", true]] as const
) {
  // FR-374
  Deno.test(`a request that meets ${kind} ends without an answer, and the server has ${carriedOut ? "" : "not "}done it`, async () => {
    await using rig = await Rig.open();
    rig.gate.verdict = () => ({ kind });
    await assert.rejects(rig.create(), UnreachableError);
    assert.equal(await rig.has(), carriedOut);
    assert.equal(rig.gate.disturbed, 1);
  });
}

for (const [kind, carriedOut] of [["swallow", false], ["holdAnswer", true]] as const) {
  Deno.test(`a request that meets ${kind} gets no answer, and the server has ${carriedOut ? "" : "not "}done it`, async () => {
    const met = Promise.withResolvers<void>(), stop = new AbortController();
    await using rig = await Rig.open({ onAnswer: () => met.resolve() });
    rig.gate.verdict = (): Verdict => {
      if (!carriedOut) met.resolve();
      return { kind };
    };
    const creating = rig.create(stop.signal);
    await met.promise;
    stop.abort(new Error("waited in vain"));
    await assert.rejects(creating, /waited in vain/);
    assert.equal(await rig.has(), carriedOut);
  });
}

Deno.test("a request that is delayed reaches the server when its time has come", async () => {
  const met = Promise.withResolvers<void>();
  await using rig = await Rig.open();
  rig.gate.verdict = () => {
    met.resolve();
    return { kind: "delay", delayMs: 60_000 };
  };
  const creating = rig.create();
  await met.promise;
  assert.equal(await rig.has(), false);
  await rig.clock.advance(60_000);
  assert.deepEqual((await creating).data, { x: "y" });
});

// FR-374
Deno.test("a watch that is cut later goes on until then, and ends", async () => {
  await using rig = await Rig.open();
  rig.gate.verdict = () => ({ kind: "cutLater", afterMs: 60_000 });
  await rig.cluster.replicate("home", "early", "v", ["home"]);
  const watch = async () => {
    for await (const { type } of rig.watch()) {
      assert.equal(type, "ADDED");
      await rig.clock.advance(60_000);
    }
  };
  await assert.rejects(watch(), UnreachableError);
});

Deno.test("a write of a lease shows its holder, and does not count as a write", async () => {
  const holders: unknown[] = [];
  await using rig = await Rig.open({ onAnswer: ({ holder, isWrite }) => void holders.push([holder, isWrite]) });
  const lease = { metadata: { name: "l" }, spec: { holderIdentity: "one_1" } };
  await rig.client.raw("/apis/coordination.k8s.io/v1/namespaces/pintle-system/leases", { method: "POST", body: lease });
  await rig.client.raw("/apis/coordination.k8s.io/v1/namespaces/pintle-system/leases/l");
  assert.deepEqual([holders, rig.gate.writes], [[["one_1", false], [undefined, false]], 0]);
});
