import assert from "node:assert/strict";
import { Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("reconcile-filter");

// FR-390
Deno.test("reconcile is for the objects that its filter takes: others get no status, and one that begins to match is reconciled", async () => {
  const operator = new Operator("widgets"), reconciled: string[] = [];
  operator.on(Widget).reconcile(({ name }) => void reconciled.push(name), {
    labels: { tier: "gold" },
    when: ({ object }) => object.spec.size < 5,
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), gold = { labels: { tier: "gold" } };
  await createWidget(world, Widget, namespace, "right", { size: 1 }, gold);
  await createWidget(world, Widget, namespace, "large", { size: 9 }, gold);
  await createWidget(world, Widget, namespace, "plain", { size: 1 });
  await untilReady(world, Widget, namespace, "right");
  await world.idle();
  assert.deepEqual(reconciled, ["right"]);
  for (const name of ["large", "plain"]) {
    assert.equal((await world.client.get(Widget, { namespace, name }) as { status?: unknown }).status, undefined);
  }
  await world.client.patch(Widget, { namespace, name: "plain" }, { type: "merge", body: { metadata: gold } });
  await untilReady(world, Widget, namespace, "plain");
  assert.deepEqual(reconciled, ["right", "plain"]);
});

// FR-390
Deno.test("an object that stops matching is not retried any more, and is left as it is", async () => {
  const operator = new Operator("widgets");
  let calls = 0;
  operator.on(Widget).reconcile(() => {
    calls++;
    throw new Error("not now");
  }, { labels: { tier: "gold" } });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", {}, { labels: { tier: "gold" } });
  await untilReady(world, Widget, namespace, "w", "False");
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { tier: null } } } });
  await world.untilObject(Widget, key, ({ metadata }) => metadata?.labels?.tier === undefined);
  await world.idle();
  const before = calls;
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await world.untilObject(Widget, key, ({ metadata }) => metadata?.generation === 2);
  await world.idle();
  assert.equal(calls, before);
  const { status } = await world.client.get<WidgetObject>(Widget, key);
  const conditions = status?.conditions?.map((
    { type, status, observedGeneration },
  ) => [type, status, observedGeneration]);
  assert.deepEqual(conditions, [["Ready", "False", 1]], "the condition of the time when it matched");
});
