import assert from "node:assert/strict";
import * as z from "zod";
import type { KubeObject, ObjectOf } from "../../lib/apimachinery/mod.ts";
import { InvalidError } from "../../lib/client/mod.ts";
import { defineResource, Operator, withRules } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";

const STORE = z.discriminatedUnion("type", [
  z.object({ type: z.literal("s3"), bucket: z.string(), "path-style": z.boolean().optional() }),
  z.object({ type: z.literal("disk"), gibibytes: z.int().min(1), namespace: z.string().optional() }),
]);
const Shop = defineResource({
  group: "schemas.test.pintle.dev",
  version: "v1",
  kind: "Shop",
  spec: z.object({
    replicas: z.int().min(0).default(1),
    store: STORE.optional(),
    mirrors: z.array(STORE).max(10).optional(),
    window: withRules(z.object({ from: z.int(), to: z.int() }), {
      rule: "self.from <= self.to",
      message: "from is above to",
      reason: "FieldValueInvalid",
      fieldPath: ".from",
    }).optional(),
  }),
  status: z.object({ replicas: z.int().optional(), selector: z.string().optional() }),
  fields: z.object({ data: z.record(z.string(), z.string()).default({ color: "red" }), note: z.string().optional() }),
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".status.selector" },
});

/** Runs an operator of Shops that copies what it reads to `seen`. */
async function open(): Promise<
  { world: World; seen: Map<string, unknown>; create: (object: object) => Promise<KubeObject> }
> {
  const operator = new Operator("shops"), seen = new Map<string, unknown>();
  operator.on(Shop).reconcile(({ name, object, spec, status }) => {
    seen.set(name, { data: object.data, note: object.note, store: spec.store });
    status.set({ replicas: spec.replicas, selector: `shop=${name}` });
  });
  const world = await World.open(operator);
  await world.start();
  const create = (object: object) => {
    const { metadata, ...rest } = object as KubeObject;
    return world.client.create<KubeObject>(Shop, { metadata: { ...metadata, namespace: world.home }, ...rest });
  };
  return { world, seen, create };
}

/** Waits until the operator has written its status for a generation of a Shop. */
async function handled(world: World, name: string, generation = 1): Promise<void> {
  const key = { namespace: world.home, name };
  await world.untilObject<ObjectOf<typeof Shop>>(Shop, key, ({ status }) => status?.observedGeneration === generation);
}

// FR-384
Deno.test("the cases of a discriminated union are stored whole, and a field of another case is refused by its name", async () => {
  const { world, seen, create } = await open();
  await using _world = world;
  const stores = [{ type: "s3", bucket: "b", "path-style": true }, { type: "disk", gibibytes: 5, namespace: "n" }];
  for (const [index, store] of stores.entries()) {
    const made = await create({ metadata: { name: `s${index}` }, spec: { store, mirrors: stores } }) as {
      spec?: { store: unknown; mirrors: unknown };
    };
    assert.deepEqual([made.spec?.store, made.spec?.mirrors], [store, stores]);
    await handled(world, `s${index}`);
    assert.deepEqual((seen.get(`s${index}`) as { store: unknown }).store, store);
  }
  const wrong: [object, RegExp][] = [
    [{ store: { type: "s3" } }, /spec\.store: .*bucket is required where type is s3/],
    [
      { store: { type: "s3", bucket: "b", gibibytes: 1 } },
      /spec\.store: .*gibibytes is only allowed where type is disk/,
    ],
    [{ store: { type: "disk", gibibytes: 1, "path-style": true } }, /path-style is only allowed where type is s3/],
    [{ store: { type: "s3", bucket: "b", namespace: "n" } }, /namespace is only allowed where type is disk/],
    [{ store: { type: "tape" } }, /spec\.store\.type: Unsupported value: "tape"/],
    [{ mirrors: [{ type: "disk" }] }, /spec\.mirrors\[0\]: .*gibibytes is required where type is disk/],
  ];
  for (const [spec, message] of wrong) {
    await assert.rejects(create({ metadata: { name: "wrong" }, spec }), (error: Error) => {
      assert.ok(error instanceof InvalidError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

// FR-385
Deno.test("a rule of withRules is checked by the server, and names its field", async () => {
  const { world, create } = await open();
  await using _world = world;
  await create({ metadata: { name: "right" }, spec: { window: { from: 1, to: 1 } } });
  const wrong = create({ metadata: { name: "wrong" }, spec: { window: { from: 2, to: 1 } } });
  await assert.rejects(wrong, (error: Error) => {
    assert.ok(error instanceof InvalidError);
    assert.match(error.message, /spec\.window\.from: Invalid value: .*from is above to/);
    return true;
  });
});

// FR-386
Deno.test("fields beside spec and status are stored, get their defaults, and reach handlers", async () => {
  const { world, seen, create } = await open();
  await using _world = world;
  await create({ metadata: { name: "a" }, spec: {} });
  await create({ metadata: { name: "b" }, spec: {}, data: { color: "blue" }, note: "hello" });
  for (const name of ["a", "b"]) await handled(world, name);
  assert.deepEqual(seen.get("a"), { data: { color: "red" }, note: undefined, store: undefined });
  assert.deepEqual(seen.get("b"), { data: { color: "blue" }, note: "hello", store: undefined });
  await assert.rejects(create({ metadata: { name: "c" }, spec: {}, data: { size: 1 } }), /data\.size/);
});

// FR-387
Deno.test("the scale subresource reads and writes the replicas of a kind of one's own", async () => {
  const { world, create } = await open();
  await using _world = world;
  await create({ metadata: { name: "a" }, spec: { replicas: 2 } });
  const path = `/apis/schemas.test.pintle.dev/v1/namespaces/${world.home}/shops/a/scale`;
  type Scale = KubeObject & { spec: { replicas: number }; status: { replicas: number; selector: string } };
  const read = async () => await world.client.raw(path) as unknown as Scale;
  await handled(world, "a");
  assert.deepEqual((await read()).status, { replicas: 2, selector: "shop=a" });
  await world.client.raw(path, {
    method: "PATCH",
    body: { spec: { replicas: 5 } },
    contentType: "application/merge-patch+json",
  });
  await handled(world, "a", 2);
  const { spec, status } = await read();
  assert.deepEqual([spec.replicas, status.replicas], [5, 5]);
});
