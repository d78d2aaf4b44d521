import assert from "node:assert/strict";
import { SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer, Storage } from "../../lib/apiserver/mod.ts";
import { WatchReader } from "../conformance/conformance_case.ts";

const PATH = "/api/v1/namespaces/default/configmaps";

function open(limits: { logLengthMax?: number } = {}) {
  const clock = new VirtualClock();
  const server = new EmbeddedApiServer({ clock, random: new SeededRandom(1), limits });
  const transport = server.transport();
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await transport.fetch(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return await response.json();
  };
  const create = (name: string) => call("POST", PATH, { metadata: { name } });
  const watch = async (query: string) => {
    const abort = new AbortController();
    return new WatchReader(await transport.fetch(`${PATH}?watch=1&${query}`, { signal: abort.signal }), abort);
  };
  return { clock, server, call, create, watch, [Symbol.dispose]: () => server.close() };
}

Deno.test("a stored object cannot be edited by its readers", () => {
  const storage = new Storage();
  const stored = storage.create("configmaps", "a/b", { metadata: { name: "b" } })!;
  assert.throws(() => stored.object.metadata!.name = "c", TypeError);
});

Deno.test("a write that names a former state does nothing", () => {
  const storage = new Storage();
  const first = storage.create("configmaps", "a", { metadata: { name: "a" } })!;
  const second = storage.update("configmaps", "a", { metadata: { name: "a" } }, first)!;
  assert.equal(storage.update("configmaps", "a", { metadata: { name: "a" } }, first), undefined);
  assert.equal(storage.remove("configmaps", "a", { metadata: { name: "a" } }, first), undefined);
  assert.equal(storage.get("configmaps", "a"), second);
});

Deno.test("a page token outlives writes but not compaction, and then offers to go on without consistency", async () => {
  using test = open();
  for (const name of ["a", "b", "c"]) await test.create(name);
  const first = await test.call("GET", `${PATH}?limit=1`);
  test.server.storage.compact();
  assert.equal(
    (await test.call("GET", `${PATH}?limit=1&continue=${first.metadata.continue}`)).items[0].metadata.name,
    "b",
  );
  await test.create("d");
  test.server.storage.compact();
  const gone = await test.call("GET", `${PATH}?limit=1&continue=${first.metadata.continue}`);
  assert.equal(gone.code, 410);
  assert.equal(gone.reason, "Expired");
  const rest = await test.call("GET", `${PATH}?continue=${gone.metadata.continue}`);
  assert.deepEqual(rest.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["b", "c", "d"]);
});

// FR-83
Deno.test("a watch from before the compaction gets 410 in its stream", async () => {
  using test = open();
  const { metadata } = await test.create("a");
  await test.create("b");
  test.server.storage.compact();
  await using watch = await test.watch(`resourceVersion=${metadata.resourceVersion}`);
  const event = await watch.next();
  assert.equal(event?.type, "ERROR");
  assert.equal(event?.object.code, 410);
  assert.match(event?.object.message, /^too old resource version: \d+ \(\d+\)$/);
  assert.equal(await watch.next(), undefined);
});

Deno.test("a reader that is slower than the log is long is ended", async () => {
  using test = open({ logLengthMax: 4 });
  const { metadata } = await test.create("a");
  await using watch = await test.watch(`resourceVersion=${metadata.resourceVersion}`);
  await test.create("b");
  assert.deepEqual(await watch.take(1), ["ADDED b"]);
  await settle();
  for (let index = 0; index < 8; index++) await test.create(`c${index}`);
  const seen: string[] = [];
  for (let event = await watch.next(); event; event = await watch.next()) seen.push(event.object.metadata.name);
  assert(seen.length < 8, `saw ${seen.length} events of 8 through a log of 4`);
});

// FR-83
Deno.test("bookmarks come every minute of the clock, and the end of the watch releases its timers", async () => {
  using test = open();
  const { metadata } = await test.create("a");
  const before = test.clock.pending;
  const watch = await test.watch(`allowWatchBookmarks=true&resourceVersion=${metadata.resourceVersion}`);
  const next = watch.next();
  await test.clock.advance(60_000);
  const event = await next;
  assert.equal(event?.type, "BOOKMARK");
  assert.equal(event?.object.metadata.resourceVersion, metadata.resourceVersion);
  await watch[Symbol.asyncDispose]();
  assert.equal(test.clock.pending, before);
});

Deno.test("an aborted signal ends a watch and releases its timers", async () => {
  using test = open();
  const abort = new AbortController();
  const response = await test.server.transport().fetch(`${PATH}?watch=1`, { signal: abort.signal });
  const reading = response.text();
  abort.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  assert.equal(test.clock.pending, 0);
});

Deno.test("a snapshot brings back objects, kinds and revisions, and ends watches", async () => {
  using test = open();
  const made = await test.create("a");
  const snapshot = test.server.snapshot();
  await using watch = await test.watch(`resourceVersion=${made.metadata.resourceVersion}`);
  await test.call("DELETE", `${PATH}/a`);
  await test.create("b");
  test.server.restore(snapshot);
  assert.deepEqual(await test.call("GET", `${PATH}/a`), made);
  assert.equal(made.metadata.managedFields, undefined);
  assert.equal((await test.call("GET", `${PATH}/b`)).code, 404);
  // What was on its way may still come; then the watch ends although it was not closed.
  while (await watch.next());
  assert.equal((await test.create("c")).metadata.resourceVersion, String(snapshot.revision + 1));
});

// FR-90
Deno.test("the same clock and seed give the same server", async () => {
  const run = async () => {
    using test = open();
    await test.create("a");
    return await test.call("POST", PATH, { metadata: { generateName: "g-" } });
  };
  assert.deepEqual(await run(), await run());
});

Deno.test("a resourceVersion from the future is a timeout with the reason", async () => {
  using test = open();
  const answer = await test.call("GET", `${PATH}?resourceVersion=99999`);
  assert.equal(answer.code, 504);
  assert.equal(answer.details.causes[0].reason, "ResourceVersionTooLarge");
});
