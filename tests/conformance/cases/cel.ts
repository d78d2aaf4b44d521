import { type Area, create, define, patch, type Script, type Step } from "../script.ts";
import { DATA, DATA_SCHEMA, EVALUATED } from "./cel_expressions.ts";
import { mutationScripts, mutationSetup } from "./cel_mutations.ts";
import { policyScripts, policySetup } from "./cel_policies.ts";
import { REFUSED } from "./cel_refused.ts";

const GROUP = "cel.conformance.example.com";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/** So many rules share a CRD, each for a field of its own. */
const RULES_MAX = 100;

type Schema = Record<string, unknown>;

function crdOf(singular: string, spec: Schema, group = GROUP): object {
  const kind = singular[0]!.toUpperCase() + singular.slice(1), plural = `${singular}s`;
  const openAPIV3Schema = { type: "object", properties: { spec } };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural, singular, kind, listKind: `${kind}List` },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

function ruled(...rules: unknown[]): Schema {
  return { ...DATA_SCHEMA, "x-kubernetes-validations": rules };
}

const batches = Array.from({ length: Math.ceil(EVALUATED.length / RULES_MAX) }, (_, index) => ({
  singular: `batch${"abcdefgh"[index]}`,
  rules: EVALUATED.slice(index * RULES_MAX, (index + 1) * RULES_MAX),
}));

const setup: Step[] = batches.flatMap(({ singular, rules }) =>
  define(crdOf(singular, {
    type: "object",
    properties: Object.fromEntries(rules.map((rule, index) => [`c${index}`, ruled({ rule })])),
  }))
);

const evaluated: Script[] = batches.flatMap(({ singular, rules }) =>
  rules.map((rule, index): Script => ({
    name: `evaluates ${rule}`,
    steps: [
      create(`${GROUP}/v1/${singular}s?dryRun=All`, {
        apiVersion: `${GROUP}/v1`,
        kind: singular[0]!.toUpperCase() + singular.slice(1),
        metadata: { name: "a" },
        spec: { [`c${index}`]: DATA },
      }),
    ],
  }))
);

/** A CRD that is refused. */
function schemaCase(name: string, spec: Schema): Script {
  return { name, steps: [create(`${CRDS}?dryRun=All`, crdOf("thing", spec, "$ns.example.com"))] };
}

/** CRDs that are taken; their status is the business of a controller. */
const TAKEN = new Set([
  "compiles self.namespace == 'ns'",
  "compiles self.s.matches('(?P<x>a)(?P<x>b)')",
  "compiles self.s.matches('a{,2}')",
  "a rule with paths that lead somewhere",
  "a rule with optionalOldSelf",
  "costs of a bounded loop within a loop",
  "costs of a regular expression on a long text",
  "costs of integers in a list",
  "costs of map entries",
  "costs of times",
  "costs of enumerated texts",
  "costs of int or string",
  "costs within bounded lists and maps",
]);

function codeOfTaken(script: Script): Script {
  if (!TAKEN.has(script.name)) return script;
  return { ...script, steps: script.steps.map((step) => ({ ...step, codeOnly: true })) };
}

const refused = REFUSED.map((rule) => schemaCase(`compiles ${rule}`, ruled({ rule, message: "m" })));

function rules(name: string, ...given: unknown[]): Script {
  return schemaCase(`a rule with ${name}`, ruled(...given));
}

const declared: Script[] = [
  rules("no text", { rule: "" }),
  rules("an empty message", { rule: "true", message: "  " }),
  rules("a message of two lines", { rule: "true", message: "a\nb" }),
  rules("two lines and no message", { rule: "true\n&& true" }),
  rules("an empty message expression", { rule: "true", messageExpression: " " }),
  rules("an unknown reason", { rule: "true", reason: "Because" }),
  rules("a path to nowhere", { rule: "true", fieldPath: ".nothing" }),
  rules("an empty path", { rule: "true", fieldPath: " " }),
  rules("a path without a dot", { rule: "true", fieldPath: "s" }),
  rules("a path into a list", { rule: "true", fieldPath: ".list[0]" }),
  rules("paths that lead somewhere", { rule: "true", fieldPath: ".deep.x" }, {
    rule: "true",
    fieldPath: ".labels['a.b']",
  }),
  rules("a message expression of unknown length", { rule: "true", messageExpression: "'i is ' + string(self.i)" }),
  rules("a message expression of another type", { rule: "true", messageExpression: "self.i" }),
  rules("a message expression that does not compile", { rule: "true", messageExpression: "self.nothing" }),
  rules("a message expression that costs too much", {
    rule: "true",
    messageExpression: "self.names.map(a, self.names.map(b, self.names.map(c, self.names.map(d, self.names.map(e, " +
      "self.names.map(f, self.names.map(g, self.names.map(h, self.names.map(i, self.names.map(j, 'x'))))))))))" +
      ".size() > 0 ? 'a' : 'b'",
  }),
  rules("optionalOldSelf but no oldSelf", { rule: "true", optionalOldSelf: true }),
  rules("optionalOldSelf of a plain oldSelf", { rule: "self.i == oldSelf.i", optionalOldSelf: true }),
  rules("optionalOldSelf", { rule: "oldSelf.hasValue() || self.i == 5", optionalOldSelf: true }),
  schemaCase("oldSelf within a plain list", {
    type: "object",
    properties: {
      l: {
        type: "array",
        maxItems: 2,
        items: { type: "string", maxLength: 5, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
      },
    },
  }),
  schemaCase("rules on every level", {
    type: "object",
    "x-kubernetes-validations": [{ rule: "self.a.b.c > 1" }],
    properties: {
      a: {
        type: "object",
        "x-kubernetes-validations": [{ rule: "self.b.d > 1" }],
        properties: { b: { type: "object", properties: { c: { type: "integer" } } } },
      },
    },
  }),
];

const text = { type: "string" }, texts = { type: "array", items: text };
const short = { type: "string", maxLength: 10 };

function cost(name: string, spec: Schema, ...given: string[]): Script {
  return schemaCase(`costs of ${name}`, {
    type: "object",
    ...spec,
    "x-kubernetes-validations": given.map((rule) => ({ rule })),
  });
}

const costs: Script[] = [
  cost("a loop over an unbounded list", { properties: { l: texts } }, "self.l.all(x, x.contains('a'))"),
  cost("a loop within a loop", { properties: { l: texts } }, "self.l.all(x, self.l.all(y, x == y))"),
  cost(
    "a bounded loop within a loop",
    { properties: { l: { ...texts, maxItems: 100, items: short } } },
    "self.l.all(x, self.l.all(y, x == y))",
  ),
  cost(
    "a loop just over the budget",
    { properties: { l: { ...texts, maxItems: 1300, items: short } } },
    "self.l.all(x, self.l.all(y, x == y))",
  ),
  cost(
    "a loop some times over the budget",
    { properties: { l: { ...texts, maxItems: 4000, items: short } } },
    "self.l.all(x, self.l.all(y, x == y))",
  ),
  cost("a regular expression on a long text", { properties: { s: text } }, "self.s.matches('^[a-z0-9]+(a|b|c)+$')"),
  cost("containment of a long text", { properties: { s: text } }, "self.s.contains(self.s)"),
  cost(
    "integers in a list",
    { properties: { l: { type: "array", items: { type: "integer" } } } },
    "self.l.all(x, x > 0)",
  ),
  cost(
    "map entries",
    {
      properties: { m: { type: "object", additionalProperties: text } },
    },
    "self.m.all(k, self.m[k].size() < 5)",
    "self.m.all(k, v, k == v)",
  ),
  cost("sorting", { properties: { l: { type: "array", items: { type: "integer" } } } }, "self.l.sort() == self.l"),
  cost("sets", { properties: { l: texts } }, "sets.equivalent(self.l, self.l)"),
  cost("splitting and joining", { properties: { s: text } }, "self.s.split(',').join(';').size() > 0"),
  cost("replacing", { properties: { s: text } }, "self.s.replace('a', self.s).contains('b')"),
  cost("a format", { properties: { s: text } }, "!format.dns1123Label().validate(self.s).hasValue()"),
  cost("times", { properties: { t: { type: "string", format: "date-time" } } }, "self.t.getHours() > 1"),
  cost("enumerated texts", {
    properties: { s: { type: "string", enum: ["a", "bb"] } },
  }, "self.s.matches('^(a|b)*$') && self.s.contains(self.s)"),
  cost("int or string", { properties: { p: { "x-kubernetes-int-or-string": true } } }, "self.p.matches('^[0-9]+%$')"),
  cost("an authorizer", { properties: { s: text } }, "self.s.findAll('a').map(x, x + x).exists(x, x == 'aa')"),
  cost(
    "many rules that are dear together",
    { properties: { l: { ...texts, maxItems: 1000, items: short } } },
    ...Array.from({ length: 20 }, (_, index) => `self.l.all(x, self.l.all(y, x == y || ${index} > 30))`),
  ),
  schemaCase("costs within an unbounded list", {
    type: "object",
    properties: {
      l: {
        type: "array",
        items: { ...texts, maxItems: 5, "x-kubernetes-validations": [{ rule: "self.all(x, x == 'a')" }] },
      },
    },
  }),
  schemaCase("costs within bounded lists and maps", {
    type: "object",
    properties: {
      l: {
        type: "array",
        maxItems: 1000,
        items: {
          type: "object",
          maxProperties: 1000,
          additionalProperties: {
            type: "integer",
            "x-kubernetes-validations": [{ rule: "self > 1 && self < 9 || self == 20" }],
          },
        },
      },
    },
  }),
];

const lived: Step[] = [];

/** A CRD of its own, and what happens to an object of it. */
function life(name: string, spec: Schema, first: unknown, ...changes: unknown[]): Script {
  const singular = `life${lived.length}`, path = `${GROUP}/v1/${singular}s`;
  lived.push(...define(crdOf(singular, spec)));
  const kind = singular[0]!.toUpperCase() + singular.slice(1);
  const object = { apiVersion: `${GROUP}/v1`, kind, metadata: { name: "a" }, spec: first };
  return {
    name,
    steps: [create(path, object), ...changes.map((change) => patch("merge", `${path}/a`, { spec: change }))],
  };
}

function failing(extra: Record<string, unknown>): Schema {
  return ruled({ rule: "self.i < 3", ...extra });
}

const lives: Script[] = [
  life("a failure with a message", failing({ message: "too large" }), { i: 5 }),
  life("a failure with a message expression", failing({ messageExpression: "'s is ' + self.s" }), { i: 5, s: "x" }),
  life("a message expression that fails", failing({ message: "m", messageExpression: "self.absent" }), { i: 5 }),
  life("a message expression without text", failing({ messageExpression: "' '" }), { i: 5 }),
  life("a message expression of two lines", failing({ messageExpression: "'a\\nb'" }), { i: 5 }),
  life("a forbidden value", failing({ reason: "FieldValueForbidden", fieldPath: ".deep.x" }), { i: 5 }),
  life("a required value", failing({ reason: "FieldValueRequired", fieldPath: ".absent", message: "need" }), { i: 5 }),
  life("a duplicate value", failing({ reason: "FieldValueDuplicate" }), { i: 5 }),
  life("a path with a key", failing({ fieldPath: ".labels['a.b']" }), { i: 5 }),
  life("a scalar's failure", {
    type: "object",
    properties: { i: { type: "integer", "x-kubernetes-validations": [{ rule: "self < 3" }] } },
  }, { i: 5 }),
  life("a duplicate scalar", {
    type: "object",
    properties: {
      s: { ...short, "x-kubernetes-validations": [{ rule: "self == 'a'", reason: "FieldValueDuplicate" }] },
    },
  }, { s: "b" }),
  life("failures of list items and map values", {
    type: "object",
    properties: {
      l: {
        type: "array",
        maxItems: 5,
        items: { type: "integer", "x-kubernetes-validations": [{ rule: "self < 3" }] },
      },
      m: {
        type: "object",
        maxProperties: 5,
        additionalProperties: { ...short, "x-kubernetes-validations": [{ rule: "self != 'b'" }] },
      },
    },
  }, { l: [1, 5], m: { "a.x": "b" } }),
  life("a transition rule", ruled({ rule: "self.i >= oldSelf.i", message: "only up" }), { i: 1 }, { i: 2 }, { i: 1 }),
  life(
    "an optional oldSelf",
    ruled({ rule: "oldSelf.hasValue() ? self.i >= oldSelf.value().i : self.i == 0", optionalOldSelf: true }),
    { i: 1 },
  ),
  life(
    "an optional oldSelf on update",
    ruled({ rule: "oldSelf.?i.orValue(0) <= self.i", optionalOldSelf: true }),
    { i: 1 },
    { i: 0 },
  ),
  life(
    "a transition rule of list items",
    {
      type: "object",
      properties: {
        parts: {
          ...DATA_SCHEMA.properties.parts,
          items: {
            ...DATA_SCHEMA.properties.parts.items,
            "x-kubernetes-validations": [{ rule: "self.n == oldSelf.n", message: "fixed" }],
          },
        },
      },
    },
    { parts: [{ name: "a", n: 1 }] },
    { parts: [{ name: "b", n: 3 }, { name: "a", n: 1 }] },
    { parts: [{ name: "b", n: 3 }, { name: "a", n: 2 }] },
  ),
  life("an unchanged oldSelf of a set", ruled({ rule: "self.set == oldSelf.set" }), { set: ["x", "y"] }, {
    set: ["y", "x"],
  }, { set: ["y", "z"] }),
  life(
    "a run that costs too much",
    {
      type: "object",
      "x-kubernetes-validations": [{ rule: "self.l.all(a, self.l.all(b, self.l.all(c, a + b + c >= 0)))" }],
      properties: { l: { type: "array", maxItems: 90, items: { type: "integer" } } },
    },
    { l: Array.from({ length: 90 }, (_, index) => index) },
  ),
  life("rules on identity and name", {
    type: "object",
    properties: { s: short },
    "x-kubernetes-validations": [{ rule: "has(self.s) && self.s == 'a'" }],
  }, { s: "b" }),
];

/** The Common Expression Language: evaluation, compile errors, costs, and what rules say of objects. */
export const cel: Area = {
  name: "cel",
  setup: [...policySetup, ...mutationSetup, ...setup, ...lived],
  scripts: [
    ...evaluated,
    ...[...refused, ...declared, ...costs].map(codeOfTaken),
    ...lives,
    ...policyScripts,
    ...mutationScripts,
  ],
};
