import { AnnotationStorage, ChainStorage, KopfRecords, ObjectIndex } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("takeover");
const OURS = `${Widget.group}/widgets`,
  KOPF = "kopf.zalando.org/KopfFinalizerMarker",
  THEIRS = "other.example.com/hold";

function heir(): Operator {
  return new Operator("widgets", {
    legacyFinalizers: [KOPF],
    storage: new ChainStorage(new AnnotationStorage({ prefix: "widgets.pintle.dev" }), new KopfRecords()),
  });
}

// FR-260
Deno.test("the finalizer of a replaced operator goes in the write that adds our own, and those of others stay", async () => {
  const operator = heir(), calls: string[] = [];
  operator.on(Widget).create(() => void calls.push("create")).resume(() => void calls.push("resume")).delete(() => {
    calls.push("delete");
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 2 }, {
    finalizers: [KOPF, THEIRS],
    annotations: { "kopf.zalando.org/last-handled-configuration": '{"spec":{"size":2}}\n' },
  });
  await world.start();
  const taken = await world.untilObject<WidgetObject>(
    Widget,
    key,
    ({ metadata }) => metadata.finalizers?.includes(OURS) === true,
  );
  assert.deepEqual(taken.metadata.finalizers, [THEIRS, OURS]);
  await world.idle();
  assert.deepEqual(calls, ["resume"], "it was handled before, by the other");
  assert.equal(world.writes.filter(({ path }) => !path.includes("/status")).length, 1, JSON.stringify(world.writes));
  await world.client.delete(Widget, key);
  await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => metadata.finalizers?.length === 1);
  assert.deepEqual(calls, ["resume", "delete"]);
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { finalizers: null } } });
  await world.untilGone(Widget, key);
});

// FR-260
Deno.test("what was deleted while the replaced operator was down is cleaned up, and then it goes", async () => {
  const operator = heir(), calls: number[] = [];
  operator.on(Widget).delete(({ spec }) => void calls.push(spec.size));
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 7 }, { finalizers: [KOPF] });
  await world.client.delete(Widget, key);
  await world.start();
  await world.untilGone(Widget, key);
  assert.deepEqual(calls, [7]);
});

// FR-260
Deno.test("where no handler needs a finalizer the replaced operator's goes all the same, and no other takes its place", async () => {
  const operator = heir();
  operator.on(Widget).reconcile(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", {}, { finalizers: [KOPF] });
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => metadata.finalizers === undefined);
  await world.idle();
  assert.equal(world.writes.length, 2, "that, and the status");
});

// FR-260
Deno.test("of a kind that an operator only looks at it takes nothing over, and may not", async () => {
  const operator = heir(), seen: string[] = [];
  operator.on(ConfigMap).event(({ name }) => void seen.push(name))
    .index(new ObjectIndex("by-name", ({ metadata }) => [[metadata?.name ?? "", true]]));
  const rule = operator.rules().find(({ resources }) => resources[0] === "configmaps");
  assert.deepEqual(rule?.verbs, ["get", "list", "watch"]);
  operator.on(Widget).reconcile(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "c" };
  await world.client.create(ConfigMap, { metadata: { ...key, finalizers: [KOPF] } });
  await world.start();
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  assert.ok(seen.includes("c"));
  assert.deepEqual((await world.client.get<WidgetObject>(ConfigMap, key)).metadata.finalizers, [KOPF]);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { metadata: { finalizers: null } } });
});

// FR-260
Deno.test("only an operator's finalizer can be taken over", () => {
  for (const finalizer of ["foregroundDeletion", "kubernetes.io/pvc-protection", "external.k8s.io/x", "a b/c"]) {
    assert.throws(() => new Operator("x", { legacyFinalizers: [finalizer] }), /finalizer/, finalizer);
  }
});
