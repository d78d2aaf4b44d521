import assert from "node:assert/strict";
import * as z from "zod";
import { isObject, type Transport } from "../../lib/base/mod.ts";
import { defineResource, Namespace, Operator } from "../../lib/operator/mod.ts";
import type { DynamicObject, KubeObject } from "../../lib/apimachinery/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { crdOf } from "../crd.ts";
import { VirtualWorld } from "../virtual_world.ts";

/** A CRD of a group of its own, whose versions have one schema. */
class Definition {
  readonly group = `g${crypto.randomUUID().slice(0, 8)}.test.pintle.dev`;

  constructor(readonly kind: string, readonly plural: string, readonly scope = "Namespaced") {}

  get name(): string {
    return `${this.plural}.${this.group}`;
  }

  resource(version: string) {
    const { group, kind, plural } = this;
    return { group, version, kind, plural, namespaced: this.scope === "Namespaced" };
  }

  /** The first version is the one that is stored; `+` before a name says that it is served. */
  of(...versions: readonly string[]): DynamicObject {
    const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    return crdOf(
      this,
      ...versions.map((version, index) => ({
        name: version.replace("+", ""),
        served: version.startsWith("+"),
        storage: index === 0,
        schema: { openAPIV3Schema },
      })),
    );
  }
}

/** Waits until a real server, which takes its time, has taken over a definition: a request is answered as `wanted`. */
async function untilServed(
  world: VirtualWorld,
  resource: Parameters<VirtualWorld["client"]["list"]>[0],
): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return void await world.client.list(resource);
    } catch (error) {
      if (tries > 300) throw error;
      await world.advance(100);
    }
  }
}

/** Advances by steps until `holds`, at most for `msMax`. */
async function until(world: VirtualWorld, holds: () => boolean, msMax = 60_000): Promise<void> {
  for (let ms = 0; ms < msMax && !holds(); ms += 500) await world.advance(500);
}

// FR-294
Deno.test("a selected kind that moves from v1 to v2 is followed, and what was handled is not handled again", async () => {
  const gadgets = new Definition("Gadget", "gadgets"), created: string[] = [], seen = new Set<string>();
  const operator = new Operator("selects-versions").select(
    { group: gadgets.group },
    (on) =>
      on.event(({ object }) => void seen.add(`${object.apiVersion!.split("/")[1]} ${object.metadata!.name}`))
        .create(({ name }) => void created.push(name)),
  );
  await using world = await VirtualWorld.open(operator);
  try {
    await world.client.create(CRDS, gadgets.of("+v1"));
    await untilServed(world, gadgets.resource("v1"));
    const object = (name: string) => ({ metadata: { namespace: "home", name } }) as KubeObject;
    await world.client.create(gadgets.resource("v1"), object("a"));
    await until(world, () => created.includes("a"));
    assert.deepEqual([created, [...seen]], [["a"], ["v1 a"]]);

    await world.client.patch(CRDS, { name: gadgets.name }, {
      type: "merge",
      body: { spec: gadgets.of("+v2", "+v1").spec as never },
    });
    await untilServed(world, gadgets.resource("v2"));
    await world.client.patch(CRDS, { name: gadgets.name }, {
      type: "merge",
      body: { spec: gadgets.of("+v2", "v1").spec as never },
    });
    await until(world, () => seen.has("v2 a"));
    await world.client.create(gadgets.resource("v2"), object("b"));
    await until(world, () => created.includes("b"));
    assert.deepEqual([created, [...seen]], [["a", "b"], ["v1 a", "v2 a", "v2 b"]]);
    assert.deepEqual(world.running.kinds.map(({ name }) => name), [gadgets.name]);
  } finally {
    await world.client.delete(CRDS, { name: gadgets.name });
  }
});

// FR-294
Deno.test("a child kind that is installed again with another plural and scope is applied as it is served now", async () => {
  const parents = defineResource({
    group: "kinds-change.test.pintle.dev",
    version: "v1",
    kind: "Parent",
    spec: z.object({ size: z.int() }),
  });
  const before = new Definition("Kid", "kids"), after = new Definition("Kid", "kiddies", "Cluster");
  Object.assign(after, { group: before.group });
  const applied: number[] = [], operator = new Operator("parents");
  operator.on(parents).reconcile(async ({ spec, applyManifest }) => {
    const child = {
      apiVersion: `${before.group}/v1`,
      kind: "Kid",
      metadata: { name: "kid" },
      spec: { size: spec.size },
    };
    await applyManifest(child, { owned: false });
    applied.push(spec.size);
  });
  await using world = await VirtualWorld.open(operator);
  try {
    await world.client.create(CRDS, before.of("+v1"));
    await untilServed(world, before.resource("v1"));
    const key = { namespace: "home", name: "p" };
    await world.client.create(parents, { metadata: key, spec: { size: 1 } } as never);
    await until(world, () => applied.includes(1));
    await world.client.delete(CRDS, { name: before.name });
    for (let tries = 0; tries < 300 && await world.client.find(CRDS, { name: before.name }); tries++) {
      await world.advance(100);
    }
    await world.client.create(CRDS, after.of("+v1"));
    await untilServed(world, after.resource("v1"));
    await world.client.patch(parents, key, { type: "merge", body: { spec: { size: 2 } } });
    await until(world, () => applied.includes(2));
    assert.deepEqual(applied, [1, 2]);
    const child = await world.client.get<DynamicObject>(after.resource("v1"), { name: "kid" });
    assert.deepEqual(child.spec, { size: 2 });
  } finally {
    for (const { name } of [before, after]) {
      if (await world.client.find(CRDS, { name })) await world.client.delete(CRDS, { name });
    }
  }
});

/** A server whose discovery of one group cannot be told, or fails, while the test says so. */
function withDiscovery(inner: Transport, group: string, state: { current: "told" | "stale" | "down" }): Transport {
  return {
    fetch: async (path, request) => {
      if (path !== "/apis" || state.current === "told") return await inner.fetch(path, request);
      if (state.current === "down") return new Response("<html>502 Bad Gateway</html>", { status: 502 });
      const body: unknown = await (await inner.fetch(path, request)).json();
      const items = isObject(body) && Array.isArray(body.items) ? body.items : [];
      for (const item of items.filter((each) => each.metadata.name === group)) {
        item.versions = item.versions.map(({ version }: { version: string }) => ({ version, freshness: "Stale" }));
      }
      return Response.json(body);
    },
    close: () => inner.close(),
  };
}

// FR-295
Deno.test("a kind that discovery cannot report now is unknown, not absent: its handling continues, and a timer finds it once it is reported", async () => {
  const gadgets = new Definition("Gadget", "gadgets"), others = new Definition("Other", "others"), seen: string[] = [];
  const operator = new Operator("selects-stale")
    .select({ group: gadgets.group }, (on) => on.event(({ name }) => void seen.push(name)))
    .select({ group: others.group }, (on) => on.event(() => {}));
  const world = VirtualWorld.embedded(), state = { current: "told" as "told" | "stale" | "down" };
  await using _world = world;
  await world.client.create(Namespace, { metadata: { name: "home" } });
  await world.client.create(CRDS, gadgets.of("+v1"));
  await world.start(operator, { transport: withDiscovery(world.cluster.transport(), gadgets.group, state) });
  await world.advance(3_000, 500);
  const create = (name: string) =>
    world.client.create(gadgets.resource("v1"), { metadata: { namespace: "home", name } } as KubeObject);
  const kinds = () => world.running.kinds.map(({ name }) => name);
  assert.deepEqual(kinds(), [gadgets.name]);

  for (const current of ["stale", "down"] as const) {
    state.current = current;
    await world.client.create(CRDS, new Definition("Noise", "noises").of("+v1"));
    await world.advance(30_000, 5_000);
    assert.deepEqual(kinds(), [gadgets.name], current);
    await create(current);
    await world.advance(1);
    assert.deepEqual(seen.splice(0), [current]);
  }
  await world.client.delete(CRDS, { name: gadgets.name });
  await world.advance(30_000, 5_000);
  assert.deepEqual(kinds(), [gadgets.name], "discovery cannot show that it went");
  state.current = "told";
  await world.advance(120_000, 10_000);
  assert.deepEqual(kinds(), []);

  state.current = "stale";
  await world.client.create(CRDS, gadgets.of("+v1"));
  await world.advance(3_000, 500);
  assert.deepEqual(kinds(), []);
  state.current = "told";
  await world.advance(120_000, 10_000);
  assert.deepEqual(kinds(), [gadgets.name], "found without another change");
});
