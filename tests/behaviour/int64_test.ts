import assert from "node:assert/strict";
import * as z from "zod";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import type { DynamicObject, KubeObject } from "../../lib/apimachinery/mod.ts";
import { formatJson } from "../../lib/base/mod.ts";
import { World } from "../world.ts";

const LARGE = 9_007_199_254_740_993n;

const Counter = defineResource({
  group: "int64.test.pintle.dev",
  version: "v1",
  kind: "Counter",
  spec: z.object({ count: z.int64(), labels: z.looseObject({}).default({}), ratio: z.number().optional() }),
  status: z.object({ count: z.int64().optional(), seen: z.looseObject({}).optional() }),
});
/** A child whose schema declares nothing. */
const Copy = defineResource({
  group: "int64.test.pintle.dev",
  version: "v1",
  kind: "Copy",
  plural: "copies",
  spec: z.looseObject({}),
});

function counter(world: World, name: string, spec: Record<string, unknown>): KubeObject {
  return { metadata: { namespace: world.home, name }, spec } as KubeObject;
}

// FR-290
Deno.test("an int64 beyond 2^53 passes from the spec to status and children, and what is unchanged is not written again", async () => {
  const operator = new Operator("int64"), passes: bigint[] = [];
  operator.on(Counter).reconcile(async ({ spec, status, applyManifest }) => {
    passes.push(spec.count);
    await applyManifest({
      apiVersion: "int64.test.pintle.dev/v1",
      kind: "Copy",
      spec: { count: spec.count, labels: spec.labels },
    });
    status.set({ count: spec.count, seen: spec.labels });
  }, { owns: [Copy] });
  operator.on(Copy).event(() => {}); // has its definition installed
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: world.home, name: "a" }, labels = { deep: [{ n: -(2n ** 63n) }], small: 1 };
  const done = (count: bigint) => (object: KubeObject) => {
    const status = (object as DynamicObject).status as { observedGeneration?: number; count?: unknown } | undefined;
    return status?.observedGeneration === object.metadata!.generation && BigInt(status?.count as bigint ?? 0) === count;
  };
  await world.client.create(Counter, counter(world, "a", { count: LARGE, labels, ratio: 2 ** 60 }) as never);
  const first = await world.untilObject<DynamicObject>(Counter, key, done(LARGE)), text = formatJson(first.status);
  assert.match(text, /"count":9007199254740993\b/);
  assert.match(text, /"seen":\{"deep":\[\{"n":-9223372036854775808\}\],"small":1\}/);
  const copy = await world.client.get<DynamicObject>(Copy, key);
  assert.equal(
    formatJson(copy.spec),
    '{"count":9007199254740993,"labels":{"deep":[{"n":-9223372036854775808}],"small":1}}',
  );

  await world.idle();
  const before = world.writes.length;
  world.running.kinds.find(({ name }) => name.startsWith("counters"))!.reconcile(key);
  await world.idle();
  assert.equal(world.writes.length, before, "the same values are no difference");

  await world.client.patch(Counter, key, { type: "merge", body: { spec: { count: LARGE + 1n } } });
  await world.untilObject(Counter, key, done(LARGE + 1n));
  await world.client.patch(Counter, key, { type: "merge", body: { spec: { count: 5 } } });
  await world.untilObject(Counter, key, done(5n));
  assert.deepEqual([...new Set(passes)], [LARGE, LARGE + 1n, 5n], "bigints throughout, small ones included");
});

// FR-290
Deno.test("a change of an int64 by one is a change, with its old and its next value", async () => {
  const operator = new Operator("int64-changes"), seen: unknown[] = [];
  operator.on(Counter)
    .create(({ spec }) => void seen.push(spec.count))
    .update(({ diff }) => void seen.push(...diff.map(({ path, old, next }) => [path.join("."), old, next])));
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: world.home, name: "b" };
  const handled = (generation: number) => (object: KubeObject) =>
    ((object as DynamicObject).status as { observedGeneration?: number } | undefined)?.observedGeneration ===
      generation;
  await world.client.create(Counter, counter(world, "b", { count: LARGE }) as never);
  await world.untilObject(Counter, key, handled(1));
  await world.client.patch(Counter, key, { type: "merge", body: { spec: { count: LARGE + 1n } } });
  await world.untilObject(Counter, key, handled(2));
  assert.deepEqual(seen, [LARGE, ["spec.count", LARGE, LARGE + 1n]]);
});

// FR-290
Deno.test("an int64 that a schema of small integers cannot hold makes the spec unreadable, and stays as it is", async () => {
  const Small = defineResource({
    group: "int64.test.pintle.dev",
    version: "v1",
    kind: "Small",
    spec: z.object({ count: z.int() }),
  });
  const operator = new Operator("int64-small");
  operator.on(Small).reconcile(() => assert.fail("the spec cannot be read"));
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: world.home, name: "c" };
  await world.client.create(Small, counter(world, "c", { count: LARGE }) as never);
  const refused = await world.untilObject<DynamicObject>(
    Small,
    key,
    (object) => formatJson((object as unknown as DynamicObject).status ?? {}).includes("InvalidSpec"),
  );
  assert.match(formatJson(refused.status), /spec\.count: Too big/);
  assert.equal(formatJson(refused.spec), '{"count":9007199254740993}');
});
