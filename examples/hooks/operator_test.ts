import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Entry, openHttpStore, operator, type Store } from "./operator.ts";

/** A store of one scenario, which may be missing. */
class FakeStore implements Store {
  readonly values = new Map<string, string>();
  readonly calls: string[] = [];
  isMissing = false;

  open(): Promise<Store> {
    return Promise.try(() => {
      if (this.isMissing) throw new Error("there is no store");
      this.calls.push("open");
      return this;
    });
  }
  put(key: string, value: string): Promise<void> {
    this.values.set(key, value);
    return Promise.resolve();
  }
  ping(): Promise<void> {
    return this.isMissing ? Promise.reject(new Error("there is no store")) : Promise.resolve();
  }
  close(): Promise<void> {
    this.calls.push("close");
    return Promise.resolve();
  }
}

export const suite = new Suite("hooks", {
  world: () => new FakeStore(),
  operator: (store) => operator(() => store.open()),
});

const entry = { metadata: { name: "e" }, spec: { value: "one" } };

suite.scenario(
  "the store is open before the first handler, closed after a stop, and left open by a crash",
  async (scenario) => {
    const store = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario;
    const made = await given("an entry", () => cluster.create(Entry, entry));
    await when("the operator starts", () => operator.start());
    await then("the entry is stored", () => expect(ref(Entry, "e")).toHaveCondition("Ready"));
    assert.equal(store.values.get((made as { metadata: { uid?: string } }).metadata.uid!), "one");
    assert.deepEqual(store.calls, ["open"]);
    await when("it is killed", () => operator.crash());
    assert.deepEqual(store.calls, ["open"]);
    await when("the next one is stopped", async () => {
      await operator.start();
      await operator.pause();
    });
    assert.deepEqual(store.calls, ["open", "open", "close"]);
  },
  { operator: "stopped", inProcess: true },
);

suite.scenario(
  "without a store the operator does not start, says why, and starts when there is one",
  async (scenario) => {
    const store = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario;
    store.isMissing = true;
    await given("an entry", () => cluster.create(Entry, entry));
    await then("it does not start", () => assert.rejects(operator.start(), /there is no store/));
    await when("there is one", async () => {
      store.isMissing = false;
      await operator.start();
    });
    await then("the entry is stored", () => expect(ref(Entry, "e")).toHaveCondition("Ready"));
  },
  { operator: "stopped", inProcess: true },
);

suite.scenario("an entry is in the store", async ({ world: store, given, then, cluster, expect, ref }) => {
  const { metadata } = await given("an entry", () => cluster.create(Entry, entry));
  await then("it is stored", () => expect(ref(Entry, "e")).toHaveCondition("Ready"));
  assert.equal(store.values.get(metadata.uid!), "one");
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });

Deno.test("the probe says what the store says, and asks for patience, not for a new process", async () => {
  const store = new FakeStore(), declared = operator(() => store.open()), [probe] = declared.probes;
  const context = { signal: new AbortController().signal, log: { info: () => {} }, dryRun: false } as never;
  await declared.activities.startup[0]!(context);
  await probe!.check(context);
  store.isMissing = true;
  await assert.rejects(async () => await probe!.check(context), /there is no store/);
  assert.deepEqual([probe!.id, probe!.of], ["store", "readiness"]);
});

Deno.test("a store over HTTP is asked as it is opened, and its errors are errors", async () => {
  const seen: string[] = [], { signal } = new AbortController();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`.trim());
    return new Response(null, { status: request.url.endsWith("/broken") ? 500 : 200 });
  });
  const store = await openHttpStore(`http://127.0.0.1:${server.addr.port}`, signal);
  await store.put("a", "one", signal);
  await assert.rejects(store.put("broken", "one", signal), /500/);
  await assert.rejects(openHttpStore("http://127.0.0.1:1", signal));
  assert.deepEqual(seen.slice(0, 2), ["GET /", "PUT /a one"]);
});
