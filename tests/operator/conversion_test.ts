import assert from "node:assert/strict";
import * as z from "zod";
import { ApiError, type ApiResource, defineResource, Operator, PermanentError } from "../../lib/operator/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
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

let operators = 0;
function operatorOf(disk: ReturnType<typeof widened>): Operator {
  const operator = new Operator(`conversion-${operators++}`);
  operator.on(disk).reconcile(({ spec, status }) => status.set({ seen: spec.mebibytes }));
  return operator;
}

const v1 = (disk: ApiResource): ApiResource => ({ ...disk, version: "v1" });

/** API servers obey a CRD a moment after it was changed. */
function converts(world: World, disk: ApiResource): Promise<void> {
  const probe = { metadata: { namespace: world.home, name: "probe" }, spec: { size: "1Mi" } };
  return world.until(
    [disk],
    () =>
      world.client.create(v1(disk), probe as never, { dryRun: true }).then(() => true, (error) => {
        if (error instanceof ApiError) return false;
        throw error;
      }),
  );
}

Deno.test("clients of both versions write and read one object, and handlers see the hub's", async () => {
  const disk = widened(newKind());
  await using world = await World.open(operatorOf(disk));
  await world.start();
  await converts(world, disk);
  const key = { namespace: world.home, name: "a" };
  const made = await world.client.create(v1(disk), { metadata: key, spec: { size: "1024Mi", note: "mine" } } as never);
  assert.deepEqual(made.spec, { size: "1024Mi", note: "mine" });
  await world.untilObject<{ status?: { seen?: number } }>(disk, key, ({ status }) => status?.seen === 1024);
  const hub = await world.client.get(disk, key);
  assert.deepEqual([hub.spec, hub.metadata!.uid], [{ mebibytes: 1024, mode: "slow" }, made.metadata!.uid]);

  await world.client.patch(disk, key, { spec: { mode: "fast" } }, { type: "merge" });
  const read = await world.client.get(v1(disk), key);
  assert.deepEqual(read.spec, { size: "1024Mi", note: "mine" });
  await world.client.replace(v1(disk), { ...read, spec: { size: "2Gi", note: "mine" } } as never);
  const after = await world.client.get(disk, key);
  assert.deepEqual(after.spec, { mebibytes: 2048, mode: "fast" }, "the old client has not lost the new field");
  await world.untilObject<{ status?: { seen?: number } }>(v1(disk), key, ({ status }) => status?.seen === 2048);
});
