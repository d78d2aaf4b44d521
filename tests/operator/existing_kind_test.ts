import assert from "node:assert/strict";
import * as z from "zod";
import type { DynamicObject, KubeObject, ObjectOf } from "../../lib/apimachinery/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { existingKind, Operator } from "../../lib/operator/mod.ts";
import { crdOf } from "../crd.ts";
import { World } from "../world.ts";

const TEXT = { type: "string" }, INTEGER = { type: "integer", format: "int64" };
const CONDITION = {
  type: "object",
  properties: { type: TEXT, status: TEXT, reason: TEXT, message: TEXT, lastTransitionTime: TEXT },
};
const LIST = { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] };
const CONDITIONS = { ...LIST, items: { ...CONDITION, required: ["type"] } };

/** A CRD as another program brings it along, with these fields of the status. */
function foreignCrd(plural: string, status: object): DynamicObject {
  const kind = plural[0]!.toUpperCase() + plural.slice(1, -1), group = "existing.test.pintle.dev";
  const spec = { type: "object", properties: { size: INTEGER, other: TEXT } };
  const openAPIV3Schema = { type: "object", properties: { spec, status: { type: "object", properties: status } } };
  return crdOf({ group, kind, plural }, { subresources: { status: {} }, schema: { openAPIV3Schema } });
}

/** Creates the CRD, and waits until the server serves and publishes it. */
async function install(world: World, crd: DynamicObject): Promise<void> {
  await world.client.apply(CRDS, crd, { force: true });
  await world.untilObject<DynamicObject>(
    CRDS,
    { name: crd.metadata!.name! },
    ({ status }) =>
      ((status as { conditions?: { type: string; status: string }[] })?.conditions ?? [])
        .some(({ type, status }) => type === "Established" && status === "True"),
  );
  const { kind } = (crd.spec as { names: { kind: string } }).names;
  const isPublished = async () => {
    try {
      return JSON.stringify(await world.client.raw("/openapi/v3/apis/existing.test.pintle.dev/v1")).includes(
        `"${kind}"`,
      );
    } catch {
      return false;
    }
  };
  while (!await isPublished());
}

// FR-388
Deno.test("the status of a kind that another CRD defines is written, without fields that it lacks, and with one warning", async () => {
  const Lake = existingKind({
    group: "existing.test.pintle.dev",
    version: "v1",
    kind: "Lake",
    schema: z.object({ size: z.int() }),
    status: z.object({ phase: z.string().optional() }),
  });
  const operator = new Operator("lakes");
  operator.on(Lake).reconcile(({ spec, status }) => status.set({ phase: `size ${spec.size}` }));
  await using world = await World.open(operator);
  await install(world, foreignCrd("lakes", { phase: TEXT, conditions: CONDITIONS }));
  await world.start();
  const key = { namespace: world.home, name: "a" };
  for (const name of ["a", "b"]) {
    await world.client.create<KubeObject>(
      Lake,
      { metadata: { ...key, name }, spec: { size: 3, other: "kept" } } as KubeObject,
    );
  }
  const made = await world.untilObject<ObjectOf<typeof Lake>>(Lake, key, ({ status }) => status?.phase === "size 3");
  const [ready, ...others] = made.status!.conditions!;
  assert.deepEqual([ready!.type, ready!.status, ready!.observedGeneration, others], ["Ready", "True", undefined, []]);
  assert.equal(made.status!.observedGeneration, undefined);
  await world.idle();
  const warnings = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(warnings.map(({ fields }) => fields.missing), [
    "status.observedGeneration, status.conditions[].observedGeneration",
  ]);
  const writes = world.writes.length;
  await world.client.patch(Lake, key, { type: "merge", body: { metadata: { labels: { seen: "1" } } } });
  await world.untilObject(Lake, key, ({ metadata }) => metadata?.labels?.seen === "1");
  await world.idle();
  assert.equal(world.writes.length, writes, "another reconcile writes nothing");
  await world.stop();
  await world.start();
  await world.idle();
  assert.deepEqual(world.writes, [], "nor does another process");
});

// FR-388
Deno.test("conditions can be anywhere in the status of a kind that another CRD defines, or nowhere", async () => {
  const kinds = { group: "existing.test.pintle.dev", version: "v1", schema: z.object({ size: z.int() }) };
  const River = existingKind({ ...kinds, kind: "River", conditions: "details.conditions" });
  const Pond = existingKind({ ...kinds, kind: "Pond", status: z.object({ phase: z.string().optional() }) });
  const operator = new Operator("rivers");
  operator.on(River).reconcile(() => {
    throw new Error("too wide");
  });
  operator.on(Pond).reconcile(({ status }) => {
    status.set({ phase: "still" });
    status.condition({ type: "Clean", status: true, reason: "Clean", message: "" });
  });
  await using world = await World.open(operator);
  const details = { type: "object", properties: { conditions: CONDITIONS } };
  await install(world, foreignCrd("rivers", { details, observedGeneration: INTEGER }));
  await install(world, foreignCrd("ponds", { phase: TEXT }));
  await world.start();
  const key = { namespace: world.home, name: "a" };
  for (const kind of [River, Pond]) {
    await world.client.create<KubeObject>(kind, { metadata: key, spec: { size: 3 } } as KubeObject);
  }
  const river = await world.untilObject<DynamicObject>(River, key, ({ status }) => status !== undefined);
  const { conditions } =
    (river.status as { details: { conditions: { type: string; status: string; message: string }[] } })
      .details;
  assert.deepEqual(conditions.map(({ type, status, message }) => [type, status, message]), [[
    "Ready",
    "False",
    "too wide",
  ]]);
  const pond = await world.untilObject<DynamicObject>(Pond, key, ({ status }) => status !== undefined);
  assert.deepEqual(pond.status, { phase: "still" });
});
