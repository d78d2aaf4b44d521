import assert from "node:assert/strict";
import * as z from "zod";
import { UsageError } from "../../lib/base/mod.ts";
import type { DiscoveredResource } from "../../lib/client/mod.ts";
import { ConfigMap, defineResource, EVERYTHING, Operator } from "../../lib/operator/mod.ts";
import { type KindSelector, selectKinds } from "../../lib/operator/kind_selector.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { VirtualWorld } from "../virtual_world.ts";

const served = (
  group: string,
  version: string,
  kind: string,
  more: Partial<DiscoveredResource> = {},
): DiscoveredResource => ({
  group,
  version,
  kind,
  plural: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced: true,
  shortNames: [],
  categories: [],
  verbs: ["list", "watch"],
  subresources: [],
  ...more,
});

const SERVED = [
  served("", "v1", "Pod", { shortNames: ["po"], categories: ["all"] }),
  served("metrics.k8s.io", "v1", "Pod"),
  served("", "v1", "Event"),
  served("events.k8s.io", "v1", "Event"),
  served("apps", "v1", "Deployment", { categories: ["all"] }),
  served("shop.dev", "v2", "Door", { shortNames: ["d"] }),
  served("shop.dev", "v1", "Door"),
  served("house.dev", "v1", "Door"),
  served("", "v1", "Binding", { verbs: ["create"] }),
];

// FR-272
Deno.test("a selector means kinds by group, version, kind, plural, singular, short name or category, in one version each", () => {
  const names = (selector: KindSelector | typeof EVERYTHING) =>
    selectKinds(selector, SERVED).kinds.map(({ group, version, kind }) => `${group}/${version}/${kind}`);
  assert.deepEqual(names({ group: "shop.dev" }), ["shop.dev/v2/Door"]);
  assert.deepEqual(names({ group: "shop.dev", version: "v1" }), ["shop.dev/v1/Door"]);
  assert.deepEqual(names({ plural: "doors", group: "house.dev" }), ["house.dev/v1/Door"]);
  assert.deepEqual(names({ singular: "deployment" }), ["apps/v1/Deployment"]);
  assert.deepEqual(names({ shortName: "d" }), ["shop.dev/v2/Door"]);
  assert.deepEqual(names({ category: "all" }), ["/v1/Pod", "apps/v1/Deployment"]);
  assert.deepEqual(names({ kind: "Binding" }), [], "what cannot be watched is no kind for handlers");
  assert.deepEqual(names(EVERYTHING), [
    "/v1/Pod",
    "metrics.k8s.io/v1/Pod",
    "apps/v1/Deployment",
    "shop.dev/v2/Door",
    "house.dev/v1/Door",
  ]);
});

// FR-272
Deno.test("of kinds that share a name the core group's is meant, and where it has none, none is", () => {
  assert.deepEqual(selectKinds({ kind: "Pod" }, SERVED).kinds.map(({ group }) => group), [""]);
  const doors = selectKinds({ plural: "doors" }, SERVED);
  assert.deepEqual([doors.kinds, doors.ambiguous.map(({ group }) => group)], [[], ["shop.dev", "house.dev"]]);
});

Deno.test("an empty selector is refused", () => {
  assert.throws(() => new Operator("x").select({}, () => {}), UsageError);
});

const kindOf = (group: string, kind: string) =>
  defineResource({ group, version: "v1", kind, categories: ["parts"], spec: z.object({ size: z.int().optional() }) });

// FR-272
Deno.test("handlers follow the kinds of a category: those that are there, those that come, and not those that went", async () => {
  const seen: string[] = [],
    Door = kindOf("select.test.pintle.dev", "Door"),
    Wall = kindOf("select.test.pintle.dev", "Wall");
  const operator = new Operator("selector").select(
    { category: "parts" },
    (on) =>
      on.event(({ type, name, object }) => {
        // That it was handled is written into the object, and heard, too.
        if (type !== "modified") seen.push(`${type} ${object.kind} ${name}`);
      })
        .create(({ name, object }) => void seen.push(`create ${object.kind} ${name}`)),
  );
  await using world = await VirtualWorld.open(operator);
  const install = async (kind: typeof Door) => {
    await world.client.apply(CRDS, kind.crd());
    await world.advance(3_000, 500);
  };
  const create = async (kind: typeof Door, name: string) => {
    await world.client.create(kind, { metadata: { namespace: "home", name }, spec: {} } as never);
    await world.advance(1);
  };
  await install(Door);
  await create(Door, "front");
  assert.deepEqual(seen.splice(0), ["added Door front", "create Door front"]);
  await install(Wall);
  await create(Wall, "north");
  assert.deepEqual(seen.splice(0), ["added Wall north", "create Wall north"]);
  await world.client.delete(CRDS, { name: `doors.${Door.group}` });
  // A real server takes its time, and a busy one more.
  for (let tries = 0; tries < 300 && world.running.kinds.length > 1; tries++) await world.advance(500);
  assert.deepEqual(world.running.kinds.map(({ name }) => name), [`walls.${Wall.group}`]);
  seen.length = 0;
  await create(Wall, "south");
  assert.deepEqual(seen, ["added Wall south", "create Wall south"]);
  const stopping = world.running.stop(5_000);
  await world.advance(1);
  await stopping;
});

// FR-272
Deno.test("a kind with handlers of its own is left out of a selection, and its RBAC rules are requested", async () => {
  const seen: string[] = [], operator = new Operator("selector");
  const note = (who: string) => ({ name }: { name: string }) => void (name === "a" && seen.push(who));
  operator.on(ConfigMap).event(note("own"));
  operator.select({ plural: "configmaps" }, (on) => on.event(note("selected")));
  assert.ok(operator.rules().some(({ resources }) => resources[0] === "customresourcedefinitions"));
  await using world = await VirtualWorld.open(operator);
  await world.advance(3_000, 500);
  await world.client.create(ConfigMap, { metadata: { namespace: "home", name: "a" } });
  await world.advance(1);
  assert.deepEqual(seen, ["own"]);
});

// FR-272
Deno.test("a name of two groups is logged once, and selects no kind", async () => {
  const operator = new Operator("selector");
  operator.select({ plural: "doors" }, (on) => on.event(() => {}));
  await using world = await VirtualWorld.open(operator);
  await world.client.apply(CRDS, kindOf("one.test.pintle.dev", "Door").crd());
  await world.client.apply(CRDS, kindOf("two.test.pintle.dev", "Door").crd());
  await world.advance(5_000, 500);
  await world.client.apply(CRDS, kindOf("two.test.pintle.dev", "Wall").crd());
  await world.advance(5_000, 500);
  const told = world.logs.filter(({ message }) => message.includes("several groups"));
  assert.deepEqual(told.map(({ fields }) => fields.kinds), ["doors.one.test.pintle.dev, doors.two.test.pintle.dev"]);
});
