import assert from "node:assert/strict";
import { builtinKind, ConfigMap, type ConfigMapObject, type DynamicObject } from "@pintle/pintle";
import { World } from "../../tests/world.ts";
import { operator } from "./main.ts";

const Widget = builtinKind<DynamicObject>({ group: "shop.example.com", version: "v1", kind: "Widget" });

Deno.test("the operator of one file converges in two writes, restores its child, and refuses a bad spec", async () => {
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("shop"), key = { namespace, name: "door" };
  const widget = { metadata: key, spec: { size: 3 } };
  await world.client.create<DynamicObject>(Widget, widget);
  await world.untilObject<DynamicObject>(
    Widget,
    key,
    ({ status }) => (status as { phase?: string })?.phase === "Ready",
  );
  const child = await world.client.get<ConfigMapObject>(ConfigMap, key);
  assert.deepEqual(child.data, { size: "3", mode: "a" });
  assert.equal(child.metadata?.ownerReferences?.[0]?.kind, "Widget");
  await world.idle();
  assert.equal(world.writes.length, 2, JSON.stringify(world.writes));
  await world.client.delete(ConfigMap, key);
  await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ metadata }) => metadata?.uid !== child.metadata?.uid);
  const bad = { ...widget, metadata: { namespace, name: "bad" }, spec: { size: 0 } };
  await assert.rejects(world.client.create<DynamicObject>(Widget, bad), /spec\.size/);
});
