import assert from "node:assert/strict";
import { settle, type Transport, type TransportRequest, VirtualClock } from "../../lib/base/mod.ts";
import { FaultProxy } from "../../lib/explore/fault_proxy.ts";
import type { PlacedFault } from "../../lib/explore/placed_fault.ts";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import type { InProcessOperator } from "../../lib/harness/in_process_operator.ts";

const USER = { name: "operator", groups: ["system:masters"] };
const SECRETS = "/api/v1/namespaces/p-home/secrets",
  MAPS = "/api/v1/namespaces/p-home/configmaps",
  MAPS_WATCH = `${MAPS}?watch=true`;

/** A proxy before an embedded cluster with the namespace `p-home`; the operator is its start alone. */
class Rig implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly cluster = new EmbeddedCluster({ clock: this.clock });
  readonly proxy: FaultProxy;
  readonly scenario: Transport;
  /** Of the operator's latest process. */
  operator!: Transport;
  starts = 0;
  ended = 0;

  private constructor(faults: readonly PlacedFault[], injects: boolean) {
    this.proxy = new FaultProxy(this.cluster, { clock: this.clock, prefix: "p", faults, injects });
    this.scenario = this.proxy.transport();
  }

  static async open(faults: readonly PlacedFault[], injects = true): Promise<Rig> {
    const rig = new Rig(faults, injects);
    await rig.#start();
    const home = { apiVersion: "v1", kind: "Namespace", metadata: { name: "p-home" } };
    await rig.send(rig.scenario, "POST", "/api/v1/namespaces", home);
    return rig;
  }

  async #start(): Promise<void> {
    const operator = {
      abandon: () => () => {
        this.ended++;
        return Promise.resolve();
      },
      revive: () => this.#start(),
    } as unknown as InProcessOperator;
    await this.proxy.start(operator, () => {
      this.starts++;
      this.operator = this.proxy.transport(USER);
      return Promise.resolve();
    });
  }

  /** The answer's code; undefined if none comes. */
  async send(from: Transport, method: string, path: string, body?: object): Promise<number | undefined> {
    const headers = { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" };
    const request: TransportRequest = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return await this.answered(
      from.fetch(path, request).then(async (response) => {
        await response.body?.cancel();
        return response.status;
      }),
    );
  }

  create(name: string, from: Transport = this.operator): Promise<number | undefined> {
    return this.send(from, "POST", MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } });
  }

  /** What is there, as the operator sees it. */
  async names(from: Transport = this.operator): Promise<string[]> {
    const { items } = await (await from.fetch(MAPS)).json() as { items: { metadata: { name: string } }[] };
    return items.map(({ metadata }) => metadata.name).filter((name) => name !== "kube-root-ca.crt");
  }

  /** What `work` resolves with, or undefined if nothing can resolve it without time. */
  async answered<T>(work: Promise<T>): Promise<T | undefined> {
    return await Promise.race([work, settle(50).then(() => undefined)]);
  }

  async watch(): Promise<Events> {
    const response = await this.operator.fetch(MAPS_WATCH, { streaming: true });
    return new Events(response.body!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.proxy[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }
}

/** The events of a watch, as text. */
class Events {
  readonly seen: string[] = [];
  ended = false;

  constructor(body: ReadableStream<Uint8Array>) {
    void this.#read(body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>));
  }

  async #read(body: ReadableStream<string>): Promise<void> {
    for await (const text of body) {
      for (const line of text.split("\n").filter((each) => each !== "")) {
        const { type, object } = JSON.parse(line) as {
          type: string;
          object: { code?: number; metadata?: { name: string } };
        };
        if (object.metadata?.name !== "kube-root-ca.crt") {
          this.seen.push(`${type} ${object.metadata?.name ?? object.code}`);
        }
      }
    }
    this.ended = true;
  }
}

const write = (fate: Extract<PlacedFault, { at: "write" }>["fate"], nth = 1): PlacedFault => ({
  at: "write",
  moment: { name: "operator: create configmaps./ run-home/", nth },
  fate,
});
const event = (fate: Extract<PlacedFault, { at: "event" }>["fate"]): PlacedFault => ({
  at: "event",
  moment: { name: "ADDED /api/v1/namespaces/run-home/configmaps run-home/a", nth: 1 },
  fate,
});

// FR-534
Deno.test("a process that got the answer to its last write sends nothing more, however soon", async () => {
  await using rig = await Rig.open([write({ kind: "crash", moment: "answered" })]);
  assert.deepEqual([await rig.create("a"), await rig.create("b"), rig.ended], [201, undefined, 1]);
  await rig.clock.advance(1_000);
  assert.deepEqual([rig.starts, await rig.names()], [2, ["a"]]);
});

// FR-534
for (const moment of ["before", "unanswered", "answered"] as const) {
  Deno.test(`a process that dies at a write (${moment}) reaches nothing any more, and another one starts a second later`, async () => {
    await using rig = await Rig.open([write({ kind: "crash", moment }, 2)]);
    assert.equal(await rig.create("a"), 201);
    assert.equal(await rig.create("b"), moment === "answered" ? 201 : undefined);
    await rig.clock.advance(1);
    const dead = rig.operator;
    assert.deepEqual([await rig.create("c", dead), rig.starts, rig.ended], [undefined, 1, 1]);
    assert.equal(rig.proxy.changedMs, undefined, "a start is due");
    await rig.clock.advance(1_000);
    assert.deepEqual([rig.starts, await rig.create("d")], [2, 201]);
    assert.deepEqual(await rig.names(), moment === "before" ? ["a", "d"] : ["a", "b", "d"]);
    assert.deepEqual([await rig.create("e", dead), rig.proxy.missed], [undefined, []]);
  });
}

// FR-534
Deno.test("requests of a dead process end with their signal alone", async () => {
  await using rig = await Rig.open([write({ kind: "crash", moment: "before" })]);
  const abort = new AbortController();
  const body = JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
  const sent = rig.operator.fetch(MAPS, { method: "POST", body, signal: abort.signal });
  await settle(20);
  abort.abort(new Error("the handler gave up"));
  await assert.rejects(sent, /the handler gave up/);
});

// FR-534
Deno.test("a late write arrives when the next process works", async () => {
  await using rig = await Rig.open([write({ kind: "late" })]);
  assert.equal(await rig.create("a"), undefined);
  await rig.clock.advance(1_000);
  assert.deepEqual([rig.starts, await rig.names()], [2, []]);
  await rig.clock.advance(10);
  await settle(20);
  assert.deepEqual(await rig.names(), ["a"]);
});

// FR-534
Deno.test("a failed write has its code, with or without effect", async () => {
  for (const effect of [true, false]) {
    await using rig = await Rig.open([write({ kind: "fail", code: 500, effect })]);
    assert.deepEqual([await rig.create("a"), await rig.names()], [500, effect ? ["a"] : []]);
    assert.equal(await rig.create("b"), 201);
  }
});

// FR-534
Deno.test("another client changes the object just before a write", async () => {
  const moment = { name: "operator: patch configmaps./ run-home/a", nth: 1 };
  await using rig = await Rig.open([{ at: "write", moment, fate: { kind: "foreign" } }]);
  await rig.create("a");
  assert.equal(await rig.send(rig.operator, "PATCH", `${MAPS}/a`, { data: { key: "1" } }), 200);
  const { metadata, data } = await (await rig.operator.fetch(`${MAPS}/a`)).json();
  assert.deepEqual([metadata.annotations, data], [{ "explore.pintle.dev/foreign": "true" }, { key: "1" }]);
});

// FR-534
Deno.test("events are hidden until the watch ends, repeated, delayed, or the last of their watch", async () => {
  const cases = [
    [{ kind: "hide" }, ["ADDED b"], ["ADDED b", "ERROR 410"]],
    [{ kind: "repeat" }, ["ADDED a", "ADDED a", "ADDED b"], undefined],
    [{ kind: "delay", byMs: 10_000 }, [], ["ADDED a", "ADDED b"]],
    [{ kind: "cut" }, ["ADDED a"], undefined],
    [{ kind: "expire" }, ["ADDED a", "ERROR 410"], undefined],
  ] as const;
  for (const [fate, soon, later] of cases) {
    await using rig = await Rig.open([event(fate)]);
    const events = await rig.watch();
    await rig.create("a");
    await rig.create("b");
    await settle(50);
    assert.deepEqual(events.seen, soon, fate.kind);
    await rig.clock.advance(15_000);
    await settle(50);
    assert.deepEqual(events.seen, later ?? soon, fate.kind);
    assert.equal(events.ended, ["hide", "cut", "expire"].includes(fate.kind), fate.kind);
    assert.deepEqual(rig.proxy.missed, []);
  }
});

const STALE: PlacedFault = {
  at: "revision",
  shows: { name: "operator: create configmaps./ run-home/", nth: 1 },
  dies: { name: "scenario: delete configmaps./ run-home/a", nth: 1 },
  forMs: 15_000,
};

// FR-534
Deno.test("after a write of the scenario the operator dies, and lists and watches of the next process show the past", async () => {
  await using rig = await Rig.open([STALE]);
  await rig.create("a");
  await rig.create("b");
  assert.equal(await rig.send(rig.scenario, "DELETE", `${MAPS}/a`), 200);
  await rig.clock.advance(1_000);
  assert.deepEqual([rig.starts, await rig.names(), await rig.names(rig.scenario)], [2, ["a"], ["b"]]);
  const streamed = await rig.operator.fetch(`${MAPS_WATCH}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`);
  assert.equal(streamed.status, 422);
  const events = await rig.watch();
  await settle(50);
  assert.deepEqual(events.seen, []);
  assert.equal(rig.proxy.changedMs, undefined, "it still sees the past");
  await rig.clock.advance(15_000);
  await settle(50);
  assert.deepEqual([events.seen, await rig.names(), rig.proxy.missed], [["ADDED b"], ["b"], []]);
});

// FR-534
Deno.test("a moment that does not come is named, and without injection nothing happens", async () => {
  await using rig = await Rig.open([write({ kind: "fail", code: 500, effect: false }, 2)]);
  assert.equal(await rig.create("a"), 201);
  assert.equal(rig.proxy.missed.length, 1);
  await using observed = await Rig.open([write({ kind: "crash", moment: "before" }), STALE], false);
  assert.equal(await observed.create("a"), 201);
  assert.equal(await observed.send(observed.scenario, "DELETE", `${MAPS}/a`), 200);
  assert.deepEqual([observed.starts, observed.ended], [1, 0]);
});

// FR-534
Deno.test("deletions count from the fault on, except of what the operator made since", async () => {
  await using rig = await Rig.open([write({ kind: "fail", code: 500, effect: false }, 3)]);
  const create = (name: string) => rig.send(rig.operator, "POST", SECRETS, { metadata: { name } });
  const remove = (name: string) => rig.send(rig.operator, "DELETE", `${SECRETS}/${name}`);
  for (const name of ["a", "b"]) await create(name);
  await remove("a");
  assert.deepEqual([...rig.proxy.deletions], []);
  for (const name of ["1", "2", "3"]) await rig.create(name); // the third has the fault
  await create("c");
  for (const name of ["b", "c"]) await remove(name);
  assert.deepEqual([...rig.proxy.deletions], ["secrets run-home/b"]);
});
