import type { ApiResource, KubeObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import * as z from "zod";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { mapConcurrent, PermanentError } from "../../lib/base/mod.ts";
import { ApiError, Client, ConflictError } from "../../lib/client/mod.ts";
import { applyCrds } from "../../lib/operator/installation.ts";
import { World } from "../world.ts";

let kinds = 0;

/** A kind of this test alone: tests of one control plane must not answer for each other. */
function newKind() {
  const kind = `Disk${String.fromCharCode(65 + kinds++)}`;
  return {
    former: defineResource({
      group: "conversion.test.pintle.dev",
      version: "v1",
      kind,
      spec: z.object({ size: z.string().regex(/^[0-9]+(Mi|Gi)$/), note: z.string().optional() }),
    }),
    kind,
  };
}

function widened({ kind }: { readonly kind: string }) {
  return defineResource({
    group: "conversion.test.pintle.dev",
    version: "v2",
    kind,
    spec: z.object({ mebibytes: z.int().min(1), mode: z.enum(["slow", "fast"]).default("slow") }),
    status: z.object({ seen: z.int().optional() }),
  }).withVersion({
    version: "v1",
    spec: z.object({ size: z.string().regex(/^[0-9]+(Mi|Gi)$/), note: z.string().optional() }),
    toHub: ({ spec: { size } }) => {
      const mebibytes = Number.parseInt(size) * (size.endsWith("Gi") ? 1024 : 1);
      if (mebibytes === 666) throw new PermanentError("spec.size brings bad luck");
      return { spec: { mebibytes } };
    },
    fromHub: ({ spec: { mebibytes } }) => ({
      spec: { size: mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi` },
    }),
  });
}

/** As a client of any version sees one. */
interface AnyDisk extends KubeObject {
  readonly spec?: Record<string, unknown>;
  readonly status?: { readonly seen?: number; readonly observedGeneration?: number };
}

let operators = 0;
function operatorOf(disk: ReturnType<typeof widened>): Operator {
  const operator = new Operator(`conversion-${operators++}`);
  operator.on(disk).reconcile(({ spec, status }) => status.set({ seen: spec.mebibytes }));
  return operator;
}

const v1 = (disk: ApiResource): ApiResource => ({ ...disk, version: "v1" });

function crdOf({ plural, group }: ApiResource): string {
  return `${plural}.${group}`;
}

/** API servers obey a CRD a moment after it was changed. */
function converts(world: World, disk: ApiResource): Promise<void> {
  const probe = { metadata: { namespace: world.home, name: "probe" }, spec: { size: "1Mi" } };
  return world.until(
    [disk],
    () =>
      world.client.create<AnyDisk>(v1(disk), probe, { dryRun: true }).then(() => true, (error) => {
        if (error instanceof ApiError) return false;
        throw error;
      }),
  );
}

// FR-254
Deno.test("clients of both versions write and read one object, and handlers see the hub's", async () => {
  const disk = widened(newKind());
  await using world = await World.open(operatorOf(disk));
  await world.start();
  await converts(world, disk);
  const key = { namespace: world.home, name: "a" };
  const made = await world.client.create<AnyDisk>(v1(disk), { metadata: key, spec: { size: "1024Mi", note: "mine" } });
  assert.deepEqual(made.spec, { size: "1024Mi", note: "mine" });
  await world.untilObject<AnyDisk>(disk, key, ({ status }) => status?.seen === 1024);
  const hub = await world.client.get<AnyDisk>(disk, key);
  assert.deepEqual([hub.spec, hub.metadata!.uid], [{ mebibytes: 1024, mode: "slow" }, made.metadata!.uid]);

  await world.client.patch(disk, key, { type: "merge", body: { spec: { mode: "fast" } } });
  await world.untilObject<AnyDisk>(disk, key, ({ status }) => status?.observedGeneration === 2);
  const read = await world.client.get<AnyDisk>(v1(disk), key);
  assert.deepEqual(read.spec, { size: "1024Mi", note: "mine" });
  await world.client.replace<AnyDisk>(v1(disk), { ...read, spec: { size: "2Gi", note: "mine" } });
  const after = await world.client.get<AnyDisk>(disk, key);
  assert.deepEqual(after.spec, { mebibytes: 2048, mode: "fast" }, "the old client has not lost the new field");
  await world.untilObject<AnyDisk>(v1(disk), key, ({ status }) => status?.seen === 2048);
});

// FR-256
Deno.test(
  "objects that a release of before has stored are handled at once: they are converted before the first store is full",
  async () => {
    const kind = newKind(), disk = widened(kind), before = new Operator("conversion-before");
    before.on(kind.former).reconcile(() => {});
    await using world = await World.open(operatorOf(disk));
    // The CRD of before, and an object in its version; then the release that converts.
    await world.client.delete(CRDS, { name: crdOf(disk) });
    await world.untilGone(CRDS, { name: crdOf(disk) });
    await applyCrds(world.client, before);
    const key = { namespace: world.home, name: "a" };
    await world.client.create<AnyDisk>(kind.former, { metadata: key, spec: { size: "3Gi" } });
    await applyCrds(world.client, operatorOf(disk));
    await world.start();
    await world.untilObject<AnyDisk>(disk, key, ({ status }) => status?.seen === 3072);
    await world.kill();
    await applyCrds(world.client, operatorOf(disk));
    await world.start();
    await world.untilObject<AnyDisk>(disk, key, ({ spec }) => spec?.mebibytes === 3072);
  },
);

// FR-255
Deno.test("what a function refuses is refused to every client, in its words", async () => {
  const disk = widened(newKind());
  await using world = await World.open(operatorOf(disk));
  await world.start();
  await converts(world, disk);
  const metadata = { namespace: world.home, name: "a" };
  await assert.rejects(
    world.client.create<AnyDisk>(v1(disk), { metadata, spec: { size: "666Mi" } }),
    /cannot be converted from v1 to v2: spec\.size brings bad luck/,
  );
  assert.equal(await world.client.find(disk, metadata), undefined);
  assert.ok(world.logs.some(({ message }) => message === "an object could not be converted"));
});

// FR-254
Deno.test("server-side applies of both versions share an object", async () => {
  const disk = widened(newKind());
  await using world = await World.open(operatorOf(disk));
  await world.start();
  await converts(world, disk);
  const metadata = { namespace: world.home, name: "a" };
  const apply = (version: string, fieldManager: string, spec: object, force = true) =>
    new Client(world.cluster.transport(), { fieldManager }).apply<AnyDisk>(
      { ...disk, version },
      { apiVersion: `${disk.group}/${version}`, kind: disk.kind, metadata, spec } as AnyDisk,
      { force },
    );
  await apply("v1", "old", { size: "1Gi" });
  await apply("v2", "new", { mode: "fast" });
  assert.deepEqual((await apply("v1", "old", { size: "2Gi" })).spec, { size: "2Gi" });
  assert.deepEqual((await world.client.get<AnyDisk>(disk, metadata)).spec, { mebibytes: 2048, mode: "fast" });
  await assert.rejects(apply("v2", "new", { mebibytes: 1, mode: "fast" }, false), ConflictError);
});

// FR-256
Deno.test(
  "while no webhook converts the stored version is read and written, and the other one is refused; a new process mends it",
  async () => {
    const disk = widened(newKind());
    await using world = await World.open(operatorOf(disk));
    await world.start();
    await converts(world, disk);
    const key = { namespace: world.home, name: "a" };
    await world.client.create<AnyDisk>(disk, { metadata: key, spec: { mebibytes: 1 } });
    await world.untilObject<AnyDisk>(disk, key, ({ status }) => status?.seen === 1);
    await world.kill();
    await assert.rejects(world.client.get(v1(disk), key), /conversion webhook for/);
    await world.client.patch(disk, key, { type: "merge", body: { spec: { mebibytes: 2 } } });
    await world.start();
    await converts(world, disk);
    assert.deepEqual((await world.client.get<AnyDisk>(v1(disk), key)).spec, { size: "2Mi" });
  },
);

// FR-255
Deno.test(
  "a list of hundreds of objects is converted in one request, and a watch object by object",
  async () => {
    const disk = widened(newKind());
    await using world = await World.open(operatorOf(disk));
    await world.start();
    await converts(world, disk);
    const names = Array.from({ length: 600 }, (_, index) => `d${index}`);
    await mapConcurrent(
      names,
      16,
      (name) =>
        world.client.create<AnyDisk>(disk, { metadata: { namespace: world.home, name }, spec: { mebibytes: 1024 } }),
    );
    const all = await world.client.list<AnyDisk>(v1(disk), { namespace: world.home });
    assert.equal(all.items.filter(({ spec }) => spec?.size === "1Gi").length, 600);
    const watch = world.client.watch<AnyDisk>(v1(disk), {
      namespace: world.home,
      resourceVersion: all.metadata!.resourceVersion!,
      signal: new AbortController().signal,
    });
    await world.client.create<AnyDisk>(disk, {
      metadata: { namespace: world.home, name: "z" },
      spec: { mebibytes: 5 },
    });
    for await (const { object } of watch) {
      if (object.metadata?.name !== "z") continue;
      assert.deepEqual(object.spec, { size: "5Mi" });
      break;
    }
  },
);
