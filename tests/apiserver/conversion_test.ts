import assert from "node:assert/strict";
import { SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer, type EmbeddedApiServerOptions } from "../../lib/apiserver/mod.ts";
import { WatchReader } from "../conformance/conformance_case.ts";
import { converted, CRDS, doorDefinition, type Json } from "../conformance/conversion_server.ts";

// What needs a clock of one's own, counts calls, or differs from a real server on purpose: none of it is a conformance
// case.

const GROUP = "doors.example.com";
const SERVICE = { namespace: "system", name: "converter" };
const SERVED = {
  strategy: "Webhook",
  webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: SERVICE } },
};

/** A server that serves doors, and a converter behind a Service of its process. */
async function open(options: EmbeddedApiServerOptions = {}, conversion: Json = SERVED) {
  const clock = new VirtualClock();
  const server = new EmbeddedApiServer({ clock, random: new SeededRandom(1), ...options });
  const transport = server.transport(), reviews: number[] = [];
  const call = async (method: string, path: string, body?: Json, type: string = "application/json") => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await transport.fetch(path, { method, headers: { "content-type": type }, body: text });
    return { code: answer.status, body: await answer.json() };
  };
  const serve = () =>
    server.serveService(SERVICE.namespace, SERVICE.name, (_path, { body }) => {
      const { request, ...review } = JSON.parse(body);
      reviews.push(request.objects.length);
      const convertedObjects = request.objects.map((object: Json) => converted(object, request.desiredAPIVersion));
      const response = { uid: request.uid, result: { status: "Success" }, convertedObjects };
      return Promise.resolve(Response.json({ ...review, response }));
    });
  assert.equal((await call("POST", CRDS, doorDefinition(GROUP, conversion))).code, 201);
  const path = (version: string, name: string = "", namespace: string = "default") =>
    `/apis/${GROUP}/${version}/namespaces/${namespace}/doors${name && `/${name}`}`;
  const make = async (version: string, name: string, spec: Json, metadata: Json = {}, namespace?: string) => {
    const door = { apiVersion: `${GROUP}/${version}`, kind: "Door", metadata: { name, ...metadata }, spec };
    const made = await call("POST", path(version, "", namespace), door);
    assert.equal(made.code, 201, JSON.stringify(made.body));
    return made.body;
  };
  const watch = async (where: string) => {
    const abort = new AbortController();
    return new WatchReader(await transport.fetch(where, { signal: abort.signal }), abort);
  };
  return { clock, server, reviews, call, serve, path, make, watch, [Symbol.dispose]: () => server.close() };
}

// FR-92
Deno.test("a page of a list is one review, and what was converted for a list or a watch is not converted again", async () => {
  using test = await open({ limits: { conversionObjectsMax: 4 } });
  test.serve();
  for (let port = 0; port < 10; port++) await test.make("v1", `d${port}`, { host: "h", port });
  assert.deepEqual(test.reviews.splice(0), [], "v1 is what is stored");
  assert.equal((await test.call("GET", `${test.path("v2")}?limit=3`)).body.items.length, 3);
  assert.deepEqual(test.reviews.splice(0), [3]);
  assert.equal((await test.call("GET", test.path("v2"))).body.items.length, 10);
  assert.deepEqual(test.reviews.splice(0), [4, 3], "the rest, at most four at once");
  assert.equal((await test.call("GET", `${test.path("v2")}?fieldSelector=spec.address%3Dh:7`)).body.items.length, 1);
  await using watch = await test.watch(`${test.path("v2")}?watch=1`);
  for (let port = 0; port < 10; port++) assert.equal((await watch.next())!.object.spec.address, `h:${port}`);
  assert.deepEqual(test.reviews.splice(0), []);
  await test.make("v1", "e", { host: "h", port: 1 });
  assert.equal((await watch.next())!.object.metadata.name, "e");
  assert.equal((await test.call("GET", test.path("v2"))).body.items.length, 11);
  assert.deepEqual(test.reviews.splice(0), [1]);
  await test.call("GET", test.path("v2", "e"));
  await test.call("GET", test.path("v2", "e"));
  assert.deepEqual(test.reviews.splice(0), [1, 1], "each read of one object converts it again");
});

Deno.test("large objects are converted few at once, and one however large it is", async () => {
  using test = await open({ limits: { conversionCharactersMax: 5_000 } });
  test.serve();
  for (const [name, length] of [["a", 2_000], ["b", 2_000], ["c", 9_000], ["d", 10], ["e", 10]] as const) {
    await test.make("v1", name, { host: "h".repeat(length), port: 1 });
  }
  const list = await test.call("GET", test.path("v2"));
  assert.deepEqual(list.body.items.map(({ spec }: Json) => spec.address.length), [2_002, 2_002, 9_002, 12, 12]);
  assert.deepEqual(test.reviews, [2, 1, 2]);
});

Deno.test("a definition that changes makes what was converted before worth nothing", async () => {
  using test = await open();
  test.serve();
  await test.make("v1", "a", { host: "h", port: 1 });
  await test.call("GET", test.path("v2"));
  const { body: crd } = await test.call("GET", `${CRDS}/doors.${GROUP}`);
  await test.call("PUT", `${CRDS}/doors.${GROUP}`, { ...crd, metadata: { ...crd.metadata, labels: { a: "b" } } });
  await test.call("GET", test.path("v2"));
  assert.deepEqual(test.reviews, [1], "a label of it is no change of what it defines");
  const { body: now } = await test.call("GET", `${CRDS}/doors.${GROUP}`);
  now.spec.versions[1].schema.openAPIV3Schema.properties.spec.properties.address.description = "where";
  await test.call("PUT", `${CRDS}/doors.${GROUP}`, now);
  await test.call("GET", test.path("v2"));
  assert.deepEqual(test.reviews, [1, 1]);
});

// FR-92
Deno.test("a webhook that is silent for thirty seconds has failed", async () => {
  const clientConfig = { url: "https://converter.example.com/convert" };
  const conversion = { strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig } };
  const called: string[] = [];
  const webhookFetch = ({ url }: { url: string }) => {
    called.push(url);
    return new Promise<Response>(() => {});
  };
  using test = await open({ webhookFetch }, conversion);
  await test.make("v1", "a", { host: "h", port: 1 });
  const reading = test.call("GET", test.path("v2", "a"));
  await settle();
  assert.deepEqual(called, ["https://converter.example.com/convert?timeout=30s"]);
  assert.equal(test.clock.nextInMs, 30_000);
  await test.clock.advance(30_000);
  const { code, body } = await reading;
  assert.equal(code, 500);
  assert.match(
    body.message,
    /failed: Post "https:\/\/converter.example.com\/convert\?timeout=30s": context deadline exceeded$/,
  );
});

Deno.test("an answer that is longer than the bound has failed", async () => {
  using test = await open({ limits: { webhookAnswerBytesMax: 100 } });
  test.serve();
  await test.make("v1", "a", { host: "h", port: 1 });
  const { code, body } = await test.call("GET", test.path("v2", "a"));
  assert.equal(code, 500);
  assert.match(body.message, /Kind=Door failed: the answer is longer than 100 bytes$/);
});

Deno.test("a watch calls a webhook that fails again each second, and stops when its reader disconnects", async () => {
  using test = await open();
  await test.make("v1", "a", { host: "h", port: 1 });
  await using watch = await test.watch(`${test.path("v2")}?watch=1`);
  const next = watch.next();
  await settle();
  assert.equal(test.clock.nextInMs, 1_000);
  await test.clock.advance(1_000);
  const stop = test.serve();
  await test.clock.advance(1_000);
  assert.equal((await next)!.object.spec.address, "h:1");
  stop();
  await test.make("v1", "b", { host: "h", port: 2 });
  await settle();
  assert.equal(test.clock.nextInMs, 1_000);
  await watch[Symbol.asyncDispose]();
  await settle();
  assert.equal(test.clock.pending, 0, "no timer is left");
});

// FR-92
Deno.test("owners are collected, namespaces and definitions end, even where the webhook is down", async () => {
  using test = await open();
  await test.call("POST", "/api/v1/namespaces", { metadata: { name: "n" } });
  const stop = test.serve();
  const owner = await test.make("v2", "owner", { address: "h:1" }, {}, "n");
  const ownerReferences = [{ apiVersion: `${GROUP}/v2`, kind: "Door", name: "owner", uid: owner.metadata.uid }];
  await test.make("v2", "owned", { address: "h:1" }, { ownerReferences }, "n");
  await test.make("v2", "other", { address: "h:1" }, {}, "n");
  await test.make("v2", "last", { address: "h:1" });
  stop();
  await test.call("DELETE", test.path("v1", "owner", "n"));
  await test.server.settled();
  assert.equal((await test.call("GET", test.path("v1", "owned", "n"))).code, 404);
  await test.call("DELETE", "/api/v1/namespaces/n");
  await test.server.settled();
  assert.equal((await test.call("GET", "/api/v1/namespaces/n")).code, 404);
  await test.call("DELETE", `${CRDS}/doors.${GROUP}`);
  await test.server.settled();
  assert.equal((await test.call("GET", `${CRDS}/doors.${GROUP}`)).code, 404);
});

Deno.test("a snapshot brings back objects in the version they were stored in", async () => {
  using test = await open();
  test.serve();
  await test.make("v1", "a", { host: "h", port: 1 });
  const snapshot = test.server.snapshot();
  const { body: crd } = await test.call("GET", `${CRDS}/doors.${GROUP}`);
  crd.spec.versions[0].storage = false;
  crd.spec.versions[1].storage = true;
  await test.call("PUT", `${CRDS}/doors.${GROUP}`, crd);
  await test.call("PATCH", test.path("v2", "a"), {}, "application/merge-patch+json");
  assert.deepEqual((await test.call("GET", test.path("v1", "a"))).body.spec, { host: "h", port: 1 });
  test.server.restore(snapshot);
  test.reviews.length = 0;
  assert.deepEqual((await test.call("GET", test.path("v1", "a"))).body.spec, { host: "h", port: 1 });
  assert.deepEqual(test.reviews, []);
  assert.deepEqual((await test.call("GET", test.path("v2", "a"))).body.spec, { address: "h:1" });
});

Deno.test("a patch that another write overtakes while it is converted is applied again to that write", async () => {
  using test = await open();
  test.serve();
  await test.make("v1", "a", { host: "h", port: 1 });
  const merge = "application/merge-patch+json";
  const [mine, theirs] = await Promise.all([
    test.call("PATCH", test.path("v2", "a"), { spec: { mode: "shut" } }, merge),
    test.call("PATCH", test.path("v1", "a"), { spec: { port: 7 } }, merge),
  ]);
  assert.deepEqual([mine.code, theirs.code], [200, 200]);
  assert.deepEqual(mine.body.spec, { address: "h:7", mode: "shut" });
});
