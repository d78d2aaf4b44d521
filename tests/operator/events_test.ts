import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { createWidget, untilReady, widgetKind } from "../widget.ts";

const Widget = widgetKind("events");
const Events = { group: "events.k8s.io", version: "v1", kind: "Event", plural: "events", namespaced: true };

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
    (await world.client.list<DynamicObject>(Events, { namespace })).items.map((event) => {
      const { type, reason, action, regarding } = event as Record<string, unknown> & {
        regarding: { kind: string; uid: string };
      };
      return { type, reason, action, kind: regarding.kind, uid: regarding.uid };
    });
  await world.until([Events], async () => (await posted()).some(({ reason }) => reason === "Made"));
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
