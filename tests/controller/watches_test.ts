import { ObjectIndex } from "../../lib/handling/mod.ts";
import { keyOf, type ObjectKey } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import type { ConfigMapObject } from "../../lib/operator/mod.ts";
import { ConfigMap, Operator, Secret, watch } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("watches");

function createMap(world: World, key: ObjectKey, data: Record<string, string>): Promise<ConfigMapObject> {
  return world.client.create<ConfigMapObject>(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...key },
    data,
  });
}

// FR-18
Deno.test("a change of a watched resource reconciles the objects to which it is mapped, and no others", async () => {
  const reconciled: string[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ name, namespace, cached, status }) => {
    reconciled.push(name);
    const found = cached(ConfigMap).byIndex("widget", `${namespace}/${name}`);
    status.set({ size: found.length });
  }, {
    watches: [{
      resource: ConfigMap,
      labelSelector: "widget",
      indexes: { widget: ({ metadata }) => [`${metadata?.namespace}/${metadata?.labels?.widget}`] },
      *map({ object, before }) {
        for (const { metadata } of before ? [object, before] : [object]) {
          yield { namespace: metadata!.namespace!, name: metadata!.labels!.widget! };
        }
      },
    }],
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  for (const name of ["one", "two"]) {
    await createWidget(world, Widget, namespace, name);
    await untilReady(world, Widget, namespace, name);
  }
  reconciled.length = 0;
  const key = { namespace, name: "part" };
  await world.client.create(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...key, labels: { widget: "one" } },
  });
  await world.untilObject<WidgetObject>(Widget, { namespace, name: "one" }, ({ status }) => status?.size === 1);
  assert.deepEqual([...new Set(reconciled)], ["one"]);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { metadata: { labels: { widget: "two" } } } });
  await world.untilObject<WidgetObject>(Widget, { namespace, name: "two" }, ({ status }) => status?.size === 1);
  await world.untilObject<WidgetObject>(Widget, { namespace, name: "one" }, ({ status }) => status?.size === 0);
  await world.client.delete(ConfigMap, key);
  await world.untilObject<WidgetObject>(Widget, { namespace, name: "two" }, ({ status }) => status?.size === 0);
});

Deno.test("a watch shares that of a kind with an index: an object enqueued by it reads an index of the same state", async () => {
  const operator = new Operator("widgets"),
    byOwner = new ObjectIndex("maps", ({ metadata }) => [[metadata?.name ?? "", 1]]);
  operator.on(ConfigMap).index(byOwner);
  operator.on(Widget).reconcile(({ index, status }) => status.set({ size: index(byOwner).get("indexed").length }), {
    watches: [watch(ConfigMap, (_, { primaries }) => [...primaries].map(keyOf))],
  });
  await using world = await World.open(operator);
  await world.start();
  const maps = world.running.watches.filter(({ resource, fieldSelector }) =>
    resource.kind === "ConfigMap" && !fieldSelector
  );
  assert.equal(maps.length, 1);
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await createMap(world, { namespace, name: "indexed" }, {});
  await world.untilObject<WidgetObject>(Widget, { namespace, name: "w" }, ({ status }) => status?.size === 1);
});

// FR-18
Deno.test("reading a store that is not declared is an error that names the remedy", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ cached }) => void cached(Secret));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w", "False", "RangeError");
  assert.match(JSON.stringify(widget.status), /cached\(Secret\): secrets is neither owned nor watched here/);
});

// FR-19
Deno.test("a watched object wakes its watchers when it appears, changes and goes, until they no longer request it", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, namespace, watch, status }) => {
    if (spec.note === "off") return status.set({ phase: "off" });
    const found = await watch(ConfigMap, { namespace, name: "watched" });
    status.set({ phase: found ? `v${found.metadata?.labels?.v}` : "none" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), target = { namespace, name: "watched" };
  const names = ["one", "two"];
  const both = async (phase: string) => {
    for (const name of names) {
      await world.untilObject<WidgetObject>(Widget, { namespace, name }, ({ status }) => status?.phase === phase);
    }
  };
  for (const name of names) {
    await createWidget(world, Widget, namespace, name);
    await world.untilObject<WidgetObject>(Widget, { namespace, name }, ({ status }) => status?.phase === "none");
  }
  await world.client.create(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...target, labels: { v: "1" } },
  });
  await both("v1");
  // A third that comes when the shared watch is long complete.
  names.push("three");
  await createWidget(world, Widget, namespace, "three");
  await both("v1");
  await world.client.patch(ConfigMap, target, { type: "merge", body: { metadata: { labels: { v: "2" } } } });
  await both("v2");
  await world.client.delete(ConfigMap, target);
  await both("none");
  assert.deepEqual(world.logs.filter(({ level }) => level === "error"), []);
  const watched = () => world.running.watches.filter(({ fieldSelector }) => fieldSelector).length;
  assert.equal(watched(), 1, "one watch for three");
  for (const name of names) {
    await world.client.patch(Widget, { namespace, name }, { type: "merge", body: { spec: { note: "off" } } });
  }
  await both("off");
  await world.idle();
  assert.equal(watched(), 0);
});

// FR-326
Deno.test("a watched selection wakes its watchers when an object comes, changes and goes, in any namespace", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ watchAll, status }) => {
    const found = await watchAll(ConfigMap, { fieldSelector: "metadata.name=taken", labelSelector: "!ours" });
    const annotations = found.flatMap(({ metadata }) => Object.keys(metadata?.annotations ?? {}));
    status.set({ phase: [...found.map(({ metadata }) => metadata?.labels?.v), ...annotations].sort().join() });
  });
  await using world = await World.open(operator);
  await world.start();
  const a = await world.namespace("a"), b = await world.namespace("b");
  const phase = (wanted: string) =>
    world.untilObject<WidgetObject>(Widget, { namespace: a, name: "w" }, ({ status }) => status?.phase === wanted);
  await createWidget(world, Widget, a, "w");
  await phase("");
  const create = (namespace: string, name: string, labels: Record<string, string>, annotations = {}) =>
    world.client.create<ConfigMapObject>(ConfigMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace, name, labels, annotations },
    });
  await create(a, "taken", { v: "1" }, { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "{data}" });
  await phase("1,note");
  await create(b, "other", { v: "2" });
  await create(b, "taken", { v: "3" });
  await phase("1,3,note");
  await world.client.patch(ConfigMap, { namespace: b, name: "taken" }, {
    type: "merge",
    body: { metadata: { labels: { ours: "" } } },
  });
  await phase("1,note");
  await world.client.delete(ConfigMap, { namespace: a, name: "taken" });
  await phase("");
});

// FR-19
Deno.test("a deleted object ends what it watched", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ namespace, watch }) =>
    void await watch(ConfigMap, { namespace, name: "watched" })
  );
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createMap(world, { namespace, name: "watched" }, {});
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.delete(Widget, key);
  await world.until([Widget, ConfigMap], async () => {
    await world.client.patch(ConfigMap, { namespace, name: "watched" }, {
      type: "merge",
      body: { data: { at: crypto.randomUUID() } },
    });
    return !world.running.watches.some(({ fieldSelector }) => fieldSelector);
  });
});
