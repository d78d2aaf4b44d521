import assert from "node:assert/strict";
import type { DynamicObject } from "../../../lib/apimachinery/mod.ts";
import { compareVersions, resourceTypesOf } from "../../../lib/apiserver/schema/crd.ts";
import { newCrdCauses } from "../../../lib/apiserver/schema/crd_rules.ts";
import { validateObject } from "../../../lib/apiserver/schema/validation.ts";
import { WIDGET_CRD } from "../../conformance/cases/widget.ts";

type Edit = (
  crd: { metadata: Record<string, unknown>; spec: Record<string, unknown> },
  version: Record<string, unknown>,
) => void;

function edited(edit: Edit): DynamicObject {
  const crd = structuredClone(WIDGET_CRD) as unknown as Parameters<Edit>[0];
  edit(crd, (crd.spec.versions as Record<string, unknown>[])[0]!);
  return crd as unknown as DynamicObject;
}

function withField(schema: unknown): DynamicObject {
  return edited((_crd, version) => {
    version.schema = {
      openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { f: schema } } } },
    };
  });
}

Deno.test("a CRD that a real server accepts gives one type per served version", () => {
  const { types, causes } = resourceTypesOf(WIDGET_CRD);
  assert.deepEqual(causes, []);
  assert.equal(types.length, 1);
  const [type] = types;
  assert.deepEqual(type!.subresources, ["status"]);
  assert.deepEqual(type!.columns.map((column) => column.name), ["Age"]);
  assert.deepEqual(type!.shortNames, ["wd"]);
  const unserved = edited((_crd, version) => version.served = false);
  assert.deepEqual(resourceTypesOf(unserved).types, []);
});

Deno.test("each mistake in a CRD is named at its field", () => {
  const cases: [string, DynamicObject, string][] = [
    ["no group", edited((crd) => crd.spec.group = ""), "spec.group"],
    ["bad scope", edited((crd) => crd.spec.scope = "Galaxy"), "spec.scope"],
    ["no storage", edited((_crd, version) => version.storage = false), "spec.versions"],
    ["no schema", edited((_crd, version) => delete version.schema), "spec.versions[0].schema.openAPIV3Schema"],
    ["bad version", edited((_crd, version) => version.name = "V 1"), "spec.versions[0].name"],
    [
      "webhook conversion",
      edited((crd) => crd.spec.conversion = { strategy: "Webhook" }),
      "spec.conversion.webhookClientConfig",
    ],
    [
      "bad column",
      edited((_crd, version) => version.additionalPrinterColumns = [{ name: "A", type: "string", jsonPath: "x" }]),
      "spec.additionalPrinterColumns[0].JSONPath",
    ],
    [
      "bad scale",
      edited((_crd, version) =>
        version.subresources = { scale: { specReplicasPath: ".status.x", statusReplicasPath: ".status.y" } }
      ),
      "spec.subresources.scale.specReplicasPath",
    ],
  ];
  for (const [name, crd, field] of cases) {
    assert.ok(resourceTypesOf(crd).causes.some((cause) => cause.field === field), name);
  }
  const renamed = newCrdCauses(edited((crd) => crd.metadata.name = "x"));
  assert.deepEqual(renamed.map(({ field }) => field), ["metadata.name"]);
});

Deno.test("a schema that is not structural is refused", () => {
  const root = "spec.validation.openAPIV3Schema.properties[spec].properties[f]";
  const cases: [unknown, string][] = [
    [{}, `${root}.type`],
    [{ type: "array" }, `${root}.items`],
    [
      { type: "object", properties: { a: { type: "string" } }, additionalProperties: { type: "string" } },
      `${root}.additionalProperties`,
    ],
    [{ type: "array", uniqueItems: true, items: { type: "string" } }, `${root}.uniqueItems`],
    [{ type: "string", anyOf: [{ type: "string" }] }, `${root}.anyOf[0].type`],
    [{ type: "object", allOf: [{ properties: { b: { default: 1 } } }] }, `${root}.allOf[0].properties[b].default`],
    [
      { type: "array", "x-kubernetes-list-type": "map", items: { type: "object" } },
      `${root}.x-kubernetes-list-map-keys`,
    ],
    [{ $ref: "#/x", type: "object" }, `${root}.$ref`],
    [{ type: "string", pattern: "(" }, `${root}.pattern`],
  ];
  for (const [schema, field] of cases) {
    assert.ok(resourceTypesOf(withField(schema)).causes.some((cause) => cause.field === field), field);
  }
});

// FR-87
Deno.test("a rule that does not compile makes the server refuse the CRD with the reason", () => {
  const rules = {
    "self.nothing() == ''": "undeclared reference to 'nothing'",
    "self ==": "mismatched input '<EOF>'",
    "'text'": "cel expression must evaluate to a bool",
    "other == 1": "undeclared reference to 'other'",
    "self.matches('(?=a)')": "invalid matches argument",
    "self.contains(self + self)": "estimated rule cost exceeds budget",
  };
  for (const [rule, why] of Object.entries(rules)) {
    const { causes } = resourceTypesOf(withField({ type: "string", "x-kubernetes-validations": [{ rule }] }));
    assert.ok(causes.some((cause) => cause.message?.includes(why)), `${rule}: ${JSON.stringify(causes)}`);
  }
  const items = { type: "string", "x-kubernetes-validations": [{ rule: "self == oldSelf" }] };
  const { causes } = resourceTypesOf(withField({ type: "array", items }));
  assert.ok(causes.some((cause) => cause.message?.includes("uncorrelatable")));
});

// FR-87
Deno.test("rules see integers, times and escaped names, and a missing key fails the rule", () => {
  const judge = (schema: Record<string, unknown>, value: unknown) => {
    const { types, causes } = resourceTypesOf(withField(schema));
    assert.deepEqual(causes, []);
    return validateObject({ metadata: {}, spec: { f: value } }, types[0]!.schema);
  };
  const rules = (...texts: string[]) => texts.map((rule) => ({ rule }));
  const object = (properties: Record<string, unknown>, ...texts: string[]) => ({
    type: "object",
    properties,
    "x-kubernetes-validations": rules(...texts),
  });
  const integer = { type: "integer" }, text = { type: "string" };
  assert.deepEqual(judge(object({ a: integer }, "self.a / 2 == 1"), { a: 3 }), []);
  assert.deepEqual(
    judge(object({ namespace: text, "a-b": text }, "self.__namespace__ == self.a__dash__b"), {
      namespace: "x",
      "a-b": "x",
    }),
    [],
  );
  assert.deepEqual(
    judge(object({ t: { type: "string", format: "date-time" } }, "self.t < timestamp('2030-01-01T00:00:00Z')"), {
      t: "2024-01-01T00:00:00Z",
    }),
    [],
  );
  assert.deepEqual(
    judge(object({ d: { type: "string", format: "duration" } }, "self.d > duration('1m')"), { d: "1h" }),
    [],
  );
  assert.deepEqual(
    judge(object({ l: { type: "array", items: integer } }, "self.l.indexOf(2) == 1", "self.l.isSorted()"), {
      l: [1, 2],
    }),
    [],
  );
  assert.equal(judge(object({ a: integer, b: integer }, "self.b > 0"), { a: 1 }).length, 1);
});

Deno.test("versions are ordered as discovery orders them", () => {
  const order = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
  assert.deepEqual(order.toReversed().sort(compareVersions), order);
});
