import assert from "node:assert/strict";
import type { Transport } from "../../lib/base/mod.ts";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("successor");
const FINALIZER = `${Widget.group}/widgets`;

/** Deletes a widget, whatever holds it, and makes another one of its name. */
async function remake(
  world: World,
  key: { namespace: string; name: string },
  size: number,
  finalizers: string[] = [],
): Promise<WidgetObject> {
  await world.client.delete(Widget, key);
  const held = await world.client.find(Widget, key);
  if (held) await world.client.patch(Widget, key, { type: "merge", body: { metadata: { finalizers: null } } });
  return await createWidget(world, Widget, key.namespace, key.name, { size }, { finalizers });
}

/** Every state of an object from its creation until `last` holds. */
async function historyOf(
  world: World,
  created: WidgetObject,
  last: (widget: WidgetObject) => boolean,
): Promise<WidgetObject[]> {
  const { namespace, name, resourceVersion, uid } = created.metadata;
  const stop = new AbortController(), seen = [created];
  const options = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion, signal: stop.signal };
  for await (const { object } of world.client.watch<WidgetObject>(Widget, options)) {
    if (object.metadata.uid !== uid) continue;
    seen.push(object);
    if (last(object)) stop.abort();
  }
  return seen;
}

/** Runs `strike` before the first write that `matches` is sent. */
function beforeFirst(inner: Transport, matches: (path: string, body: string) => boolean, strike: () => Promise<void>) {
  let struck = false;
  const fetch: Transport["fetch"] = async (path, request = {}) => {
    if (!struck && request.method === "PATCH" && matches(path, String(request.body))) {
      struck = true;
      await strike();
    }
    return await inner.fetch(path, request);
  };
  return { fetch, close: () => inner.close() };
}

// FR-34
Deno.test("an object that is created again during a pass gets no status of its predecessor, and the child becomes its own", async () => {
  let successor: WidgetObject | undefined;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, namespace, name, apply, status }) => {
    successor ??= await remake(world, { namespace, name }, 2);
    await apply(ConfigMap, { data: { size: `${spec.size}` } });
    status.set({ size: spec.size });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  const first = await createWidget(world, Widget, namespace, "w", { size: 1 });
  const child = await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ metadata, data }) => {
    return data?.size === "2" && metadata?.ownerReferences?.[0]?.uid !== first.metadata.uid;
  });
  assert.deepEqual(child.metadata!.ownerReferences!.map(({ uid }) => uid), [successor!.metadata.uid]);
  await untilReady(world, Widget, namespace, "w");
  const states = await historyOf(world, successor!, ({ status }) => status?.size === 2);
  assert.deepEqual(states.filter(({ status }) => status?.size === 1), []);
  const quarrels = states.filter((each) => conditionOf(each, "Ready")?.reason === "ChildConflict");
  assert.deepEqual(quarrels, [], "its predecessor's child is no other controller's");
});

Deno.test("an object that is created again before its predecessor got the finalizer is handled by a pass of its own", async () => {
  let successor: WidgetObject | undefined;
  const handled: string[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ uid }) => void handled.push(uid)).delete(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  const adds = (path: string, body: string) => path.includes("/widgets/w?") && body.includes(FINALIZER);
  await world.start({
    transport: beforeFirst(world.cluster.transport(), adds, async () => {
      successor = await remake(world, key, 2);
    }),
  });
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  const widget = await untilReady(world, Widget, namespace, "w");
  assert.equal(widget.metadata.uid, successor!.metadata.uid);
  assert.deepEqual(widget.metadata.finalizers, [FINALIZER]);
  assert.deepEqual(new Set(handled), new Set([successor!.metadata.uid]), "of its predecessor nothing was handled");
});

// FR-34
Deno.test("an object that is created again while its predecessor's delete handler ran keeps its finalizer, and its own delete", async () => {
  let successor: WidgetObject | undefined;
  const deleted: string[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {}).delete(async ({ uid, namespace, name }) => {
    deleted.push(uid);
    successor ??= await remake(world, { namespace, name }, 2, [FINALIZER]);
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  const first = await createWidget(world, Widget, namespace, "w", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  await world.client.delete(Widget, key);
  await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => metadata.uid !== first.metadata.uid);
  const ready = ({ status }: WidgetObject) => status?.observedGeneration === 1;
  const states = await historyOf(world, successor!, ready);
  assert.deepEqual(states.filter(({ metadata }) => !metadata.finalizers?.includes(FINALIZER)), []);
  assert.deepEqual(deleted, [first.metadata.uid]);
  await world.client.delete(Widget, key);
  await world.untilGone(Widget, key);
  assert.deepEqual(deleted, [first.metadata.uid, successor!.metadata.uid]);
});

// FR-34
Deno.test("a status is written in spite of others who edit the object at the same moment, and of the handler itself", async () => {
  const answers: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ client, namespace, name, spec, labels, status }) => {
    if (spec.note === "label yourself" && !labels.mine) {
      await client.patch(Widget, { namespace, name }, { type: "merge", body: { metadata: { labels: { mine: "1" } } } });
    }
    status.set({ size: spec.size });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "edited" };
  const isStatus = (path: string) => path.includes("/status?");
  const inner = beforeFirst(world.cluster.transport(), isStatus, async () => {
    await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { theirs: "1" } } } });
  });
  const fetch: Transport["fetch"] = async (path, request) => {
    const response = await inner.fetch(path, request);
    if (isStatus(path)) answers.push(response.status);
    return response;
  };
  await world.start({ transport: { ...inner, fetch } });
  await createWidget(world, Widget, namespace, "edited", { size: 2 });
  assert.equal((await untilReady(world, Widget, namespace, "edited")).status?.size, 2);
  await createWidget(world, Widget, namespace, "own", { size: 3, note: "label yourself" });
  assert.equal((await untilReady(world, Widget, namespace, "own")).status?.size, 3);
  await world.idle();
  assert.deepEqual(answers, [409, 200, 200]);
});
