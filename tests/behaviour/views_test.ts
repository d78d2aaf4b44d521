import { keyOf, view } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { ConfigMap, type ConfigMapObject, Operator, Pod, Secret, watch } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("views");
const MetadataOnly = view(ConfigMap, { metadataOnly: true });
const Labelled = view(ConfigMap, { labelSelector: "made-by=widgets" });
const SizesOnly = view(ConfigMap, { transform: ({ data }) => ({ data: { size: data?.size } }) });
const MADE = { metadata: { labels: { "made-by": "widgets" } } };

function ownerOf(children: typeof MetadataOnly | typeof Labelled | typeof SizesOnly): Operator {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply }) => {
    const data = { size: `${spec.size}`, note: spec.note ?? "none" };
    await apply(ConfigMap, { ...MADE, data });
  }, { owns: [children] });
  return operator;
}

for (
  const [how, children] of Object.entries({ "as metadata": MetadataOnly, "by label": Labelled, projected: SizesOnly })
) {
  Deno.test(`a child that is watched ${how} is written once, restored when it is edited or deleted, and changed with its owner`, async () => {
    await using world = await World.open(ownerOf(children));
    await world.start();
    const namespace = await world.namespace("a"), key = { namespace, name: "w" };
    await createWidget(world, Widget, namespace, "w", { size: 1 });
    await untilReady(world, Widget, namespace, "w");
    await world.idle();
    const written = () => world.writes.filter(({ path }) => path.includes("/configmaps/")).length;
    assert.equal(written(), 1);
    await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { note: "theirs" } } });
    const restored = await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.note === "none");
    await world.idle();
    assert.equal(written(), 2);
    await world.client.delete(ConfigMap, key);
    await world.untilObject<ConfigMapObject>(
      ConfigMap,
      key,
      ({ metadata }) => metadata?.uid !== restored.metadata?.uid,
    );
    await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
    await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.size === "2");
    await world.idle();
    assert.equal(written(), 4);
  });
}

// FR-410
Deno.test("a store holds of a view's objects what the view keeps, and the metadata", async () => {
  await using world = await World.open(ownerOf(SizesOnly));
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  const stored = world.running.watches.filter(({ resource }) => resource.plural === "configmaps")
    .flatMap(({ objects }) => [...objects()] as ConfigMapObject[]).find(({ metadata }) =>
      metadata?.namespace === namespace && metadata.name === "w"
    );
  assert.deepEqual(stored?.data, { size: "1" });
  assert.equal(stored?.metadata?.ownerReferences?.[0]?.name, "w");
});

// FR-411
Deno.test("a child that loses the label by which it is watched gets it again", async () => {
  await using world = await World.open(ownerOf(Labelled));
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const { metadata } = await world.client.get<ConfigMapObject>(ConfigMap, key);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { metadata: { labels: { "made-by": null } } } });
  const again = await world.untilObject<ConfigMapObject>(
    ConfigMap,
    key,
    (found) =>
      found.metadata?.labels?.["made-by"] === "widgets" && found.metadata.resourceVersion !== metadata?.resourceVersion,
  );
  assert.equal(again.metadata?.uid, metadata?.uid);
});

// FR-411
Deno.test("another controller's child without the label is a conflict, though no watch shows it", async () => {
  await using world = await World.open(ownerOf(Labelled));
  await world.start();
  const namespace = await world.namespace("a"), typed = { apiVersion: "v1", kind: "ConfigMap" };
  const other = await world.client.create<ConfigMapObject>(ConfigMap, {
    ...typed,
    metadata: { namespace, name: "other" },
  });
  const reference = { ...typed, name: "other", uid: other.metadata!.uid!, controller: true };
  const metadata = { namespace, name: "w", ownerReferences: [reference] };
  await world.client.create<ConfigMapObject>(ConfigMap, { ...typed, metadata, data: { size: "theirs" } });
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w", "False", "ChildConflict");
  const kept = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name: "w" });
  assert.deepEqual(kept.data, { size: "theirs" });
});

// FR-411
Deno.test("a child without the label by which its kind is watched is refused by name, and written where it is not owned", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply, spec }) => {
    await apply(ConfigMap, { data: {} }, { owned: spec.size > 1 });
  }, { owns: [Labelled] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "owned", { size: 2 });
  const { status } = await untilReady(world, Widget, namespace, "owned", "False", "InvalidChild") as WidgetObject;
  assert.match(conditionOf({ status }, "Ready")!.message, /ConfigMap .*\/owned lacks the labels .*made-by=widgets/);
  await createWidget(world, Widget, namespace, "free", { size: 1 });
  await untilReady(world, Widget, namespace, "free");
});

Deno.test("an object that leaves the selector of its kind is left as it is, and is reconciled when it comes back", async () => {
  const Gold = view(Widget, { labelSelector: "tier=gold" }), reconciled: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Gold).reconcile(({ spec }) => void reconciled.push(spec.size));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 1 }, { labels: { tier: "gold" } });
  await untilReady(world, Widget, namespace, "w");
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { tier: "tin" } } } });
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 3 } } });
  await createWidget(world, Widget, namespace, "next", { size: 9 }, { labels: { tier: "gold" } });
  await untilReady(world, Widget, namespace, "next");
  assert.deepEqual([reconciled.includes(2), reconciled.includes(3)], [false, false]);
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { tier: "gold" } } } });
  await untilReady(world, Widget, namespace, "w");
  assert.equal(reconciled.at(-1), 3);
});

// FR-410
Deno.test("a projected kind keeps its status: an unchanged one is not written again", async () => {
  const Sizes = view(Widget, { transform: ({ spec: { size } }) => ({ spec: { size } }) });
  const operator = new Operator("widgets"), specs: unknown[] = [];
  operator.on(Sizes).reconcile(({ spec, status }) => {
    specs.push(spec);
    status.set({ size: spec.size });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w", { size: 4, note: "long" });
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  assert.deepEqual(specs[0], { size: 4 });
  await world.stop();
  await world.start();
  await world.idle();
  assert.deepEqual(world.writes, []);
});

// FR-410
Deno.test("watches of one kind are shared where their views are equal, and cached() finds each by its value", async () => {
  const Named = widgetKind("views-shared"), operator = new Operator("widgets"), kept: unknown[] = [];
  operator.on(Widget).reconcile(({ cached, namespace }) => {
    kept.push(cached(MetadataOnly).get({ namespace, name: "c" }));
    assert.throws(() => cached(ConfigMap), /cached\(ConfigMap\): configmaps is watched here by another view/);
  }, { owns: [view(ConfigMap, { metadataOnly: true })], watches: [watch(MetadataOnly, () => [])] });
  operator.on(Named).reconcile(() => {}, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  assert.equal(world.running.watches.filter(({ resource }) => resource.plural === "configmaps").length, 2);
  const namespace = await world.namespace("a");
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "c" }, data: { a: "1" } };
  await world.client.create<ConfigMapObject>(ConfigMap, map);
  await world.idle();
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const [stored] = kept as ConfigMapObject[];
  assert.deepEqual([stored && keyOf(stored), stored?.data], [{ namespace, name: "c" }, undefined]);
});

Deno.test("an object that is watched as metadata reaches its event handlers without its data", async () => {
  const seen: ConfigMapObject[] = [], operator = new Operator("widgets");
  operator.on(MetadataOnly).event(({ object }) => void seen.push(object as ConfigMapObject));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  const map = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "c" }, data: { a: "1" } };
  await world.client.create<ConfigMapObject>(ConfigMap, map);
  await world.until([ConfigMap], () => Promise.resolve(seen.some(({ metadata }) => metadata?.name === "c")));
  assert.ok(seen.every(({ data }) => data === undefined));
});

// FR-412
Deno.test("views that cannot work are refused where they are declared, by name", () => {
  const Gold = view(Widget, { labelSelector: "tier=gold" }),
    refused = (declare: (operator: Operator) => unknown) =>
      assert.throws.bind(undefined, () => declare(new Operator("widgets")));
  assert.throws(() => view(Pod, {}), /view\(Pod\) narrows nothing/);
  assert.throws(() => view(Pod, { labelSelector: "a in" }), /labelSelector of view\(Pod\): /);
  assert.throws(() => view(Gold, { metadataOnly: true }), /view\(Widget\): it is a view already/);
  refused((operator) => operator.on(view(Widget, { metadataOnly: true })))(/on\(Widget\) with metadataOnly/);
  refused((operator) => operator.on(Gold).delete(() => {}))(/a delete handler of Widget, of which only tier=gold/);
  refused((operator) => operator.on(Gold).daemon(async () => {}))(/a daemon handler of Widget/);
  refused((operator) => operator.on(view(Pod, { metadataOnly: true })).validate(() => {}))(/a view of Pod/);
  refused((operator) => operator.on(Widget).reconcile(() => {}, { owns: [MetadataOnly, ConfigMap] }))(
    /`owns` of Widget names ConfigMap with two views/,
  );
  refused((operator) => {
    operator.on(Widget).reconcile(() => {});
    operator.on(Gold).event(() => {});
    return operator.declarations;
  })(/widgets.views.test.pintle.dev has handlers by two views/);
  new Operator("widgets").on(Gold).delete(() => {}, { optional: true });
});

Deno.test("an operator with views needs the rights of one without", () => {
  const whole = new Operator("widgets"), viewed = new Operator("widgets");
  whole.on(Widget).reconcile(() => {}, { owns: [Secret] });
  viewed.on(view(Widget, { labelSelector: "a" })).reconcile(() => {}, { owns: [view(Secret, { metadataOnly: true })] });
  assert.deepEqual(viewed.rules(), whole.rules());
  assert.deepEqual(viewed.crds(), whole.crds());
});
