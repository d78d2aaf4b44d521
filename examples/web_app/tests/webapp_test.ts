import assert from "node:assert/strict";
import { denoTests, EmbeddedSource, Suite, VirtualClock } from "@pintle/pintle/testing";
import { httpDns } from "../dns.ts";
import { operator } from "../operator.ts";
import { WebApp } from "../web_app.ts";
import { FakeOutside } from "./fake_outside.ts";
import { suites } from "./suites.ts";

for (const suite of suites) denoTests(Deno.test, suite, { source: () => new EmbeddedSource() });

const clock = new VirtualClock();
const timed = new Suite("timed", { world: () => new FakeOutside(), operator: ({ dns }) => operator({ dns }) });

timed.scenario("a record is renewed every ten minutes", async (scenario) => {
  const { given, when, then, cluster, expect, ref, operator, world } = scenario;
  await given("an app that is handled", async () => {
    await cluster.create(WebApp, { metadata: { name: "shop" }, spec: { image: "shop:1", host: "shop.example.com" } });
    await expect(ref(WebApp, "shop")).toMatch({ status: { observedGeneration: 1 } });
  });
  await when("half an hour passes", async () => {
    await clock.advance(30 * 60_000);
    await operator.inProcess.idle();
  });
  await then("the record was written once, and renewed three times", () => assert.equal(world.puts, 4));
}, { timeout: "1h", inProcess: true });

denoTests(Deno.test, timed, { clock, source: () => new EmbeddedSource({ clock }) });

Deno.test("the registry is asked over HTTP, and a record that is gone counts as removed", async () => {
  const seen: string[] = [], { signal } = new AbortController();
  const answer = async (request: Request) => {
    seen.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`.trim());
    return new Response(null, { status: request.url.endsWith("/broken") ? 500 : 404 });
  };
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, answer);
  const dns = httpDns(`http://127.0.0.1:${server.addr.port}`);
  await dns.remove("shop.example.com", signal);
  await assert.rejects(dns.remove("broken", signal), /500/);
  await assert.rejects(dns.put("shop.example.com", "shop.default", signal), /404/);
  assert.equal(seen.at(-1), 'PUT /records/shop.example.com {"target":"shop.default"}');
});
