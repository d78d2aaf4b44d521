// FR-298
import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { listCauses } from "../../lib/apiserver/schema/list_validation.ts";
import { ruleCauses } from "../../lib/apiserver/schema/rule_validation.ts";
import { strategicMerge } from "../../lib/apiserver/schema/strategic_merge.ts";
import { mergeTyped } from "../../lib/apiserver/schema/typed_merge.ts";
import { compareTyped, rootType } from "../../lib/apiserver/schema/typed_value.ts";
import { validateObject } from "../../lib/apiserver/schema/validation.ts";
import type { Schema } from "../../lib/apiserver/resource_type.ts";
import { growthOfReads } from "../counted_reads.ts";

/** Linear work reads eight times as much of a list of eight times the size; quadratic work sixty-four times. */
const LINEAR_MAX = 12;

const ENTRY: Schema = {
  type: "object",
  properties: { name: { type: "string" }, value: { type: "string" } },
  "x-kubernetes-validations": [{ rule: "self.value == oldSelf.value" }],
};
const SCHEMA: Schema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        items: {
          type: "array",
          items: ENTRY,
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          "x-kubernetes-patch-strategy": "merge",
          "x-kubernetes-patch-merge-key": "name",
        },
        members: {
          type: "array",
          items: { type: "string" },
          "x-kubernetes-list-type": "set",
          "x-kubernetes-patch-strategy": "merge",
        },
      },
    },
  },
};

function objectOf(size: number, prefix = ""): DynamicObject {
  const names = Array.from({ length: size }, (_, index) => `entry-${index}`);
  return {
    metadata: { name: "a" },
    spec: {
      items: names.map((name, index) => ({ name, value: `${index}` })),
      members: names.map((name) => prefix + name),
    },
  };
}

const WORK: Record<string, (value: DynamicObject, size: number) => void> = {
  "validation against the former object": (value, size) => void validateObject(objectOf(size, "x"), SCHEMA, value),
  "validation of a changed object": (value, size) => void validateObject(value, SCHEMA, objectOf(size, "x")),
  "transition rules": (value, size) => void ruleCauses(value, SCHEMA, objectOf(size, "x")).causes(),
  "the search for repeated entries": (value) => void listCauses(value, SCHEMA, undefined),
  "server-side apply": (value, size) => void mergeTyped(objectOf(size), value, rootType(SCHEMA)),
  "server-side apply over the former object": (value, size) => void mergeTyped(value, objectOf(size), rootType(SCHEMA)),
  "the comparison of fields": (value, size) => void compareTyped(value, objectOf(size, "x"), rootType(SCHEMA)),
  "a strategic merge": (value, size) => void strategicMerge(objectOf(size), value as never, SCHEMA),
  "a strategic merge over the former object": (value, size) =>
    void strategicMerge(value, objectOf(size) as never, SCHEMA),
};

for (const [what, work] of Object.entries(WORK)) {
  Deno.test(`the work of ${what} grows with the entries of a list, not with their square`, () => {
    const growth = growthOfReads((size) => objectOf(size), work);
    assert.ok(growth < LINEAR_MAX, `${growth}`);
  });
}
