import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { createLogger, type LogRecord, SeededRandom, settle, VirtualClock } from "../../lib/base/mod.ts";
import { Client, ForbiddenError } from "../../lib/client/mod.ts";
import { Informer, type InformerOptions } from "../../lib/cache/mod.ts";
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

/**
 * An informer over a script (its lists in pages unless a test says otherwise), its events as texts, and a clean end.
 */
class Scene implements AsyncDisposable {
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

  /** The events since the last look. */
  async heard(): Promise<string[]> {
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
  await using scene = new Scene([listOf(10, widget("a", 3), widget("b", 7)), stream.step]);
  assert.deepEqual(await scene.heard(), ["initial added a 3", "initial added b 7"]);
  await scene.informer.synced;
  assert.equal(scene.informer.state, "watching");
  stream.send(event("MODIFIED", widget("a", 11)), event("ADDED", widget("c", 12)), event("DELETED", widget("b", 13)));
  assert.deepEqual(await scene.heard(), ["modified a 3→11", "added c 12", "deleted b 13"]);
  assert.deepEqual(scene.queries("resourceVersion"), [null, "10"]);
  assert.equal(scene.queries("allowWatchBookmarks")[1], "true");
  const seconds = Number(scene.queries("timeoutSeconds")[1]);
  assert.ok(seconds >= 200 && seconds <= 230);
});

Deno.test("a listener that comes late hears the present objects as initial, and is told no change twice", async () => {
  const stream = new ScriptedStream();
  await using scene = new Scene([listOf(10, widget("a", 3)), stream.step]);
  await scene.informer.synced;
  const late: string[] = [];
  const stop = scene.informer.onEvent((one) => late.push(`${one.initial} ${one.type} ${one.object.metadata?.name}`));
  stream.send(event("ADDED", widget("b", 11)));
  await scene.heard();
  stop();
  stream.send(event("ADDED", widget("c", 12)));
  await scene.heard();
  assert.deepEqual(late, ["true added a", "false added b"]);
});

Deno.test("a listener that throws is logged, and the others still hear", async () => {
  await using scene = new Scene([listOf(10, widget("a", 3)), new ScriptedStream().step]);
  scene.informer.onEvent(() => {
    throw new Error("broken listener");
  });
  assert.deepEqual(await scene.heard(), ["initial added a 3"]);
  assert.match(JSON.stringify(scene.logs), /broken listener/);
});

Deno.test("an object whose projection throws is kept with its metadata, and the others are followed", async () => {
  const project = (object: KubeObject) => {
    if (object.metadata?.name === "bad") throw new Error("no such field");
    return object;
  };
  const stream = new ScriptedStream(), list = listOf(10, widget("bad", 2), widget("good", 3));
  await using scene = new Scene([list, stream.step], { project });
  await scene.informer.synced;
  assert.deepEqual(Object.keys(scene.informer.store.get("shop/bad")!), ["metadata"]);
  stream.send(event("MODIFIED", widget("bad", 11)), event("MODIFIED", widget("good", 12)));
  assert.equal(await scene.informer.waitFor("12", 5_000), true);
  assert.equal(scene.informer.store.get("shop/good")?.metadata?.resourceVersion, "12");
});

Deno.test("managedFields are dropped and a projection is what the store holds", async () => {
  const full = widget("a", 3);
  full.metadata!.managedFields = [{ manager: "x" }];
  const plain = new Scene([listOf(10, full), new ScriptedStream().step]);
  await using _plain = plain;
  await plain.informer.synced;
  assert.equal(plain.informer.store.get("shop/a")?.metadata?.managedFields, undefined);
  const project = ({ metadata }: KubeObject) => ({ metadata: { ...metadata, labels: { seen: "yes" } } });
  await using projected = new Scene([listOf(10, widget("a", 3)), new ScriptedStream().step], { project });
  await projected.informer.synced;
  assert.equal(projected.informer.store.get("shop/a")?.metadata?.labels?.seen, "yes");
});

// FR-461
Deno.test("a reader that edits a stored object fails at once", async () => {
  await using scene = new Scene([listOf(10, widget("a", 3)), new ScriptedStream().step]);
  await scene.informer.synced;
  const stored = scene.informer.store.get("shop/a")!;
  assert.throws(() => stored.metadata!.labels = {}, TypeError);
});

// FR-10
Deno.test("a 410 in the watch lists again at once and tells only what changed meanwhile", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  const later = listOf(50, widget("a", 3), widget("b", 40), widget("c", 45, "new"), widget("e", 46));
  await using scene = new Scene([
    listOf(10, widget("a", 3), widget("b", 4), widget("c", 5, "old"), widget("d", 6)),
    first.step,
    later,
    second.step,
  ]);
  await scene.informer.synced;
  await scene.heard();
  first.send({ type: "ERROR", object: { kind: "Status", apiVersion: "v1", code: 410, reason: "Expired" } });
  assert.deepEqual(await scene.heard(), ["deleted d 6", "modified b 4→40", "deleted c 5", "added c 45", "added e 46"]);
  assert.equal(scene.informer.relists, 1);
  assert.equal(scene.queries("resourceVersion").at(-1), "50");
  assert.equal(scene.informer.hasSynced, true);
});

Deno.test("a 410 that answers the watch request itself does the same", async () => {
  await using scene = new Scene([
    listOf(10),
    refuse(410, "Expired"),
    listOf(20, widget("a", 15)),
    new ScriptedStream().step,
  ]);
  assert.deepEqual(await scene.heard(), ["added a 15"]);
});

// FR-10
Deno.test("a 410 between two pages reads the list again in one piece, and no half list shows", async () => {
  await using scene = new Scene([
    answer({ metadata: { resourceVersion: "5", continue: "next" }, items: [widget("stale", 1)] }),
    refuse(410, "Expired"),
    listOf(9, widget("a", 8)),
    new ScriptedStream().step,
  ]);
  assert.deepEqual(await scene.heard(), ["initial added a 8"]);
  assert.equal(scene.queries("limit")[2], null);
});

Deno.test("a server that says 410 for ever is asked ever less often", async () => {
  const steps = Array.from({ length: 6 }, () => [listOf(10), refuse(410, "Expired")]).flat();
  await using scene = new Scene([...steps, listOf(10), hang()]);
  await settle();
  const atOnce = scene.transport.seen.length;
  assert.ok(atOnce <= 4, `${atOnce} requests without a pause`);
  await scene.clock.advance(120_000);
  assert.equal(scene.transport.left, 0);
});

// FR-10
Deno.test("a silent watch is given up after 70 s and resumed from the last version, bookmarks included", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  await using scene = new Scene([listOf(10, widget("a", 3)), first.step, second.step]);
  await scene.informer.synced;
  await scene.clock.advance(60_000);
  first.send(bookmark(17));
  await settle();
  assert.equal(scene.informer.stalenessMs(), 0);
  await scene.clock.advance(69_000);
  assert.equal(scene.transport.seen.length, 2, "a bookmark is a sign of life");
  await scene.clock.advance(5_000);
  assert.equal(scene.transport.seen.length, 3);
  assert.equal(scene.queries("resourceVersion")[2], "17");
  assert.ok(first.cancelled, "the old connection is let go");
  assert.equal(scene.informer.relists, 0);
  assert.equal(scene.informer.reconnects, 1);
});

// FR-10
Deno.test("a connection that breaks, inside a line too, loses and repeats nothing", async () => {
  const streams = [new ScriptedStream(), new ScriptedStream(), new ScriptedStream()];
  await using scene = new Scene([listOf(10), ...streams.map((stream) => stream.step)]);
  await scene.informer.synced;
  streams[0]!.send(event("ADDED", widget("a", 11))).text('{"type":"ADDED","obj');
  await settle();
  streams[0]!.end();
  await scene.clock.advance(2_000);
  streams[1]!.send(event("ADDED", widget("b", 12)));
  await settle();
  streams[1]!.break();
  await scene.clock.advance(2_000);
  streams[2]!.send(event("ADDED", widget("b", 12)), event("MODIFIED", widget("b", 13)));
  assert.deepEqual(await scene.heard(), ["added a 11", "added b 12", "modified b 12→13"]);
  assert.deepEqual(scene.queries("resourceVersion"), [null, "10", "11", "12"]);
});

// FR-10
Deno.test("events that come twice or late change nothing", async () => {
  const stream = new ScriptedStream();
  await using scene = new Scene([listOf(10, widget("a", 9)), stream.step]);
  await scene.heard();
  stream.send(
    event("MODIFIED", widget("a", 12)),
    event("MODIFIED", widget("a", 11)),
    event("MODIFIED", widget("a", 12)),
  );
  stream.send(event("DELETED", widget("a", 10, "former")));
  assert.deepEqual(await scene.heard(), ["modified a 9→12"]);
  assert.equal(scene.informer.resourceVersion, "12");
});

// FR-11
Deno.test("a 429 is obeyed, a 500 backs off, and the state tells", async () => {
  const stream = new ScriptedStream();
  await using scene = new Scene([
    refuse(500, "InternalError"),
    refuse(429, "TooManyRequests", "later", { headers: { "retry-after": "20" } }),
    listOf(10, widget("a", 3)),
    stream.step,
  ]);
  await settle();
  assert.equal(scene.informer.state, "backingOff");
  assert.match(scene.informer.lastError!.message, /500/);
  await scene.clock.advance(1_000);
  assert.equal(scene.transport.seen.length, 2);
  await scene.clock.advance(18_000);
  assert.equal(scene.transport.seen.length, 2, "the server asked for 20 s");
  await scene.clock.advance(5_000);
  assert.deepEqual(await scene.heard(), ["initial added a 3"]);
  assert.equal(scene.informer.lastError, undefined);
});

Deno.test("a missing permission is told with its rule, retried slowly, and healed when it is granted", async () => {
  const refusal = refuse(403, "Forbidden", 'User "x" cannot list resource "widgets" in API group "shop.example.com"');
  await using scene = new Scene([refusal, refusal, refusal, listOf(10, widget("a", 3)), new ScriptedStream().step]);
  await scene.clock.advance(1_000);
  assert.ok(scene.informer.lastError instanceof ForbiddenError);
  assert.deepEqual(scene.informer.lastError.rule.verbs, ["list"]);
  assert.match(String(scene.logs.find((record) => record.level === "error")?.fields.error), /verbs: \["list"\]/);
  await scene.clock.advance(120_000);
  assert.deepEqual(await scene.heard(), ["initial added a 3"]);
});

// FR-102
Deno.test("an outage is told once, by each of its kinds, and so is its end; every attempt shows at debug", async () => {
  const refusal = refuse(403, "Forbidden", 'User "x" cannot list resource "widgets" in API group "shop.example.com"');
  const refused = Array.from({ length: 8 }, () => fail("Connection refused"));
  await using scene = new Scene([
    listOf(10),
    new ScriptedStream().break().step,
    ...refused,
    refusal,
    refusal,
    listOf(12),
    new ScriptedStream().step,
  ]);
  const followed = () => scene.logs.some(({ message }) => message === "following a resource again");
  for (let seconds = 0; seconds < 600 && !followed(); seconds++) await scene.clock.advance(1_000);
  assert.equal(scene.informer.state, "watching");
  const told = scene.logs.filter(({ level }) => level !== "debug");
  assert.deepEqual(told.map(({ level, message }) => [level, message.split(";")[0]]), [
    ["warn", "following a resource failed"],
    ["error", "cannot follow a resource until this is fixed"],
    ["info", "following a resource again"],
  ]);
  const attempts = scene.logs.filter(({ fields }) => typeof fields.delayMs === "number");
  assert.equal(attempts.length, 11);
  for (const { fields } of attempts) assert.ok((fields.delayMs as number) <= 90_000, "pauses are bounded");
});

Deno.test("an unreachable server at the start is waited for", async () => {
  await using scene = new Scene([
    fail("Connection refused"),
    fail("Connection refused"),
    listOf(1),
    new ScriptedStream().step,
  ]);
  await scene.clock.advance(10_000);
  await scene.informer.synced;
  assert.equal(scene.informer.hasSynced, true);
});

Deno.test("a server that ends every watch at once is not asked without a pause", async () => {
  const ended = () => new ScriptedStream().end().step;
  await using scene = new Scene([listOf(1), ...Array.from({ length: 4 }, ended), new ScriptedStream().step]);
  await settle(40);
  assert.equal(scene.transport.seen.length, 2);
  await scene.clock.advance(30_000);
  assert.equal(scene.transport.left, 0);
});

Deno.test("a watch that the server ends after its time is opened again without a pause", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  await using scene = new Scene([listOf(10), first.step, second.step]);
  await scene.clock.advance(50_000);
  first.end();
  await settle();
  assert.equal(scene.transport.seen.length, 3);
  assert.equal(scene.informer.state, "watching");
});

// FR-10
Deno.test("a bookmark older than what was seen means a restored server: the list becomes the truth", async () => {
  const first = new ScriptedStream();
  await using scene = new Scene([
    listOf(100, widget("a", 90), widget("b", 95)),
    first.step,
    listOf(60, widget("a", 50)),
    new ScriptedStream().step,
  ]);
  await scene.heard();
  first.send(bookmark(61));
  assert.deepEqual(await scene.heard(), ["deleted b 95", "modified a 90→50"]);
  assert.equal(scene.informer.resourceVersion, "60");
  assert.ok(scene.logs.some((record) => record.level === "warn" && record.message.includes("history went back")));
});

Deno.test("an object without a version is no object: the resource is listed again", async () => {
  const first = new ScriptedStream();
  await using scene = new Scene([listOf(10), first.step, listOf(12, widget("a", 11)), new ScriptedStream().step]);
  await settle();
  first.send({ type: "ADDED", object: { metadata: { name: "a" } } });
  await settle();
  await scene.clock.advance(5_000);
  assert.deepEqual(await scene.heard(), ["added a 11"]);
});

// FR-10
Deno.test("a streaming list shows nothing before its end, and the watch goes on from there", async () => {
  const stream = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  await using scene = new Scene([stream.step], { streamingList: true });
  await settle();
  stream.send(event("ADDED", widget("a", 3)));
  assert.deepEqual(await scene.heard(), []);
  assert.equal(scene.informer.state, "listing");
  stream.send(event("BOOKMARK", end), event("ADDED", widget("b", 21)));
  assert.deepEqual(await scene.heard(), ["initial added a 3", "added b 21"]);
  assert.equal(scene.queries("sendInitialEvents")[0], "true");
  assert.equal(scene.queries("resourceVersionMatch")[0], "NotOlderThan");
});

// FR-10
Deno.test("a server that refuses a streaming list, or whose storage cannot give one, gets a paged one at once", async () => {
  const paged = () => [listOf(9, widget("a", 3)), new ScriptedStream().step];
  for (const step of [refuse(422, "Invalid"), refuse(400, "BadRequest"), refuse(500, "InternalError")]) {
    await using scene = new Scene([step, ...paged()], { streamingList: true });
    assert.deepEqual(await scene.heard(), ["initial added a 3"]);
    assert.deepEqual(scene.queries("sendInitialEvents"), ["true", null, null]);
  }
  const stream = new ScriptedStream();
  await using told = new Scene([stream.step, ...paged()], { streamingList: true });
  await settle();
  stream.send(event("ERROR", { kind: "Status", status: "Failure", code: 500, message: "no progress" } as KubeObject));
  assert.deepEqual(await told.heard(), ["initial added a 3"]);
});

Deno.test("a server that does not know streaming lists, and watches without ever saying that it is complete, gets a paged one", async () => {
  const stream = new ScriptedStream();
  const steps = [stream.step, listOf(9, widget("a", 3)), new ScriptedStream().step];
  await using scene = new Scene(steps, { streamingList: true });
  await settle();
  stream.send(event("ADDED", widget("a", 3)), bookmark(8));
  stream.end();
  assert.deepEqual(await scene.heard(), ["initial added a 3"]);
  assert.deepEqual(scene.queries("sendInitialEvents"), ["true", null, null]);
});

// FR-297
Deno.test("a streaming list that falls silent before its end gives way to a paged one within seconds", async () => {
  const listed = () => [listOf(9, widget("a", 3)), new ScriptedStream().step];
  const mute = new ScriptedStream(), half = new ScriptedStream();
  for (const step of [mute.step, half.step, hang()]) {
    await using scene = new Scene([step, ...listed()], { streamingList: true });
    await settle();
    if (step === half.step) half.send(event("ADDED", widget("a", 3)), event("ADDED", widget("gone", 2)));
    await scene.clock.advance(4_999);
    assert.deepEqual(await scene.heard(), []);
    await scene.clock.advance(1);
    assert.deepEqual(await scene.heard(), ["initial added a 3"]);
    assert.deepEqual(scene.queries("sendInitialEvents"), ["true", null, null]);
  }
});

// FR-297
Deno.test("a streaming list that goes on slowly is waited for, and its watch may then be silent as long as any other", async () => {
  const stream = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  await using scene = new Scene([stream.step, fail("reset")], { streamingList: true, listIdleMsMax: 2_000 });
  await settle();
  for (const name of ["a", "b", "c"]) {
    stream.send(event("ADDED", widget(name, 3)));
    await scene.clock.advance(1_900);
  }
  stream.send(event("BOOKMARK", end));
  assert.deepEqual(await scene.heard(), ["initial added a 3", "initial added b 3", "initial added c 3"]);
  await scene.clock.advance(69_000);
  assert.equal(scene.informer.state, "watching");
  assert.equal(scene.informer.reconnects, 0);
});

// FR-10
Deno.test("a streaming list that is put off, not allowed or cut is asked for again, and nothing of its half shows", async () => {
  const cut = new ScriptedStream(), whole = new ScriptedStream();
  const end = { metadata: { resourceVersion: "20", annotations: { "k8s.io/initial-events-end": "true" } } };
  const steps = [refuse(429, "TooManyRequests"), refuse(403, "Forbidden"), fail("reset"), cut.step, whole.step];
  await using scene = new Scene(steps, { streamingList: true });
  while (scene.transport.left > 1) await scene.clock.advance(1_000);
  cut.send(event("ADDED", widget("a", 3)));
  await settle();
  cut.break();
  assert.deepEqual(await scene.heard(), []);
  while (scene.transport.left > 0) await scene.clock.advance(1_000);
  whole.send(event("ADDED", widget("b", 4)), event("BOOKMARK", end));
  assert.deepEqual(await scene.heard(), ["initial added b 4"]);
  assert.deepEqual(scene.queries("sendInitialEvents"), ["true", "true", "true", "true", "true"]);
});

Deno.test("a 410 in a watch that began with a streaming list begins another one, and tells differences only", async () => {
  const first = new ScriptedStream(), second = new ScriptedStream();
  const end = (version: number) =>
    event("BOOKMARK", {
      metadata: { resourceVersion: `${version}`, annotations: { "k8s.io/initial-events-end": "true" } },
    });
  await using scene = new Scene([first.step, second.step], { streamingList: true });
  await settle();
  first.send(event("ADDED", widget("a", 3)), event("ADDED", widget("b", 4)), end(10));
  assert.deepEqual(await scene.heard(), ["initial added a 3", "initial added b 4"]);
  first.send(event("ERROR", { kind: "Status", status: "Failure", code: 410, reason: "Expired" } as KubeObject));
  await settle();
  second.send(event("ADDED", widget("a", 12)), end(30));
  assert.deepEqual(await scene.heard(), ["deleted b 4", "modified a 3→12"]);
  assert.equal(scene.informer.relists, 1);
});

Deno.test("waiting for a version ends with an event, a bookmark, the time limit, an abort or the informer's end", async () => {
  const stream = new ScriptedStream();
  const scene = new Scene([listOf(10), stream.step]);
  await scene.informer.synced;
  const { informer, clock } = scene;
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
  await scene[Symbol.asyncDispose]();
  assert.equal(await ended, false);
});

Deno.test("an informer that stops before its first list says so to who waits for it", async () => {
  const scene = new Scene([hang()]);
  await settle();
  await scene[Symbol.asyncDispose]();
  await assert.rejects(scene.informer.synced, /the test is over/);
});
