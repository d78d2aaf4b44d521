import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { askByHttp, Endpoint, operator } from "./operator.ts";

/** The outside of one scenario: what it answers, and who asks just now. */
class Outside {
  readonly urls: string[] = [];
  answer: "up" | "down" | "never" | "broken" = "up";
  asking = 0;
  #next = Promise.withResolvers<void>();

  async ask(url: string, signal: AbortSignal): Promise<boolean> {
    this.urls.push(url);
    this.#next.resolve();
    this.#next = Promise.withResolvers();
    if (this.answer === "broken") throw new Error("no route");
    if (this.answer !== "never") return this.answer === "up";
    this.asking++;
    try {
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    } finally {
      this.asking--;
    }
  }

  /** Looks again at each question. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await this.#next.promise;
  }
}

export const suite = new Suite("daemons", {
  world: () => new Outside(),
  operator: (outside) => operator((url, signal) => outside.ask(url, signal), { interval: "200ms" }),
});

const endpoint = (url: string) => ({
  metadata: { name: "shop" },
  spec: { url },
});

suite.scenario("what an endpoint answers is written when it changes, and at no other time", async (scenario) => {
  const outside = scenario.world;
  const { given, when, then, cluster, operator, expect, ref } = scenario, shop = ref(Endpoint, "shop");
  await given("an endpoint that answers", () => cluster.create(Endpoint, endpoint("http://a")));
  await then("it is reachable", () => expect(shop).toMatch({ status: { reachable: true } }));
  await operator.inProcess.idle();
  const asked = outside.urls.length, written = operator.inProcess.writes.length;
  await when("it is asked again and again", () => outside.until(() => outside.urls.length > asked + 3));
  await then("nothing is written", () => assert.equal(operator.inProcess.writes.length, written));
  await when("it goes down, and its address changes", () => {
    outside.answer = "down";
    return cluster.patch(shop, { spec: { url: "http://b" } });
  });
  await then("it is not reachable", () => expect(shop).toMatch({ status: { reachable: false } }));
  await then("the new address is asked", () => outside.until(() => outside.urls.at(-1) === "http://b"));
}, { inProcess: true });

suite.scenario(
  "an endpoint that is deleted in the middle of a question goes, and the question ends",
  async (scenario) => {
    const outside = scenario.world;
    const { given, when, then, cluster, expect, ref } = scenario, shop = ref(Endpoint, "shop");
    outside.answer = "never";
    await given("an endpoint that never answers", async () => {
      await cluster.create(Endpoint, endpoint("http://a"));
      await expect(shop).toSatisfy("to be asked", () => outside.asking === 1);
    });
    await when("it is deleted", () => cluster.delete(shop));
    await then("it goes", () => expect(shop).toBeGone());
    assert.equal(outside.asking, 0);
  },
  { inProcess: true },
);

suite.scenario("a daemon that breaks is started again, and the object says why", async (scenario) => {
  const outside = scenario.world;
  const { given, when, then, cluster, expect, ref } = scenario, shop = ref(Endpoint, "shop");
  outside.answer = "broken";
  await given("a question that throws", () => cluster.create(Endpoint, endpoint("http://a")));
  await then("the object says so", () => expect(shop).toHaveCondition("Ready", false, { message: /no route/ }));
  await when("it is mended", () => void (outside.answer = "up"));
  await then("it is reachable", () => expect(shop).toMatch({ status: { reachable: true } }));
});

suite.scenario("the daemon of a killed operator starts again with the next one", async (scenario) => {
  const outside = scenario.world;
  const { given, when, then, cluster, operator, expect, ref } = scenario, shop = ref(Endpoint, "shop");
  await given("a reachable endpoint", async () => {
    await cluster.create(Endpoint, endpoint("http://a"));
    await expect(shop).toMatch({ status: { reachable: true } });
  });
  await when("the operator is killed, and the endpoint goes down", async () => {
    await operator.crash();
    outside.answer = "down";
  });
  await when("the next one starts", () => operator.start());
  await then("it is not reachable", () => expect(shop).toMatch({ status: { reachable: false } }));
});

Deno.test("an address is asked over HTTP; no server and an error are no answer, an abort is none of both", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, ({ url }) => {
    return new Response("x", { status: url.endsWith("/broken") ? 500 : 200 });
  });
  const url = `http://127.0.0.1:${server.addr.port}`, { signal } = new AbortController();
  assert.deepEqual([await askByHttp(url, signal), await askByHttp(`${url}/broken`, signal)], [true, false]);
  assert.equal(await askByHttp("http://127.0.0.1:1", signal), false);
  await assert.rejects(askByHttp(url, AbortSignal.abort(new Error("stop"))), /stop/);
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
