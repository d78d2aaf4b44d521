import assert from "node:assert/strict";
import { SeededRandom, TemporaryError, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { KindResolver } from "../../lib/operator/kind_resolver.ts";

const GROUP = "kids.example.com";

/** A server that serves one kind, as the test changes it. */
class Served implements Transport {
  discoveries = 0;
  plural = "kids";
  scope = "Namespaced";
  freshness = "Current";
  there = true;

  fetch(path: string): Promise<Response> {
    if (path !== "/apis") return Promise.resolve(Response.json({ kind: "APIGroupDiscoveryList", items: [] }));
    this.discoveries++;
    const resource = { resource: this.plural, responseKind: { kind: "Kid" }, scope: this.scope, verbs: ["list"] };
    const resources = this.there ? [resource] : [];
    const versions = [{ version: "v1", freshness: this.freshness, resources }];
    return Promise.resolve(
      Response.json({ kind: "APIGroupDiscoveryList", items: [{ metadata: { name: GROUP }, versions }] }),
    );
  }

  close(): void {}
}

function setUp() {
  const served = new Served(), clock = new VirtualClock(), random = new SeededRandom(1);
  const client = new Client(served, { fieldManager: "x", clock, random, retriesMax: 0 });
  const resolver = new KindResolver(client, clock, []);
  const refused = (verb: string, code = 404, resource = `${served.plural}.${GROUP}`) =>
    resolver.onRequest({ verb, code, resource, namespace: "a", name: "b", durationMs: 1 });
  return { served, clock, resolver, refused, resolve: () => resolver.resolve(GROUP, "v1", "Kid") };
}

// FR-294
Deno.test("a kind that was installed again with another plural and scope is found after a write was answered with 404", async () => {
  const { served, clock, refused, resolve } = setUp();
  assert.equal((await resolve()).plural, "kids");
  refused("patch");
  Object.assign(served, { plural: "kiddies", scope: "Cluster" });
  assert.equal((await resolve()).plural, "kids", "discovery is not repeated at once");
  await clock.advance(10_000);
  const found = await resolve();
  assert.deepEqual([found.plural, found.namespaced, served.discoveries], ["kiddies", false, 2]);
  await clock.advance(100_000);
  await resolve();
  assert.equal(served.discoveries, 2, "what works is not asked for again");
});

// FR-294
Deno.test("responses without the kind cause no discovery", async () => {
  const { served, clock, refused, resolve } = setUp();
  await resolve();
  await clock.advance(100_000);
  refused("get");
  refused("patch", 409);
  refused("patch", 404, "others.example.com");
  await resolve();
  assert.equal(served.discoveries, 1);
});

// FR-295
Deno.test("a kind that discovery cannot report now is tried again, and an absent one is an error", async () => {
  const { served, clock, resolve } = setUp();
  Object.assign(served, { there: false, freshness: "Stale" });
  await assert.rejects(resolve(), (error) => error instanceof TemporaryError && error.reason === "DiscoveryStale");
  served.freshness = "Current";
  await clock.advance(10_000);
  await assert.rejects(resolve(), (error: Error) => {
    return !(error instanceof TemporaryError) && /knows no kind Kid in kids.example.com\/v1/.test(error.message);
  });
  served.there = true;
  await clock.advance(10_000);
  assert.equal((await resolve()).plural, "kids");
});
