import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { createLogger, type LogRecord, SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { EventRecorder } from "../../lib/controller/mod.ts";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { createWidget, untilReady, widgetKind } from "../widget.ts";
import { World } from "../world.ts";

const Widget = widgetKind("events");
const EVENTS = { group: "events.k8s.io", version: "v1", kind: "Event", plural: "events", namespaced: true };

interface Posted {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown> & { note: string; metadata: { name: string }; series?: { count: number } };
}

const WIDGET = {
  apiVersion: "shop.example.com/v1",
  kind: "Widget",
  metadata: { name: "w", namespace: "shop", uid: "u1", resourceVersion: "7" },
};

/** A recorder over a server that answers every write with `status`. */
function open(status: { code: number } = { code: 201 }) {
  const clock = new VirtualClock(), posted: Posted[] = [], logs: LogRecord[] = [];
  const fetch = (path: string, request: { method?: string; body?: string } = {}) => {
    posted.push({ method: request.method!, path: path.split("?")[0]!, body: JSON.parse(request.body!) });
    const { code } = status;
    if (code < 300) {
      return Promise.resolve(Response.json({ metadata: {}, ...JSON.parse(request.body!) }, { status: code }));
    }
    const body = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code,
      reason: code === 404 ? "NotFound" : "Forbidden",
    };
    return Promise.resolve(Response.json({ ...body, message: "no" }, { status: code }));
  };
  const random = new SeededRandom(1), logger = createLogger((record) => logs.push(record));
  const client = new Client({ fetch, close() {} }, { fieldManager: "widgets", clock, random, retriesMax: 0 });
  const recorder = new EventRecorder(client, { controller: "widgets", instance: "pod-1", clock, random, logger });
  const post = async (reason: string, message: string, object: object = WIDGET) => {
    const { poster, flush } = recorder.poster(object);
    poster.normal(reason, message);
    await flush(new AbortController().signal);
  };
  return { clock, posted, logs, recorder, post, status };
}

Deno.test("an Event names its object, its reporter and its time", async () => {
  const { posted, post } = open();
  await post("Applied", "ConfigMap applied");
  const [{ method, path, body }] = posted as [Posted];
  assert.deepEqual([method, path], ["POST", "/apis/events.k8s.io/v1/namespaces/shop/events"]);
  assert.match(body.metadata.name, /^w\.[0-9a-f]+[a-z0-9]{5}$/);
  const { type, reason, note, action, reportingController, reportingInstance, eventTime, regarding } = body;
  assert.deepEqual(
    { type, reason, note, action, reportingController, reportingInstance, eventTime },
    {
      type: "Normal",
      reason: "Applied",
      note: "ConfigMap applied",
      action: "Reconcile",
      reportingController: "widgets",
      reportingInstance: "pod-1",
      eventTime: "2026-01-01T00:00:00.000000Z",
    },
  );
  const { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion } } = WIDGET;
  assert.deepEqual(regarding, { apiVersion, kind, name, namespace, uid, resourceVersion });
});

Deno.test("Events of a cluster-scoped object go to the namespace default", async () => {
  const { posted, post } = open();
  await post("Applied", "done", { apiVersion: "v1", kind: "Node", metadata: { name: "n", uid: "u2" } });
  assert.equal(posted[0]!.path, "/apis/events.k8s.io/v1/namespaces/default/events");
});

// FR-33
Deno.test("a repeat raises the count of the Event that is there, for six minutes after the last", async () => {
  const { clock, posted, post } = open();
  await post("Applied", "same");
  await clock.advance(300_000);
  await post("Applied", "same");
  await clock.advance(300_000);
  await post("Applied", "same");
  await post("Applied", "another");
  await clock.advance(360_001);
  await post("Applied", "same");
  assert.deepEqual(posted.map(({ method, body }) => [method, body.series?.count]), [
    ["POST", undefined],
    ["PATCH", 2],
    ["PATCH", 3],
    ["POST", undefined],
    ["POST", undefined],
  ]);
  assert.ok(posted[1]!.path.endsWith(posted[0]!.body.metadata.name));
});

Deno.test("the series of an Event that has expired begins again", async () => {
  const { posted, post, status } = open();
  await post("Applied", "same");
  status.code = 404;
  await post("Applied", "same");
  assert.deepEqual(posted.map(({ method }) => method), ["POST", "PATCH", "POST"]);
});

// FR-33
Deno.test("an object posts 25 different Events at once, then one per five minutes; others have their own limit", async () => {
  const { clock, posted, post, recorder } = open();
  for (let i = 0; i < 40; i++) await post("Applied", `message ${i}`);
  assert.equal(posted.length, 25);
  await post("Applied", "elsewhere", { ...WIDGET, metadata: { ...WIDGET.metadata, uid: "u2" } });
  assert.equal(posted.length, 26);
  await clock.advance(300_000);
  await post("Applied", "later 1");
  await post("Applied", "later 2");
  assert.equal(posted.length, 27);
  recorder.forget("u1");
  await post("Applied", "a new object of that name has a limit of its own");
  assert.equal(posted.length, 28);
});

Deno.test("a long note is cut to the bytes that the API takes, between characters; a long name to what fits", async () => {
  const { posted, post } = open();
  await post("Applied", "ü€😀".repeat(300), {
    ...WIDGET,
    metadata: { ...WIDGET.metadata, name: `${"a".repeat(235)}.${"b".repeat(17)}` },
  });
  const { note, metadata } = posted[0]!.body;
  const bytes = new TextEncoder().encode(note).length;
  assert.ok(bytes <= 1_024 && bytes > 1_020, `${bytes}`);
  assert.ok("ü€😀".repeat(300).startsWith(note) && note.isWellFormed());
  assert.ok(metadata.name.length <= 253);
  assert.match(metadata.name, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
});

Deno.test("an Event that cannot be posted is logged and fails nothing", async () => {
  const { logs, post } = open({ code: 403 });
  await post("Applied", "done");
  assert.deepEqual(logs.map(({ level, message }) => [level, message]), [["warn", "event could not be posted"]]);
});

// FR-417
Deno.test("an Event about another object is in its namespace, with its own action, and within limits of its own", async () => {
  const { posted, recorder, post } = open(), { signal } = new AbortController();
  for (let nth = 0; nth < 30; nth++) await post("Spam", `number ${nth}`);
  assert.equal(posted.length, 25);
  const { poster, flush } = recorder.poster(WIDGET);
  const secret = { metadata: { name: "login", namespace: "vault", uid: "u2" } };
  const kind = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
  poster.about(secret, kind).emit({ type: "Warning", reason: "Stale", message: "too old", action: "Rotate" });
  await flush(signal);
  const { path, body } = posted.at(-1)!, { type, action, regarding } = body;
  assert.equal(path, "/apis/events.k8s.io/v1/namespaces/vault/events");
  assert.deepEqual({ type, action, regarding }, {
    type: "Warning",
    action: "Rotate",
    regarding: { apiVersion: "v1", kind: "Secret", name: "login", namespace: "vault", uid: "u2" },
  });
});

// FR-417
Deno.test("objects without a uid share no limit, and those of the least lately posted are forgotten", async () => {
  const { posted, recorder } = open(), { signal } = new AbortController();
  const { poster, flush } = recorder.poster(WIDGET);
  const node = (name: string) => poster.about({ apiVersion: "v1", kind: "Node", metadata: { name } });
  for (let nth = 0; nth < 26; nth++) node("first").normal("Seen", `${nth}`);
  node("second").normal("Seen", "it");
  await flush(signal);
  assert.equal(posted.length, 26);
  for (let nth = 0; nth < 10_000; nth++) node(`other-${nth}`).normal("Seen", "it");
  node("first").normal("Seen", "again");
  await flush(signal);
  assert.equal(posted.length, 10_027);
});

Deno.test("an Event of another type, or about an object without a name, is an error that names the remedy", () => {
  const { poster } = open().recorder.poster(WIDGET), name = "n";
  assert.throws(
    () => poster.emit({ type: "Info" as "Normal", reason: "A", message: "b" }),
    /Normal or Warning, not "Info"/,
  );
  for (
    const object of [{ metadata: { name } }, { kind: "Node", metadata: { name } }, { apiVersion: "v1", kind: "Node" }]
  ) {
    assert.throws(() => poster.about(object), /events\.about\(\) needs an object with apiVersion, kind and name/);
  }
});

// FR-417
Deno.test("a handler posts about its object, about a child and about an object of another kind", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply, cached, events, namespace, name }) => {
    const child = await apply(ConfigMap, { data: {} });
    events.emit({ type: "Warning", reason: "Small", message: "too small", action: "Measure" });
    events.about(child).normal("Made", "as a child");
    const stored = cached(ConfigMap).get({ namespace, name });
    if (stored) events.about(stored, ConfigMap).warning("Stored", "as the store has it");
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const posted = async () =>
    (await world.client.list<DynamicObject>(EVENTS, { namespace })).items.map((event) => {
      const { type, reason, action, regarding } = event as Record<string, unknown> & {
        regarding: { kind: string; uid: string };
      };
      return { type, reason, action, kind: regarding.kind, uid: regarding.uid };
    });
  await world.until([EVENTS], async () => (await posted()).some(({ reason }) => reason === "Made"));
  const child = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name: "w" });
  const found = await posted(), widget = await world.client.get(Widget, { namespace, name: "w" });
  assert.deepEqual(found.find(({ reason }) => reason === "Small"), {
    type: "Warning",
    reason: "Small",
    action: "Measure",
    kind: "Widget",
    uid: widget.metadata!.uid,
  });
  assert.deepEqual(found.find(({ reason }) => reason === "Made"), {
    type: "Normal",
    reason: "Made",
    action: "Reconcile",
    kind: "ConfigMap",
    uid: child.metadata!.uid,
  });
});
