import { TemporaryError } from "../../lib/base/mod.ts";
import type { ChangeContext } from "../../lib/controller/mod.ts";
import assert from "node:assert/strict";
import { Operator } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import {
  HOME_KEY as KEY,
  homeWidget,
  widgetKind,
  type WidgetObject,
  type WidgetSpec,
  type WidgetStatus,
} from "../widget.ts";

const Widget = widgetKind("change-options");
const { createWidget, patchWidget } = homeWidget(Widget);
type Handling = ChangeContext<WidgetObject, WidgetSpec, WidgetStatus>;

async function openWith(operator: Operator, spec: object = {}): Promise<VirtualWorld> {
  const world = await VirtualWorld.open(operator);
  await createWidget(world, spec);
  return world;
}

// FR-265
Deno.test("a resume handler with deleted is called for an object that is being deleted, too", async () => {
  const operator = new Operator("widgets"), calls: string[] = [];
  let failing = true;
  operator.on(Widget)
    .create(() => {})
    .resume(() => void calls.push("resume"), { id: "living" })
    .resume(() => void calls.push("resume going"), { id: "going", deleted: true })
    .delete(() => {
      if (failing) throw new Error("not yet");
    });
  await using world = await openWith(operator);
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  await world.restart(operator);
  failing = false;
  await world.advance(600_000, 60_000);
  assert.deepEqual(calls, ["resume going"]);
  assert.equal(await world.client.find(Widget, KEY), undefined);
});

// FR-265
Deno.test("param reaches its handler, and one function may be declared several times", async () => {
  const operator = new Operator("widgets"), calls: unknown[] = [];
  const note = ({ param, subhandler }: Handling) => {
    calls.push(param);
    subhandler("part", ({ param }) => void calls.push([param]));
  };
  operator.on(Widget).create(note, { id: "one", param: 1 }).create(note, { id: "two", param: { deep: 2 } });
  await using _world = await openWith(operator);
  assert.deepEqual(calls, [1, [1], { deep: 2 }, [{ deep: 2 }]]);
});

/** A handler of a program without types. */
function returning(value: unknown): () => void {
  return () => value;
}

// FR-265
Deno.test("what a handler returns reaches neither status nor annotations", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).create(returning({ leaked: "value" }), { id: "make" }).update(returning("leaked"), {
    id: "change",
  });
  await using world = await openWith(operator);
  await patchWidget(world, { spec: { size: 2 } });
  assert.ok(!JSON.stringify(await world.client.get<WidgetObject>(Widget, KEY)).includes("leaked"));
});

// FR-265
Deno.test("fields that are ignored concern no handler", async () => {
  const operator = new Operator("widgets"), calls: unknown[] = [];
  operator.on(Widget).update(({ diff }) => void calls.push(diff.map(({ path }) => path.join(".")))).ignoreFields(
    "spec.size",
    "metadata.labels",
  );
  await using world = await openWith(operator, { size: 1, note: "a" });
  await patchWidget(world, { spec: { size: 2 }, metadata: { labels: { a: "b" } } });
  assert.deepEqual(calls, []);
  await patchWidget(world, { spec: { size: 3, note: "b" } });
  assert.deepEqual(calls, [["spec.note"]]);
});

// FR-265
Deno.test("writes: a delete handler costs one more at the creation and one at the end, an update without handlers one", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).create(() => {}).delete(() => {});
  await using world = await openWith(operator);
  await world.advance(60_000, 10_000);
  assert.equal(world.writes.length, 2, "the finalizer and the status");
  await patchWidget(world, { spec: { size: 2 } });
  await world.advance(60_000, 10_000);
  assert.equal(world.writes.length, 3, "the status, which speaks of the new generation");
  await world.client.delete(Widget, KEY);
  await world.advance(60_000, 10_000);
  assert.equal(world.writes.length, 4);
  assert.equal(await world.client.find(Widget, KEY), undefined);
});

// FR-265
Deno.test("writes: a creation that is tried twice costs its record and its condition, and both are taken back", async () => {
  const operator = new Operator("widgets");
  let failures = 1;
  operator.on(Widget).create(() => {
    if (failures-- > 0) throw new TemporaryError("not yet", { delay: "10s" });
  });
  await using world = await openWith(operator);
  await world.advance(60_000, 1_000);
  assert.equal(world.writes.length, 4, JSON.stringify(world.writes));
  const { metadata } = await world.client.get<WidgetObject>(Widget, KEY);
  assert.deepEqual(metadata.annotations ?? {}, {});
});
