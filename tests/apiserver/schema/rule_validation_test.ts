import assert from "node:assert/strict";
import type { Schema } from "../../../lib/apiserver/resource_type.ts";
import { ruleCauses } from "../../../lib/apiserver/schema/rule_validation.ts";

function ruled(rule: string, more: Partial<Schema> = {}): Schema {
  const spec: Schema = { type: "object", properties: { n: { type: "integer" } }, ...more };
  return { type: "object", properties: { spec: { ...spec, "x-kubernetes-validations": [{ rule, message: "no" }] } } };
}

function messages(value: unknown, schema: Schema, old?: unknown, warnings: string[] = []): string[] {
  return ruleCauses(value, schema, old, warnings).causes().map(({ field, message }) => `${field}: ${message}`);
}

// FR-612
Deno.test("a rule that fails for an unchanged value is a warning, and one for a changed value a failure", () => {
  const schema = ruled("self.n < 3"), warnings: string[] = [];
  assert.deepEqual(messages({ spec: { n: 5 }, other: 1 }, schema, { spec: { n: 5 } }, warnings), []);
  assert.deepEqual(warnings, ["spec: Invalid value: no"]);
  assert.deepEqual(messages({ spec: { n: 5 } }, schema, { spec: { n: 6 } }, warnings), ["spec: Invalid value: no"]);
  assert.equal(warnings.length, 1);
});

// FR-612
Deno.test("an unchanged list spares the items that no update can match", () => {
  const items: Schema = { type: "integer", "x-kubernetes-validations": [{ rule: "self < 3" }] };
  const schema: Schema = { type: "object", properties: { list: { type: "array", items } } }, warnings: string[] = [];
  assert.deepEqual(messages({ list: [5] }, schema, { list: [5] }, warnings), []);
  assert.equal(warnings.length, 1);
  assert.equal(messages({ list: [5, 1] }, schema, { list: [5] }, warnings).length, 1);
});

// FR-611
Deno.test("an object's rules share a budget, and none runs after it is spent", () => {
  const slow = "lists.range(400).all(a, lists.range(400).all(b, a + b >= 0))";
  const schema: Schema = { type: "object", "x-kubernetes-validations": Array(40).fill({ rule: slow }) };
  const [only, ...others] = messages({}, schema);
  assert.match(only!, /call cost exceeds limit|running out of cost budget/);
  assert.deepEqual(others, []);
});

// FR-610
Deno.test("rules see fields of any name", () => {
  const text: Schema = { type: "string" }, properties = { constructor: text, "a-b": { type: "integer" as const } };
  const schema = ruled("self.constructor == 'c' && self.a__dash__b == 1", { properties });
  assert.deepEqual(messages({ spec: { constructor: "c", "a-b": 1, hidden: 1 } }, schema), []);
  assert.match(messages({ spec: {} }, schema)[0]!, /no such key: constructor evaluating rule: no/);
});
