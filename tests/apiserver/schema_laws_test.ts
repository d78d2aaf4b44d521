import assert from "node:assert/strict";
import fc from "fast-check";
import type { DynamicObject, ManagedFieldsEntry } from "../../lib/apimachinery/mod.ts";
import { applyIsCurrent } from "../../lib/apimachinery/mod.ts";
import { jsonClone, jsonEqual } from "../../lib/base/mod.ts";
import type { Schema } from "../../lib/apiserver/resource_type.ts";
import { applyDefaults } from "../../lib/apiserver/schema/defaulting.ts";
import { builtinResourceTypes } from "../../lib/apiserver/schema/definitions.ts";
import {
  fromFieldsV1,
  intersectionOf,
  isEmptyTrie,
  pathsOf,
  toFieldsV1,
  trieEqual,
  unionOf,
} from "../../lib/apiserver/schema/field_trie.ts";
import { runWithoutConversion } from "../../lib/apiserver/conversion_steps.ts";
import { applyServerSide, trackUpdate } from "../../lib/apiserver/schema/managed_fields.ts";
import { pruneUnknown } from "../../lib/apiserver/schema/pruning.ts";
import { strategicMerge } from "../../lib/apiserver/schema/strategic_merge.ts";
import { validateObject } from "../../lib/apiserver/schema/validation.ts";
import { WIDGET_CRD } from "../conformance/cases/widget.ts";

const SCHEMA = WIDGET_CRD.spec.versions[0]!.schema.openAPIV3Schema as unknown as Schema;
const DEPLOYMENT = builtinResourceTypes().find((type) => type.kind === "Deployment")!.schema;
const word = fc.constantFrom("a", "b", "c");
const labels = fc.dictionary(word, word, { maxKeys: 3 });

/** A desired widget without empty collections: those are owned as values of their own. */
const spec = fc.record({
  size: fc.integer({ min: 1, max: 10 }),
  mode: fc.constantFrom("a", "b"),
  tags: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
  parts: fc.uniqueArray(fc.record({ name: word, count: fc.integer({ min: 0, max: 3 }) }), {
    selector: (part) => part.name,
    minLength: 1,
    maxLength: 3,
  }),
  plain: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 2 }),
  labels: fc.dictionary(word, word, { minKeys: 1, maxKeys: 2 }),
  free: fc.dictionary(word, fc.constantFrom<unknown>(1, "x", [1], { y: 1 }), { minKeys: 1 }),
}, { requiredKeys: [] });

function widget(content: Record<string, unknown>): DynamicObject {
  return { apiVersion: "shop.example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: content };
}

function apply(live: DynamicObject | undefined, applied: DynamicObject, manager: string, nowMs = 0): DynamicObject {
  const common = { schema: SCHEMA, apiVersion: "shop.example.com/v1", force: true, nowMs };
  const result = runWithoutConversion(applyServerSide({ ...common, live, applied, manager }));
  assert.ok(result.kind === "applied");
  applyDefaults(result.object, SCHEMA); // as a server does: list keys have defaults
  return result.object;
}

function entry(object: DynamicObject, manager: string): ManagedFieldsEntry | undefined {
  return object.metadata?.managedFields?.find((one) => one.manager === manager);
}

// FR-82
Deno.test("applying the same again changes nothing, not even a time, and applyIsCurrent foretells it", () => {
  fc.assert(fc.property(spec, spec, (first, second) => {
    const shared = apply(apply(undefined, widget(first), "m"), widget(second), "n");
    const again = apply(shared, widget(second), "n", 99_000);
    assert.ok(jsonEqual(again, shared));
    const own = entry(shared, "n")?.fieldsV1;
    if (own) assert.ok(applyIsCurrent(widget(second), shared, own), JSON.stringify([second, own]));
  }));
});

// FR-27
Deno.test("applyIsCurrent is never true where an apply would change something", () => {
  fc.assert(
    fc.property(spec, spec, spec, (first, second, next) => {
      const live = apply(apply(undefined, widget(first), "m"), widget(second), "n");
      if (!applyIsCurrent(widget(next), live, entry(live, "n")?.fieldsV1)) return;
      assert.ok(jsonEqual(apply(live, widget(next), "n", 99_000), live));
    }),
    { numRuns: 300 },
  );
});

Deno.test("what one manager adds to another's object and then removes is gone without a trace", () => {
  fc.assert(fc.property(spec, labels, (first, added) => {
    const before = apply(undefined, widget({ ...first, atomic: { a: "1" } }), "m");
    const both = apply(before, { ...widget({}), metadata: { name: "w", labels: { x: "1", ...added } } }, "n");
    const after = apply(both, { ...widget({}), spec: undefined }, "n");
    assert.ok(jsonEqual(after.spec, before.spec));
    assert.ok(jsonEqual(entry(after, "m"), entry(before, "m")));
    assert.equal(after.metadata?.labels, undefined);
  }));
});

Deno.test("with force, fields that two managers own have the value that both applied", () => {
  fc.assert(fc.property(spec, spec, (first, second) => {
    const object = apply(apply(undefined, widget(first), "m"), widget(second), "n");
    const left = fromFieldsV1(entry(object, "m")?.fieldsV1), right = fromFieldsV1(entry(object, "n")?.fieldsV1);
    for (const path of pathsOf(intersectionOf(left, right))) {
      const [, field] = path.map((element) => element.slice(2));
      const atom = path.length === 2 && (field === "size" || field === "mode" || field === "plain");
      if (atom) assert.ok(jsonEqual(first[field as "size"], second[field as "size"]), field);
    }
  }));
});

Deno.test("an apply never edits what it is given", () => {
  fc.assert(fc.property(spec, spec, (first, second) => {
    const live = apply(undefined, widget(first), "m"), applied = widget(second);
    const texts = [JSON.stringify(live), JSON.stringify(applied)];
    apply(live, applied, "n");
    runWithoutConversion(trackUpdate({
      before: live,
      after: applied,
      manager: "u",
      schema: SCHEMA,
      apiVersion: "shop.example.com/v1",
      nowMs: 0,
    }));
    assert.deepEqual([JSON.stringify(live), JSON.stringify(applied)], texts);
  }));
});

Deno.test("an update alone owns what it changed", () => {
  fc.assert(fc.property(spec, spec, (first, second) => {
    const before = apply(undefined, widget(first), "m");
    const after: DynamicObject = { ...widget(second), metadata: { name: "w" } };
    const entries = runWithoutConversion(trackUpdate({
      before: { ...before, metadata: { ...before.metadata, uid: "u" } },
      after,
      manager: "u",
      schema: SCHEMA,
      apiVersion: "v1",
      nowMs: 0,
    }));
    const mine = fromFieldsV1(entries.find((one) => one.manager === "u")?.fieldsV1);
    const others = fromFieldsV1(entries.find((one) => one.manager === "m")?.fieldsV1);
    assert.ok(isEmptyTrie(intersectionOf(mine, others)));
  }));
});

Deno.test("at most ten updaters are kept apart, and none of their fields is lost", () => {
  let object: DynamicObject = widget({ size: 1 });
  for (let index = 0; index < 15; index++) {
    const after: DynamicObject = {
      ...object,
      metadata: { ...object.metadata, uid: undefined, labels: { ...object.metadata?.labels, [`l${index}`]: "x" } },
    };
    const before = index === 0 ? undefined : object;
    const managedFields = runWithoutConversion(trackUpdate({
      before,
      after,
      manager: `m${index}`,
      schema: SCHEMA,
      apiVersion: "v1",
      nowMs: index * 1_000,
    }));
    object = { ...after, metadata: { ...after.metadata, managedFields } };
  }
  const entries = object.metadata!.managedFields!;
  assert.equal(entries.length, 10);
  const all = entries.map((one) => fromFieldsV1(one.fieldsV1)).reduce(unionOf);
  for (let index = 0; index < 15; index++) assert.ok(JSON.stringify(toFieldsV1(all)).includes(`f:l${index}`));
  assert.ok(entries.some((one) => one.manager === "ancient-changes"));
});

Deno.test("FieldsV1 read and written again is the same", () => {
  fc.assert(fc.property(spec, (first) => {
    const trie = fromFieldsV1(entry(apply(undefined, widget({ size: 1, ...first }), "m"), "m")!.fieldsV1);
    assert.ok(trieEqual(fromFieldsV1(toFieldsV1(trie)), trie));
  }));
});

Deno.test("pruning and defaulting change nothing the second time, and what is pruned is named once", () => {
  const anything = fc.dictionary(fc.constantFrom("spec", "status", "odd", "metadata"), fc.jsonValue({ maxDepth: 4 }));
  for (const schema of [SCHEMA, DEPLOYMENT]) {
    fc.assert(fc.property(anything, spec, (object, good) => {
      const subject = jsonClone({ ...object, spec: { ...good, odd: object.spec } }) as Record<string, unknown>;
      const unknown = pruneUnknown(subject, schema);
      assert.equal(new Set(unknown).size, unknown.length);
      assert.deepEqual(pruneUnknown(subject, schema), []);
      applyDefaults(subject, schema);
      const once = jsonClone(subject);
      applyDefaults(subject, schema);
      assert.deepEqual(subject, once);
    }));
  }
});

Deno.test("a valid object stays valid when it is compared with itself, whatever was tightened since", () => {
  const old = widget({ size: 99, word: "b", parts: [{ name: "a", zone: "z" }] });
  assert.ok(validateObject(old, SCHEMA).length > 0);
  assert.deepEqual(validateObject(old, SCHEMA, jsonClone(old)), []);
  const changed = validateObject({ ...old, spec: { ...(old.spec as object), size: 98 } }, SCHEMA, old);
  assert.deepEqual(changed.map((cause) => cause.field), ["spec.size"]);
});

Deno.test("a strategic merge patch of plain fields does what a merge patch does, twice as well as once", () => {
  fc.assert(fc.property(labels, labels, (have, patch) => {
    const live: DynamicObject = { metadata: { name: "d", labels: have } };
    const body = { metadata: { labels: { ...patch, gone: null } } };
    const once = strategicMerge(live, body, DEPLOYMENT);
    assert.deepEqual(once.metadata?.labels, { ...have, ...patch });
    assert.deepEqual(strategicMerge(once, body, DEPLOYMENT), once);
  }));
});
