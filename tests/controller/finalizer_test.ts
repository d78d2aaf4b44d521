import assert from "node:assert/strict";
import { Operator } from "../../lib/operator/mod.ts";
import { PermanentError, type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("delete");
const OURS = `${Widget.group}/widgets`, THEIRS = "other.example.com/hold";

// FR-20
Deno.test("the finalizer is there before the first reconcile, beside those of others", async () => {
  const seen: (string[] | undefined)[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ object }) => void seen.push(object.metadata.finalizers)).delete(() => {});
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", {}, { finalizers: [THEIRS] });
  await untilReady(world, Widget, namespace, "w");
  assert.deepEqual(seen[0], [THEIRS, OURS]);
  await world.client.delete(Widget, key);
  const left = await world.untilObject<WidgetObject>(
    Widget,
    key,
    ({ metadata }) => !metadata.finalizers?.includes(OURS),
  );
  assert.deepEqual(left.metadata.finalizers, [THEIRS], "it waits for the other alone");
  const writes = world.writes.length;
  await world.idle();
  assert.equal(world.writes.length, writes);
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { finalizers: null } } });
  await world.untilGone(Widget, key);
});

// FR-20
Deno.test("an object goes when its delete handler returns, and an error keeps it and is visible", async () => {
  let fail = true, calls = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {}).delete(({ spec }) => {
    calls++;
    assert.equal(spec.size, 4);
    if (fail) throw new PermanentError("the bucket is not empty", { reason: "BucketNotEmpty" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 4 });
  await untilReady(world, Widget, namespace, "w");
  assert.equal(calls, 0);
  await world.client.delete(Widget, key);
  const kept = await world.untilObject<WidgetObject>(
    Widget,
    key,
    (each) => conditionOf(each, "Ready")?.reason === "BucketNotEmpty",
  );
  assert.equal(conditionOf(kept, "Ready")?.message, "the bucket is not empty");
  assert.equal(
    conditionOf(kept, "Ready")?.observedGeneration,
    kept.metadata.generation,
    "the handler saw the deletion, which is a generation of its own",
  );
  assert.ok(kept.metadata.finalizers?.includes(OURS));
  await world.idle();
  assert.equal(calls, 1, "a PermanentError waits for a change");
  fail = false;
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { again: "1" } } } });
  await world.untilGone(Widget, key);
});

// FR-21
Deno.test("an operator without a delete handler gives up the finalizer of the one before", async () => {
  const before = new Operator("widgets"), after = new Operator("widgets");
  before.on(Widget).reconcile(() => {}).delete(() => {});
  after.on(Widget).reconcile(() => {});
  await using world = await World.open(before);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.stop();
  const running = await after.start({ transport: world.cluster.transport() });
  await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => !metadata.finalizers);
  await running.stop(1_000);
  const rule = after.rules().find(({ resources }) => resources[0] === "widgets");
  assert.ok(rule?.verbs.includes("patch"), "and its generated rules let it");
});

// FR-20, FR-34
Deno.test("a finalizer is added in spite of others who edit the object at the same moment", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {}).delete(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  let races = 0;
  const inner = world.cluster.transport();
  const racing: Transport = {
    fetch: async (path: string, request: TransportRequest = {}) => {
      if (request.headers?.["content-type"]?.includes("json-patch") && races < 2) {
        await world.client.patch(Widget, key, {
          type: "merge",
          body: { metadata: { finalizers: [THEIRS], labels: { race: `${races++}` } } },
        });
      }
      return await inner.fetch(path, request);
    },
    close: () => inner.close(),
  };
  await world.start({ transport: racing });
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w");
  assert.deepEqual([widget.metadata.finalizers, widget.metadata.labels?.race], [[THEIRS, OURS], "1"]);
  await world.client.patch(Widget, key, { type: "json", body: [{ op: "remove", path: "/metadata/finalizers/0" }] });
});
