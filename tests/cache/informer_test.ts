import type { InformerOptions } from "../../lib/cache/informer.ts";
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { createLogger, type LogRecord, SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { Client, ForbiddenError } from "../../lib/client/mod.ts";
import { Informer } from "../../lib/cache/mod.ts";
import {
  answer,
  fail,
  hang,
  refuse,
  ScriptedStream,
  ScriptedTransport,
  type Step,
  WIDGETS,
} from "../client/scripted_transport.ts";

function widget(name: string, version: number, uid = name): KubeObject {
  return { metadata: { name, namespace: "shop", uid, resourceVersion: String(version) } };
}

function listOf(version: number, ...items: KubeObject[]): Step {
  return answer({ metadata: { resourceVersion: String(version) }, items });
}

const event = (type: string, object: KubeObject) => ({ type, object });
const bookmark = (version: number) => event("BOOKMARK", { metadata: { resourceVersion: String(version) } });

/** An informer over scripted responses (lists in pages by default), with its events as texts. */
class ScriptedInformer implements AsyncDisposable {
  readonly clock = new VirtualClock();
  readonly transport: ScriptedTransport;
  readonly informer: Informer<KubeObject>;
  readonly events: string[] = [];
  readonly logs: LogRecord[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(steps: Step[], options: Partial<InformerOptions<KubeObject>> = {}) {
    this.transport = new ScriptedTransport(...steps);
    const random = new SeededRandom(1), { clock } = this, logger = createLogger((record) => this.logs.push(record));
    const client = new Client(this.transport, { fieldManager: "test", clock, random, retriesMax: 0 });
    this.informer = new Informer(client, WIDGETS, { clock, random, logger, streamingList: false, ...options });
    this.informer.onEvent(({ type, object, old, initial }) => {
      const versions = `${old ? `${old.metadata?.resourceVersion}→` : ""}${object.metadata?.resourceVersion}`;
      this.events.push(`${initial ? "initial " : ""}${type} ${object.metadata?.name} ${versions}`);
    });
    this.#running = this.informer.start(this.#stop.signal);
  }

  /** The events since the last call. */
  async newEvents(): Promise<string[]> {
    await settle();
    return this.events.splice(0);
  }

  queries(name: string): (string | null)[] {
    return this.transport.seen.map((request) => request.query.get(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the test is over"));
    await this.#running;
    assert.equal(this.informer.state, "stopped");
    assert.equal(this.clock.pending, 0, "no timer outlives the informer");
  }
}

// FR-10
Deno.test("the list comes first as initial events, then the watch from its version", async () => {
  const stream = new ScriptedStream();
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 3), widget("b", 7)), stream.step]);
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3", "initial added b 7"]);
  await scripted.informer.synced;
  assert.equal(scripted.informer.state, "watching");
  stream.send(event("MODIFIED", widget("a", 11)), event("ADDED", widget("c", 12)), event("DELETED", widget("b", 13)));
  assert.deepEqual(await scripted.newEvents(), ["modified a 3→11", "added c 12", "deleted b 13"]);
  assert.deepEqual(scripted.queries("resourceVersion"), [null, "10"]);
  assert.equal(scripted.queries("allowWatchBookmarks")[1], "true");
  const seconds = Number(scripted.queries("timeoutSeconds")[1]);
  assert.ok(seconds >= 200 && seconds <= 230);
});

Deno.test("a late listener gets the present objects as initial, and no change twice", async () => {
  const stream = new ScriptedStream();
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 3)), stream.step]);
  await scripted.informer.synced;
  const late: string[] = [];
  const stop = scripted.informer.onEvent((one) => late.push(`${one.initial} ${one.type} ${one.object.metadata?.name}`));
  stream.send(event("ADDED", widget("b", 11)));
  await scripted.newEvents();
  stop();
  stream.send(event("ADDED", widget("c", 12)));
  await scripted.newEvents();
  assert.deepEqual(late, ["true added a", "false added b"]);
});

Deno.test("a listener that throws is logged, and the others still get events", async () => {
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 3)), new ScriptedStream().step]);
  scripted.informer.onEvent(() => {
    throw new Error("broken listener");
  });
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
  assert.match(JSON.stringify(scripted.logs), /broken listener/);
});

Deno.test("an object whose transform throws is kept with its metadata, and the others are watched", async () => {
  const transform = (object: KubeObject) => {
    if (object.metadata?.name === "bad") throw new Error("no such field");
    return object;
  };
  const stream = new ScriptedStream(), list = listOf(10, widget("bad", 2), widget("good", 3));
  await using scripted = new ScriptedInformer([list, stream.step], { transform });
  await scripted.informer.synced;
  assert.deepEqual(Object.keys(scripted.informer.store.get("shop/bad")!), ["metadata"]);
  stream.send(event("MODIFIED", widget("bad", 11)), event("MODIFIED", widget("good", 12)));
  assert.equal(await scripted.informer.waitFor("12", 5_000), true);
  assert.equal(scripted.informer.store.get("shop/good")?.metadata?.resourceVersion, "12");
});

Deno.test("managedFields are dropped and a transform is what the store holds", async () => {
  const full = widget("a", 3);
  full.metadata!.managedFields = [{ manager: "x" }];
  const plain = new ScriptedInformer([listOf(10, full), new ScriptedStream().step]);
  await using _plain = plain;
  await plain.informer.synced;
  assert.equal(plain.informer.store.get("shop/a")?.metadata?.managedFields, undefined);
  const transform = ({ metadata }: KubeObject) => ({ metadata: { ...metadata, labels: { seen: "yes" } } });
  await using projected = new ScriptedInformer([listOf(10, widget("a", 3)), new ScriptedStream().step], { transform });
  await projected.informer.synced;
  assert.equal(projected.informer.store.get("shop/a")?.metadata?.labels?.seen, "yes");
});

// FR-461
Deno.test("a reader that edits a stored object fails at once", async () => {
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 3)), new ScriptedStream().step]);
  await scripted.informer.synced;
  const stored = scripted.informer.store.get("shop/a")!;
  assert.throws(() => stored.metadata!.labels = {}, TypeError);
});

// FR-10
Deno.test("a 410 in the watch lists again at once and reports only the changes", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  const later = listOf(50, widget("a", 3), widget("b", 40), widget("c", 45, "new"), widget("e", 46));
  await using scripted = new ScriptedInformer([
    listOf(10, widget("a", 3), widget("b", 4), widget("c", 5, "old"), widget("d", 6)),
    first.step,
    later,
    second.step,
  ]);
  await scripted.informer.synced;
  await scripted.newEvents();
  first.send({ type: "ERROR", object: { kind: "Status", apiVersion: "v1", code: 410, reason: "Expired" } });
  assert.deepEqual(await scripted.newEvents(), [
    "deleted d 6",
    "modified b 4→40",
    "deleted c 5",
    "added c 45",
    "added e 46",
  ]);
  assert.equal(scripted.informer.relists, 1);
  assert.equal(scripted.queries("resourceVersion").at(-1), "50");
  assert.equal(scripted.informer.hasSynced, true);
});

Deno.test("a 410 to the watch request itself does the same", async () => {
  await using scripted = new ScriptedInformer([
    listOf(10),
    refuse(410, "Expired"),
    listOf(20, widget("a", 15)),
    new ScriptedStream().step,
  ]);
  assert.deepEqual(await scripted.newEvents(), ["added a 15"]);
});

// FR-10
Deno.test("a 410 between two pages reads the list again in one piece, and no half list shows", async () => {
  await using scripted = new ScriptedInformer([
    answer({ metadata: { resourceVersion: "5", continue: "next" }, items: [widget("stale", 1)] }),
    refuse(410, "Expired"),
    listOf(9, widget("a", 8)),
    new ScriptedStream().step,
  ]);
  assert.deepEqual(await scripted.newEvents(), ["initial added a 8"]);
  assert.equal(scripted.queries("limit")[2], null);
});

Deno.test("a server that always returns 410 gets requests less and less often", async () => {
  const steps = Array.from({ length: 6 }, () => [listOf(10), refuse(410, "Expired")]).flat();
  await using scripted = new ScriptedInformer([...steps, listOf(10), hang()]);
  await settle();
  const atOnce = scripted.transport.seen.length;
  assert.ok(atOnce <= 4, `${atOnce} requests without a pause`);
  await scripted.clock.advance(120_000);
  assert.equal(scripted.transport.left, 0);
});

// FR-10
Deno.test("a silent watch is cancelled after 70 s and resumed from the last version, bookmarks included", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 3)), first.step, second.step]);
  await scripted.informer.synced;
  await scripted.clock.advance(60_000);
  first.send(bookmark(17));
  await settle();
  assert.equal(scripted.informer.stalenessMs(), 0);
  await scripted.clock.advance(69_000);
  assert.equal(scripted.transport.seen.length, 2, "a bookmark is a sign of life");
  await scripted.clock.advance(5_000);
  assert.equal(scripted.transport.seen.length, 3);
  assert.equal(scripted.queries("resourceVersion")[2], "17");
  assert.ok(first.cancelled, "the old connection is let go");
  assert.equal(scripted.informer.relists, 0);
  assert.equal(scripted.informer.reconnects, 1);
});

// FR-10
Deno.test("a connection that breaks, inside a line too, loses and repeats nothing", async () => {
  const streams = [new ScriptedStream(), new ScriptedStream(), new ScriptedStream()];
  await using scripted = new ScriptedInformer([listOf(10), ...streams.map((stream) => stream.step)]);
  await scripted.informer.synced;
  streams[0]!.send(event("ADDED", widget("a", 11))).text('{"type":"ADDED","obj');
  await settle();
  streams[0]!.end();
  await scripted.clock.advance(2_000);
  streams[1]!.send(event("ADDED", widget("b", 12)));
  await settle();
  streams[1]!.break();
  await scripted.clock.advance(2_000);
  streams[2]!.send(event("ADDED", widget("b", 12)), event("MODIFIED", widget("b", 13)));
  assert.deepEqual(await scripted.newEvents(), ["added a 11", "added b 12", "modified b 12→13"]);
  assert.deepEqual(scripted.queries("resourceVersion"), [null, "10", "11", "12"]);
});

// FR-10
Deno.test("events that come twice or late change nothing", async () => {
  const stream = new ScriptedStream();
  await using scripted = new ScriptedInformer([listOf(10, widget("a", 9)), stream.step]);
  await scripted.newEvents();
  stream.send(
    event("MODIFIED", widget("a", 12)),
    event("MODIFIED", widget("a", 11)),
    event("MODIFIED", widget("a", 12)),
  );
  stream.send(event("DELETED", widget("a", 10, "former")));
  assert.deepEqual(await scripted.newEvents(), ["modified a 9→12"]);
  assert.equal(scripted.informer.resourceVersion, "12");
});

// FR-11
Deno.test("a 429 is obeyed, a 500 backs off, and the state shows it", async () => {
  const stream = new ScriptedStream();
  await using scripted = new ScriptedInformer([
    refuse(500, "InternalError"),
    refuse(429, "TooManyRequests", "later", { headers: { "retry-after": "20" } }),
    listOf(10, widget("a", 3)),
    stream.step,
  ]);
  await settle();
  assert.equal(scripted.informer.state, "backingOff");
  assert.match(scripted.informer.lastError!.message, /500/);
  await scripted.clock.advance(1_000);
  assert.equal(scripted.transport.seen.length, 2);
  await scripted.clock.advance(18_000);
  assert.equal(scripted.transport.seen.length, 2, "the server requested 20 s");
  await scripted.clock.advance(5_000);
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
  assert.equal(scripted.informer.lastError, undefined);
});

Deno.test("a missing permission is logged with its rule, retried slowly, and works once granted", async () => {
  const refusal = refuse(403, "Forbidden", 'User "x" cannot list resource "widgets" in API group "shop.example.com"');
  await using scripted = new ScriptedInformer([
    refusal,
    refusal,
    refusal,
    listOf(10, widget("a", 3)),
    new ScriptedStream().step,
  ]);
  await scripted.clock.advance(1_000);
  assert.ok(scripted.informer.lastError instanceof ForbiddenError);
  assert.deepEqual(scripted.informer.lastError.rule.verbs, ["list"]);
  assert.match(String(scripted.logs.find((record) => record.level === "error")?.fields.error), /verbs: \["list"\]/);
  await scripted.clock.advance(120_000);
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
});

// FR-102
Deno.test("each kind of outage is logged once, and so is its end; every attempt is logged at debug", async () => {
  const refusal = refuse(403, "Forbidden", 'User "x" cannot list resource "widgets" in API group "shop.example.com"');
  const refused = Array.from({ length: 8 }, () => fail("Connection refused"));
  await using scripted = new ScriptedInformer([
    listOf(10),
    new ScriptedStream().break().step,
    ...refused,
    refusal,
    refusal,
    listOf(12),
    new ScriptedStream().step,
  ]);
  const followed = () => scripted.logs.some(({ message }) => message === "watching a resource again");
  for (let seconds = 0; seconds < 600 && !followed(); seconds++) await scripted.clock.advance(1_000);
  assert.equal(scripted.informer.state, "watching");
  const logged = scripted.logs.filter(({ level }) => level !== "debug");
  assert.deepEqual(logged.map(({ level, message }) => [level, message.split(";")[0]]), [
    ["warn", "watching a resource failed"],
    ["error", "cannot watch a resource until this is fixed"],
    ["info", "watching a resource again"],
  ]);
  const attempts = scripted.logs.filter(({ fields }) => typeof fields.delayMs === "number");
  assert.equal(attempts.length, 11);
  for (const { fields } of attempts) assert.ok((fields.delayMs as number) <= 90_000, "pauses are bounded");
});

Deno.test("an unreachable server at the start is waited for", async () => {
  await using scripted = new ScriptedInformer([
    fail("Connection refused"),
    fail("Connection refused"),
    listOf(1),
    new ScriptedStream().step,
  ]);
  await scripted.clock.advance(10_000);
  await scripted.informer.synced;
  assert.equal(scripted.informer.hasSynced, true);
});

Deno.test("a server that ends every watch at once gets requests with delays", async () => {
  const ended = () => new ScriptedStream().end().step;
  await using scripted = new ScriptedInformer([
    listOf(1),
    ...Array.from({ length: 4 }, ended),
    new ScriptedStream().step,
  ]);
  await settle(40);
  assert.equal(scripted.transport.seen.length, 2);
  await scripted.clock.advance(30_000);
  assert.equal(scripted.transport.left, 0);
});

Deno.test("a watch that the server ends after its timeout is opened again without a delay", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  await using scripted = new ScriptedInformer([listOf(10), first.step, second.step]);
  await scripted.clock.advance(50_000);
  first.end();
  await settle();
  assert.equal(scripted.transport.seen.length, 3);
  assert.equal(scripted.informer.state, "watching");
});

// FR-10
Deno.test("a bookmark older than the last version means a restored server: the list wins", async () => {
  const first = new ScriptedStream();
  await using scripted = new ScriptedInformer([
    listOf(100, widget("a", 90), widget("b", 95)),
    first.step,
    listOf(60, widget("a", 50)),
    new ScriptedStream().step,
  ]);
  await scripted.newEvents();
  first.send(bookmark(61));
  assert.deepEqual(await scripted.newEvents(), ["deleted b 95", "modified a 90→50"]);
  assert.equal(scripted.informer.resourceVersion, "60");
  assert.ok(scripted.logs.some((record) => record.level === "warn" && record.message.includes("history went back")));
});

Deno.test("an object without a version is malformed: the resource is listed again", async () => {
  const first = new ScriptedStream();
  await using scripted = new ScriptedInformer([
    listOf(10),
    first.step,
    listOf(12, widget("a", 11)),
    new ScriptedStream().step,
  ]);
  await settle();
  first.send({ type: "ADDED", object: { metadata: { name: "a" } } });
  await settle();
  await scripted.clock.advance(5_000);
  assert.deepEqual(await scripted.newEvents(), ["added a 11"]);
});

// FR-10
Deno.test("a streaming list shows nothing before its end, and the watch continues from there", async () => {
  const stream = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  await using scripted = new ScriptedInformer([stream.step], { streamingList: true });
  await settle();
  stream.send(event("ADDED", widget("a", 3)));
  assert.deepEqual(await scripted.newEvents(), []);
  assert.equal(scripted.informer.state, "listing");
  stream.send(event("BOOKMARK", end), event("ADDED", widget("b", 21)));
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3", "added b 21"]);
  assert.equal(scripted.queries("sendInitialEvents")[0], "true");
  assert.equal(scripted.queries("resourceVersionMatch")[0], "NotOlderThan");
});

// FR-10
Deno.test("a server that refuses a streaming list, or whose storage lacks it, gets a paged one at once", async () => {
  const paged = () => [listOf(9, widget("a", 3)), new ScriptedStream().step];
  for (const step of [refuse(422, "Invalid"), refuse(400, "BadRequest"), refuse(500, "InternalError")]) {
    await using scripted = new ScriptedInformer([step, ...paged()], { streamingList: true });
    assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
    assert.deepEqual(scripted.queries("sendInitialEvents"), ["true", null, null]);
  }
  const stream = new ScriptedStream();
  await using logged = new ScriptedInformer([stream.step, ...paged()], { streamingList: true });
  await settle();
  stream.send(event("ERROR", { kind: "Status", status: "Failure", code: 500, message: "no progress" } as KubeObject));
  assert.deepEqual(await logged.newEvents(), ["initial added a 3"]);
});

Deno.test("a server that ignores streaming lists, and watches without reporting completeness, gets a paged one", async () => {
  const stream = new ScriptedStream();
  const steps = [stream.step, listOf(9, widget("a", 3)), new ScriptedStream().step];
  await using scripted = new ScriptedInformer(steps, { streamingList: true });
  await settle();
  stream.send(event("ADDED", widget("a", 3)), bookmark(8));
  stream.end();
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
  assert.deepEqual(scripted.queries("sendInitialEvents"), ["true", null, null]);
});

// FR-297
Deno.test("a streaming list that falls silent before its end is replaced by a paged one within seconds", async () => {
  const listed = () => [listOf(9, widget("a", 3)), new ScriptedStream().step];
  const mute = new ScriptedStream(), half = new ScriptedStream();
  for (const step of [mute.step, half.step, hang()]) {
    await using scripted = new ScriptedInformer([step, ...listed()], { streamingList: true });
    await settle();
    if (step === half.step) half.send(event("ADDED", widget("a", 3)), event("ADDED", widget("gone", 2)));
    await scripted.clock.advance(4_999);
    assert.deepEqual(await scripted.newEvents(), []);
    await scripted.clock.advance(1);
    assert.deepEqual(await scripted.newEvents(), ["initial added a 3"]);
    assert.deepEqual(scripted.queries("sendInitialEvents"), ["true", null, null]);
  }
});

// FR-297
Deno.test("a slow streaming list is waited for, and its watch may then be silent as long as any other", async () => {
  const stream = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  await using scripted = new ScriptedInformer([stream.step, fail("reset")], {
    streamingList: true,
    listIdleMsMax: 2_000,
  });
  await settle();
  for (const name of ["a", "b", "c"]) {
    stream.send(event("ADDED", widget(name, 3)));
    await scripted.clock.advance(1_900);
  }
  stream.send(event("BOOKMARK", end));
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3", "initial added b 3", "initial added c 3"]);
  await scripted.clock.advance(69_000);
  assert.equal(scripted.informer.state, "watching");
  assert.equal(scripted.informer.reconnects, 0);
});

// FR-10
Deno.test("a streaming list that is delayed, forbidden or cut is requested again, and shows no partial result", async () => {
  const cut = new ScriptedStream(), whole = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  const steps = [refuse(429, "TooManyRequests"), refuse(403, "Forbidden"), fail("reset"), cut.step, whole.step];
  await using scripted = new ScriptedInformer(steps, { streamingList: true });
  while (scripted.transport.left > 1) await scripted.clock.advance(1_000);
  cut.send(event("ADDED", widget("a", 3)));
  await settle();
  cut.break();
  assert.deepEqual(await scripted.newEvents(), []);
  while (scripted.transport.left > 0) await scripted.clock.advance(1_000);
  whole.send(event("ADDED", widget("b", 4)), event("BOOKMARK", end));
  assert.deepEqual(await scripted.newEvents(), ["initial added b 4"]);
  assert.deepEqual(scripted.queries("sendInitialEvents"), ["true", "true", "true", "true", "true"]);
});

Deno.test("a 410 in a watch that began with a streaming list begins another one, and reports differences only", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  const end = (version: number) =>
    event("BOOKMARK", {
      metadata: { resourceVersion: `${version}`, annotations: { "k8s.io/initial-events-end": "true" } },
    });
  await using scripted = new ScriptedInformer([first.step, second.step], { streamingList: true });
  await settle();
  first.send(event("ADDED", widget("a", 3)), event("ADDED", widget("b", 4)), end(10));
  assert.deepEqual(await scripted.newEvents(), ["initial added a 3", "initial added b 4"]);
  first.send(event("ERROR", { kind: "Status", status: "Failure", code: 410, reason: "Expired" } as KubeObject));
  await settle();
  second.send(event("ADDED", widget("a", 12)), end(30));
  assert.deepEqual(await scripted.newEvents(), ["deleted b 4", "modified a 3→12"]);
  assert.equal(scripted.informer.relists, 1);
});

Deno.test("waiting for a version ends with an event, a bookmark, the time limit, an abort or the informer's end", async () => {
  const stream = new ScriptedStream();
  const scripted = new ScriptedInformer([listOf(10), stream.step]);
  await scripted.informer.synced;
  const { informer, clock } = scripted;
  assert.equal(await informer.waitFor("10", 5_000), true);
  assert.equal(informer.seen("11"), false);
  const byEvent = informer.waitFor("11", 5_000), byBookmark = informer.waitFor("100", 5_000);
  stream.send(event("ADDED", widget("a", 11)));
  assert.equal(await byEvent, true);
  assert.ok(informer.store.get("shop/a"), "the store shows it by then");
  stream.send(bookmark(101));
  assert.equal(await byBookmark, true);
  const late = informer.waitFor("200", 5_000);
  await clock.advance(5_000);
  assert.equal(await late, false);
  const stop = new AbortController(), aborted = informer.waitFor("200", 5_000, stop.signal);
  stop.abort(new Error("no longer"));
  await assert.rejects(aborted, /no longer/);
  const ended = informer.waitFor("200", 5_000);
  await scripted[Symbol.asyncDispose]();
  assert.equal(await ended, false);
});

Deno.test("an informer that stops before its first list rejects its waiters", async () => {
  const scripted = new ScriptedInformer([hang()]);
  await settle();
  await scripted[Symbol.asyncDispose]();
  await assert.rejects(scripted.informer.synced, /the test is over/);
});
