import assert from "node:assert/strict";
import * as z from "zod";
import { isValidFor } from "../../lib/explore/spec_search.ts";
import { otherSpecs, type SpecSchema, unknownFields } from "../../lib/explore/spec_values.ts";
import { defineResource } from "../../lib/operator/mod.ts";

interface Crd {
  readonly spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: SpecSchema } } } }[] };
}

/** Other specs of a resource with this schema, those that it takes before the others. */
function others(schema: z.ZodType, spec: Record<string, unknown>) {
  const kind = defineResource({ group: "a.example.com", version: "v1", kind: "Thing", spec: schema as never });
  const isValid = (found: Readonly<Record<string, unknown>>) => isValidFor(kind, {}, found);
  const crd = kind.crd() as unknown as Crd, node = crd.spec.versions[0]!.schema.openAPIV3Schema.properties.spec;
  const found = otherSpecs(node, spec, isValid);
  return { valid: found.filter(isValid), invalid: found.filter((each) => !isValid(each)), found };
}

const field = (schema: z.ZodType, value: unknown) => {
  const { valid, invalid } = others(z.object({ it: schema }), value === undefined ? {} : { it: value });
  const its = (specs: readonly Readonly<Record<string, unknown>>[]) => specs.map(({ it }) => it);
  return { valid: its(valid), invalid: its(invalid) };
};

// FR-551
Deno.test("a number gets its bounds and its neighbours, and values beyond the bounds come last", () => {
  assert.deepEqual(field(z.int().min(0).max(5), 2), { valid: [0, 3, 1, 5], invalid: [undefined, -1, 6] });
  assert.deepEqual(field(z.number().gt(0).lt(2), 1).valid, [0.5, 1.5]);
  assert.deepEqual(
    field(z.int().multipleOf(10), 20).valid.toSorted(),
    [-1, 0, 10, 30].filter((each) => each % 10 === 0),
  );
});

// FR-536
Deno.test("fields that a schema lacks are named by their paths, in lists and records, too", () => {
  const text = { type: "string" };
  const schema = {
    properties: {
      size: { type: "integer" },
      ports: { items: { properties: { name: text } } },
      labels: { additionalProperties: text },
      hosts: { additionalProperties: { properties: { name: text } } },
      any: { "x-kubernetes-preserve-unknown-fields": true, properties: {} },
    },
  };
  const patch = {
    siez: null,
    ports: [{ name: "a" }, { nam: "b" }],
    labels: { a: "b" },
    hosts: { a: { port: 1 } },
    any: { x: {} },
  };
  assert.deepEqual(unknownFields(schema, patch), ["spec.siez", "spec.ports[1].nam", "spec.hosts.a.port"]);
});

// FR-551
Deno.test("a number stays near the present one, however large its bound is", () => {
  const { valid } = field(z.int().min(1).max(1_000_000), 3);
  assert.deepEqual(valid, [1, 4, 2]);
});

// FR-551
Deno.test("an optional field is left out, and an absent one is added", () => {
  assert.deepEqual(field(z.boolean().optional(), true).valid, [undefined, false]);
  assert.deepEqual(field(z.boolean().optional(), undefined).valid, [true, false]);
  assert.deepEqual(field(z.int().min(1).default(2), 2).valid, [1, 3], "the server sets the default again");
});

// FR-551
Deno.test("a choice becomes each other one, and a choice that is none comes last", () => {
  assert.deepEqual(field(z.enum(["a", "b", "c"]), "b"), { valid: ["a", "c"], invalid: [undefined, "no-such-choice"] });
});

// FR-551
Deno.test("a text counts up and down where it holds a number, and fits its pattern", () => {
  assert.deepEqual(field(z.string(), "nginx:1.9").valid.slice(0, 2), ["nginx:1.10", "nginx:1.9-2"]);
  assert.deepEqual(field(z.string().regex(/^[0-9]+Gi$/), "2Gi").valid, ["3Gi", "1Gi"]);
  assert.deepEqual(field(z.string().regex(/^[0-9]+Gi$/).optional(), undefined).valid, ["2Gi"]);
  assert.ok(!field(z.string().min(1), "a").valid.includes(""));
});

// FR-551
Deno.test("a list is emptied, and gets fewer and more items, within its bounds", () => {
  assert.deepEqual(field(z.array(z.int()).max(2), [7, 8]).valid.slice(0, 2), [[], [7]]);
  assert.ok(field(z.array(z.int()), [7]).valid.some((list) => (list as number[]).length === 2));
  assert.ok(!field(z.array(z.int()).min(1), [7]).valid.some((list) => (list as number[])?.length === 0));
  const named = field(z.array(z.object({ name: z.string(), port: z.int() })), [{ name: "a1", port: 80 }]).valid;
  assert.ok(named.some((list) => Array.isArray(list) && list.length === 2 && list[0].name !== list[1].name));
});

// FR-551
Deno.test("a record is emptied, and gets a key less, a key more and another value", () => {
  const found = field(z.record(z.string(), z.string()), { a: "x" }).valid.map((each) => JSON.stringify(each));
  for (const wanted of ["{}", '{"a":"x","other":"a"}', '{"a":"x-2"}']) assert.ok(found.includes(wanted), wanted);
});

// FR-551
Deno.test("an object is emptied, and gets each part of it alone", () => {
  const schema = z.object({ name: z.string().optional(), key: z.string().optional() });
  const found = field(schema.optional(), { name: "n", key: "k" }).valid.map((each) => JSON.stringify(each));
  for (const wanted of ["{}", '{"name":"n"}', '{"key":"k"}', undefined]) {
    assert.ok(found.includes(wanted!), `${wanted}`);
  }
});

// FR-551
Deno.test("another case of a union comes with the fields that it needs, and without those that it forbids", () => {
  const store = z.discriminatedUnion("type", [
    z.object({ type: z.literal("disk"), gibibytes: z.int().min(1) }),
    z.object({ type: z.literal("bucket"), url: z.url(), region: z.string() }),
  ]);
  const { valid } = others(z.object({ store }), { store: { type: "disk", gibibytes: 1 } });
  const buckets = valid.map(({ store }) => store as Record<string, unknown>).filter(({ type }) => type === "bucket");
  assert.ok(buckets.length > 0);
  for (const bucket of buckets) assert.deepEqual(Object.keys(bucket).toSorted(), ["region", "type", "url"]);
});

// FR-551
Deno.test("every field comes once before any comes twice, no spec comes twice, and none is the present one", () => {
  const spec = { size: 2, mode: "a", isOn: true };
  const { valid } = others(z.object({ size: z.int(), mode: z.enum(["a", "b", "c"]), isOn: z.boolean() }), spec);
  assert.deepEqual(valid.slice(0, 3), [{ ...spec, size: 0 }, { ...spec, mode: "b" }, { ...spec, isOn: false }]);
  assert.equal(new Set(valid.map((each) => JSON.stringify(each))).size, valid.length);
  assert.ok(!valid.some((each) => JSON.stringify(each) === JSON.stringify(spec)));
});
