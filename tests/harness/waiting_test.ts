// FR-171
import assert from "node:assert/strict";
import { settle, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap, Namespace } from "../../lib/operator/mod.ts";
import { NotYetError, type Verdict, waitUntil } from "../../lib/harness/waiting.ts";

/** A server on a clock that only the test turns, with a door that the test may change. */
class Yard implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock });
  readonly #inner = this.server.transport();
  /** Who answers; the server itself unless a test says otherwise. */
  door: Transport["fetch"] = (path, request) => this.#inner.fetch(path, request);
  readonly requests: string[] = [];
  readonly client = new Client({
    fetch: (path, request) => {
      this.requests.push(`${request?.method ?? "GET"} ${path}`);
      return this.door(path, request);
    },
    close: () => {},
  }, { fieldManager: "test", clock: this.clock, retriesMax: 0 });
  readonly admin = new Client(this.#inner, { fieldManager: "admin", clock: this.clock });

  through(...[path, request]: Parameters<Transport["fetch"]>): Promise<Response> {
    return this.#inner.fetch(path, request);
  }

  wait(look: () => Promise<Verdict>, more: { waitMsMax?: number; signal?: AbortSignal } = {}): Promise<void> {
    return waitUntil("a ConfigMap to be as wanted", [ConfigMap], look, {
      client: this.client,
      clock: this.clock,
      waitMsMax: 60_000,
      ...more,
    });
  }

  put(name: string, key = "x"): Promise<unknown> {
    const metadata = { name, namespace: "default" };
    return this.admin.apply(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata, data: { key } });
  }

  remove(name: string): Promise<unknown> {
    return this.admin.delete(ConfigMap, { namespace: "default", name });
  }

  isThere = async (name: string): Promise<boolean> =>
    await this.admin.find(ConfigMap, { namespace: "default", name }) !== undefined;

  [Symbol.dispose](): void {
    assert.equal(this.clock.pending, 0, "a wait leaves no timer behind");
    this.server.close();
  }
}

async function open(): Promise<Yard> {
  const yard = new Yard();
  await yard.admin.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } }).catch(
    () => {},
  );
  await yard.server.settled();
  return yard;
}

const not = (seen: string): Verdict => ({ holds: false, seen });
const HOLDS: Verdict = { holds: true };

Deno.test("what holds already costs one look and no request", async () => {
  using yard = await open();
  let looks = 0;
  await yard.wait(() => Promise.resolve((looks++, HOLDS)));
  assert.deepEqual([looks, yard.requests], [1, []]);
});

Deno.test("a change wakes the wait, without the clock being turned", async () => {
  using yard = await open();
  const waiting = yard.wait(async () => await yard.isThere("a") ? HOLDS : not("  it is not there"));
  await settle();
  await yard.put("a");
  await waiting;
});

Deno.test("no look is made without a change", async () => {
  using yard = await open();
  await yard.put("other");
  let looks = 0;
  const waiting = yard.wait(async () => (looks++, await yard.isThere("a") ? HOLDS : not("  no")));
  await settle();
  const before = looks;
  await yard.clock.advance(30_000);
  assert.equal(looks, before);
  await yard.put("a");
  await waiting;
});

Deno.test("changes without a pause, as of an operator that never rests, keep no wait from its bound", async () => {
  using yard = await open();
  let looks = 0;
  const waiting = yard.wait(async () => {
    if (looks++ > 5_000) throw new Error("no timer gets its turn");
    await yard.put("a", `${looks}`);
    return not("  it never rests");
  });
  const refused = assert.rejects(waiting, NotYetError);
  await settle();
  await yard.clock.advance(61_000);
  await refused;
});

Deno.test("an object that goes between the look and the begin of the watch is noticed", async () => {
  using yard = await open();
  await yard.put("a");
  // It was seen; then, before the server hears of any watch, it goes. Nothing else is there that could make an event.
  let looks = 0;
  await yard.wait(async () => {
    const there = await yard.isThere("a");
    if (looks++ === 0) await yard.remove("a");
    return there ? not("  it is there") : HOLDS;
  });
  assert.equal(looks, 2);
});

Deno.test("a change while a look is under way is not lost", async () => {
  using yard = await open();
  let looks = 0;
  const held = Promise.withResolvers<void>();
  const waiting = yard.wait(async () => {
    const there = await yard.isThere("a");
    if (looks++ === 1) await held.promise;
    return there ? HOLDS : not("  no");
  });
  await settle();
  assert.equal(looks, 2, "the second look is under way, and has seen nothing");
  await yard.put("a");
  await settle();
  held.resolve();
  await waiting;
});

Deno.test("the time limit ends the wait, and the message shows what was seen last", async () => {
  using yard = await open();
  let looks = 0;
  const waiting = yard.wait(() => Promise.resolve(not(`  look ${++looks}`)), { waitMsMax: 90_000 });
  const failing = assert.rejects(waiting, (error: Error) => {
    assert.ok(error instanceof NotYetError);
    assert.match(error.message, /^a ConfigMap to be as wanted: not within 1m30s; last seen:\n {2}look \d$/);
    return true;
  });
  await yard.clock.advance(89_999);
  const before = looks;
  await yard.clock.advance(1);
  await failing;
  assert.equal(looks, before + 1, "there is a last look when time is up");
});

Deno.test("a condition that is met in the last moment counts", async () => {
  using yard = await open();
  let done = false;
  const waiting = yard.wait(() => Promise.resolve(done ? HOLDS : not("  no")));
  await settle();
  done = true; // nothing tells the wait
  await yard.clock.advance(60_000);
  await waiting;
});

Deno.test("a look that hangs does not keep the wait from ending", async () => {
  using yard = await open();
  let looks = 0;
  const waiting = yard.wait(() => looks++ === 0 ? Promise.resolve(not("  nothing yet")) : new Promise(() => {}));
  const failing = assert.rejects(waiting, { name: "NotYetError", message: /last seen:\n {2}nothing yet$/ });
  await yard.clock.advance(65_000);
  await failing;
});

Deno.test("an abort ends the wait with its reason, before it and in the middle", async () => {
  using yard = await open();
  const abort = new AbortController(), reason = new Error("the run was ended");
  const waiting = yard.wait(() => Promise.resolve(not("  no")), { signal: abort.signal });
  await settle();
  abort.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(yard.wait(() => Promise.resolve(HOLDS), { signal: abort.signal }), reason);
});

Deno.test("what a look throws ends the wait, the first and a later one", async () => {
  using yard = await open();
  await assert.rejects(yard.wait(() => Promise.reject(new Error("broken"))), /^Error: broken$/);
  let looks = 0;
  await assert.rejects(
    yard.wait(() => looks++ === 0 ? Promise.resolve(not("  no")) : Promise.reject(new Error("broken"))),
    /^Error: broken$/,
  );
});

Deno.test("a watch that is refused fails the wait and names what was watched", async () => {
  using yard = await open();
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 403, reason: "Forbidden", message: "no" };
  yard.door = (path, request) =>
    path.includes("watch") ? Promise.resolve(Response.json(status, { status: 403 })) : yard.through(path, request);
  await assert.rejects(yard.wait(() => Promise.resolve(not("  no"))), (error: Error) => {
    assert.equal(error.message, "the watch of configmaps broke");
    assert.equal((error.cause as Error).name, "ForbiddenError");
    return true;
  });
});

Deno.test("a look that was under way when the watch broke is not the last one: the kind may have gone with its objects", async () => {
  using yard = await open();
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 404, reason: "NotFound", message: "no" };
  const began = Promise.withResolvers<void>(), slow = Promise.withResolvers<void>();
  const broke = Promise.withResolvers<void>();
  yard.door = async (path, request) => {
    if (!path.includes("watch=")) return await yard.through(path, request);
    await began.promise;
    broke.resolve();
    return Response.json(status, { status: 404 });
  };
  let looks = 0;
  const waiting = yard.wait(async () => {
    if (++looks === 1) return not("  one is left");
    if (looks > 2) return HOLDS;
    began.resolve();
    await slow.promise; // it saw the object a moment before it went
    return not("  one is left");
  });
  await broke.promise;
  await settle();
  slow.resolve();
  await waiting;
  assert.equal(looks, 3);
});

Deno.test("a watch that the server ends, or whose version is gone, is opened again after a pause, and nothing is missed", async () => {
  using yard = await open();
  let watches = 0;
  yard.door = (path, request) => {
    if (!path.includes("watch=")) return yard.through(path, request);
    watches++;
    if (watches === 1) return Promise.resolve(new Response("", { headers: { "content-type": "application/json" } }));
    const gone = { kind: "Status", apiVersion: "v1", status: "Failure", code: 410, reason: "Expired", message: "old" };
    if (watches === 2) return Promise.resolve(Response.json(gone, { status: 410 }));
    return yard.through(path, request);
  };
  const waiting = yard.wait(async () => await yard.isThere("a") ? HOLDS : not("  no"));
  await settle();
  assert.equal(watches, 1, "it is not asked for again at once");
  await yard.put("a"); // while there is no watch
  await yard.clock.advance(100);
  await waiting;
  const again = yard.wait(async () => await yard.isThere("b") ? HOLDS : not("  no"));
  await yard.clock.advance(100);
  assert.equal(watches, 3);
  await yard.put("b");
  await again;
});
