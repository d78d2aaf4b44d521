import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import * as z from "zod";
import { defineResource } from "../../lib/operator/mod.ts";
import { lostFields, packFields, restoreFields, unpackFields } from "../../lib/admission/preserved_fields.ts";

const json = (depth: number): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: depth },
      fc.integer({ min: -50, max: 50 }),
      fc.constantFrom("", "a", "10Gi"),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("a", "b", "c", "toString"), tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
const spec = fc.dictionary(fc.constantFrom("a", "b", "c", "constructor"), json(3), {
  maxKeys: 4,
  noNullPrototype: true,
}) as fc.Arbitrary<
  Record<string, unknown>
>;

/** Ways to lose something: of each only its purity matters. */
const LOSSES: readonly ((value: Record<string, unknown>) => Record<string, unknown>)[] = [
  (value) => value,
  () => ({}),
  ({ a: _, ...rest }) => rest,
  ({ a, ...rest }) => ({ ...rest, renamed: a }),
  ({ renamed, ...rest }) => ({ ...rest, a: renamed }),
  (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => typeof each !== "object")),
  (value) => Object.fromEntries(Object.entries(value).map(([key, each]) => [key, typeof each === "number" ? 0 : each])),
  (value) => ({ ...value, b: { made: true } }),
];
const loss = fc.constantFrom(...LOSSES);

// FR-254
Deno.test("a round trip restores everything that functions lose, in nested objects too, both ways", () => {
  const any = z.record(z.string(), z.unknown());
  fc.assert(
    fc.property(spec, loss, loss, fc.boolean(), (value, up, down, fromHub) => {
      const kind = defineResource({ group: "law.example.com", version: "v2", kind: "Law", spec: any }).withVersion({
        version: "v1",
        spec: any,
        toHub: ({ spec }) => ({ spec: up(spec) }),
        fromHub: ({ spec }) => ({ spec: down(spec) }),
      });
      const conversion = kind.conversion()!, [from, to] = fromHub ? ["v2", "v1"] : ["v1", "v2"];
      const object: DynamicObject = {
        apiVersion: `law.example.com/${from}`,
        kind: "Law",
        metadata: { name: "a" },
        spec: value,
      };
      const there = conversion.convert(object, to!), back = conversion.convert(there.object, from!);
      assert.deepEqual(back, { object, problems: [] });
      assert.deepEqual(conversion.convert(back.object, to!), there, "and there again is the same");
    }),
    { numRuns: 500 },
  );
});

Deno.test("fields are restored where nothing has changed, and left alone where something has", () => {
  fc.assert(
    fc.property(spec, spec, spec, (original, returned, changed) => {
      const parts = (spec: unknown) => ({ spec }),
        text = packFields(lostFields(parts(original), parts(returned), (each) => each));
      const fields = unpackFields(text);
      assert.deepEqual(restoreFields(parts(returned), fields), parts(original));
      const restored = restoreFields(parts(changed), fields).spec as Record<string, unknown>;
      for (const key of Object.keys(changed)) {
        const isTouched = fields.some(({ path }) => path[1] === key);
        if (!isTouched) assert.deepEqual(restored[key], changed[key]);
      }
    }),
    { numRuns: 500 },
  );
});
