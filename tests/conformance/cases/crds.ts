import { type Area, crdOf, create, define, get, patch, remove, type Script, type Step, update } from "../script.ts";
import { ABSENT, withField } from "./changed.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAME = "things.$ns.example.com";
const text = { type: "string" };
const base = crdOf("Thing", "$ns.example.com", { spec: { type: "object", properties: { a: text } } });
const SCHEMA = "spec/versions/0/schema/openAPIV3Schema";

function shown(value: unknown): string {
  const line = value === ABSENT ? "absent" : JSON.stringify(value);
  return line.length > 400 ? `${line.slice(0, 400)}…` : line;
}

/** A refused CRD is compared whole; of an accepted one the server fills the status later. */
function crdsWith(fields: Readonly<Record<string, readonly unknown[]>>): Script[] {
  return Object.entries(fields).flatMap(([path, values]) =>
    values.map((value) => ({
      name: `CRD with ${path.replace(SCHEMA, "schema")} ${shown(value)}`,
      steps: [create(CRDS, withField(base, path, value, "/"), { codeOnly: "accepted" })],
    }))
  );
}

const version = (name: string, more: Record<string, unknown> = {}) => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: { type: "object" } },
  ...more,
});
const stored = (name: string) => version(name, { storage: true });

const WHOLE: Readonly<Record<string, readonly unknown[]>> = {
  "metadata/name": ["things", "other.$ns.example.com", "Things.$ns.example.com", ABSENT],
  "spec": [ABSENT, null, {}],
  "spec/group": [ABSENT, "", "nodots", "Upper.example.com", "a_b.example.com", "example.com.", "k8s.io", "$ns.k8s.io"],
  "spec/scope": [ABSENT, "", "Wrong", "Cluster"],
  "spec/names": [ABSENT, {}, { kind: "Thing" }, { plural: "things" }],
  "spec/names/plural": ["Things", "", "other", "9things", "a.b", "a".repeat(64)],
  "spec/names/singular": ["Thing", "", "9thing", "thing_"],
  "spec/names/kind": ["", "thing", "9Thing", "Thing_", "Thing.A", "T-", "THING"],
  "spec/names/listKind": ["Thing", "", "9List", "List_", "thingList"],
  "spec/names/shortNames": [["th"], ["Th"], ["th", "th"], [""], ["things"], ["a_b"], "th"],
  "spec/names/categories": [["all"], ["All"], ["a b"], [""], ["all", "all"]],
  "spec/preserveUnknownFields": [true, false, null, "x"],
  "spec/versions": [
    ABSENT,
    [],
    null,
    [version("v1")],
    [stored("v1"), stored("v2")],
    [stored("v1"), version("v1")],
    [stored("V1")],
    [stored("1")],
    [stored("")],
    [stored("v_1")],
    [stored("v1.0")],
    [stored("anything")],
    [{ ...stored("v1"), served: false }],
    [{ name: "v1", schema: { openAPIV3Schema: { type: "object" } } }],
    [{ ...stored("v1"), schema: undefined }],
    [{ ...stored("v1"), schema: {} }],
    [{ ...stored("v1"), schema: { openAPIV3Schema: {} } }],
    [stored("v1"), version("v2", { schema: undefined })],
    [{ ...stored("v1"), deprecated: true }],
    [{ ...stored("v1"), deprecated: true, deprecationWarning: "use v2" }],
    [{ ...stored("v1"), deprecationWarning: "use v2" }],
    [{ ...stored("v1"), deprecated: true, deprecationWarning: "x".repeat(257) }],
    [{ ...stored("v1"), deprecated: true, deprecationWarning: "" }],
    [{ ...stored("v1"), deprecated: true, deprecationWarning: "a\nb" }],
  ],
  "spec/conversion": [
    null,
    {},
    { strategy: "None" },
    { strategy: "Wrong" },
    { strategy: "Webhook" },
    { strategy: "Webhook", webhook: {} },
    { strategy: "None", webhook: { conversionReviewVersions: ["v1"] } },
    { strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"] } },
    { strategy: "Webhook", webhook: { conversionReviewVersions: [], clientConfig: { url: "https://a.example/c" } } },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v9"], clientConfig: { url: "https://a.example/c" } },
    },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1", "v1"], clientConfig: { url: "https://a.example/c" } },
    },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["a b", "v1"], clientConfig: { url: "https://a.example/c" } },
    },
    { strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "http://a.example/c" } } },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: { url: "https://u@a.example/c?x#y" } },
    },
    {
      strategy: "Webhook",
      webhook: {
        conversionReviewVersions: ["v1"],
        clientConfig: { url: "https://a.example", service: { name: "s", namespace: "n" } },
      },
    },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { name: "", namespace: "" } } },
    },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { name: "s", namespace: "n", port: 0 } } },
    },
    {
      strategy: "Webhook",
      webhook: {
        conversionReviewVersions: ["v1"],
        clientConfig: { service: { name: "s", namespace: "n", path: "a//b" } },
      },
    },
    {
      strategy: "Webhook",
      webhook: { conversionReviewVersions: ["v1"], clientConfig: { service: { name: "s", namespace: "n" } } },
    },
  ],
  "spec/versions/0/subresources": [
    {},
    { status: {} },
    { status: { a: 1 } },
    { scale: {} },
    { scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a" } },
    { scale: { specReplicasPath: ".status.a", statusReplicasPath: ".spec.a" } },
    { scale: { specReplicasPath: "spec.a", statusReplicasPath: ".status.a" } },
    { scale: { specReplicasPath: ".spec.a[0]", statusReplicasPath: ".status.a" } },
    { scale: { specReplicasPath: ".spec", statusReplicasPath: ".status" } },
    { scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a", labelSelectorPath: ".other.x" } },
    { scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a", labelSelectorPath: ".spec.x" } },
    { scale: { specReplicasPath: ".spec.a", statusReplicasPath: ".status.a", labelSelectorPath: "" } },
  ],
  "spec/versions/0/additionalPrinterColumns": [
    [{ name: "A", type: "string", jsonPath: ".spec.a" }],
    [{ name: "A", type: "wrong", jsonPath: ".spec.a" }],
    [{ name: "", type: "string", jsonPath: ".spec.a" }],
    [{ name: "A", type: "string", jsonPath: "" }],
    [{ name: "A", type: "string", jsonPath: "spec.a" }],
    [{ name: "A", type: "string", jsonPath: ".spec[" }],
    [{ name: "A", type: "string", jsonPath: ".spec.a[?(@.b=='x')].c" }],
    [{ name: "A", type: "string", jsonPath: "{.spec.a}" }],
    [{ name: "A", type: "integer", format: "int32", jsonPath: ".spec.a" }],
    [{ name: "A", type: "integer", format: "wrong", jsonPath: ".spec.a" }],
    [{ name: "A", type: "string", jsonPath: ".spec.a" }, { name: "A", type: "string", jsonPath: ".spec.b" }],
    [{ type: "string" }],
  ],
  "spec/versions/0/selectableFields": [
    [],
    [{ jsonPath: ".spec.a" }],
    [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.a" }],
    [{ jsonPath: ".spec.none" }],
    [{ jsonPath: ".spec" }],
    [{ jsonPath: "spec.a" }],
    [{ jsonPath: "" }],
    [{}],
    [{ jsonPath: ".metadata.name" }],
    [{ jsonPath: ".metadata.labels.a" }],
    [{ jsonPath: ".spec.a[0]" }],
    [{ jsonPath: ".spec['a']" }],
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map(() => ({ jsonPath: ".spec.a" })),
  ],
};

const field = (schema: unknown) => ({ type: "object", properties: { f: schema } });

/** Schemas of one field `f`. */
const FIELDS: readonly unknown[] = [
  {},
  null,
  text,
  { type: "wrong" },
  { type: "" },
  { type: "null" },
  { type: ["string"] },
  { type: "object", properties: { a: {} } },
  { type: "object", properties: { a: { properties: { b: text } } } },
  { type: "array" },
  { type: "array", items: {} },
  { type: "array", items: [text] },
  { type: "array", items: text, uniqueItems: true },
  { type: "object", additionalProperties: false },
  { type: "object", additionalProperties: true },
  { type: "object", additionalProperties: {} },
  { type: "object", additionalProperties: text, properties: { a: text } },
  { type: "object", additionalProperties: { type: "object", additionalProperties: text } },
  { $ref: "#/definitions/x" },
  { type: "object", definitions: { a: text } },
  { type: "object", dependencies: { a: ["b"] } },
  { type: "object", patternProperties: { a: text } },
  { type: "object", id: "x" },
  { type: "object", $schema: "http://json-schema.org/schema#" },
  { type: "array", items: text, additionalItems: true },
  { ...text, title: "t", description: "d", example: "e", externalDocs: { url: "https://a.example" } },
  { ...text, typo: true },
  { ...text, format: "wrong" },
  { ...text, pattern: "(" },
  { ...text, pattern: "(?!a)b" },
  { ...text, pattern: "(?<=a)b" },
  { ...text, pattern: "(a)\\1" },
  { ...text, pattern: "a{1001}" },
  { ...text, pattern: "(?P<x>a)" },
  { ...text, pattern: "(?<x>a)" },
  { ...text, pattern: "[[:alpha:]]\\pL\\z" },
  { ...text, pattern: "\\Qa.b\\E" },
  { ...text, pattern: "\\Z" },
  { ...text, pattern: "\\u0041" },
  { ...text, pattern: "a**" },
  { ...text, pattern: "[b-a]" },
  { ...text, pattern: "(?i)x(?s:.)" },
  { ...text, pattern: "a++" },
  { ...text, pattern: "(?>a)" },
  { ...text, pattern: "\\d\\w\\s\\b\\x{10FFFF}" },
  { ...text, pattern: "" },
  { ...text, minLength: -1 },
  { ...text, maxLength: -1 },
  { ...text, minLength: 5, maxLength: 2 },
  { ...text, minimum: 1 },
  { type: "integer", minimum: 5, maximum: 1 },
  { type: "integer", multipleOf: 0 },
  { type: "integer", multipleOf: -2 },
  { type: "integer", minimum: 1.5 },
  { type: "integer", exclusiveMinimum: 3 },
  { type: "array", items: text, minItems: -1 },
  { type: "object", minProperties: -1 },
  { ...text, enum: [] },
  { ...text, enum: ["a", "a"] },
  { ...text, enum: ["a", 1, null] },
  { ...text, nullable: true, enum: ["a"] },
  { type: "object", required: ["a"] },
  { type: "object", required: ["a", "a"], properties: { a: text } },
  { type: "object", required: [] },
  { ...text, default: "x" },
  { ...text, default: 1 },
  { ...text, default: null },
  { ...text, nullable: true, default: null },
  { ...text, enum: ["a"], default: "b" },
  { ...text, maxLength: 2, default: "abc" },
  { ...text, pattern: "^a$", default: "b" },
  { ...text, format: "date", default: "x" },
  { type: "integer", maximum: 3, default: 4 },
  { type: "integer", default: 1.5 },
  { type: "integer", format: "int32", default: 3_000_000_000 },
  { type: "object", default: { a: "1" } },
  { type: "object", properties: { a: text }, default: { a: "1" } },
  { type: "object", properties: { a: text }, default: { a: 1 } },
  { type: "object", properties: { a: text }, default: { b: "1" } },
  { type: "object", properties: { a: text }, required: ["a"], default: {} },
  { type: "object", properties: { a: { ...text, default: "x" } }, required: ["a"], default: {} },
  { type: "array", items: text, default: ["a", 1] },
  { type: "array", items: text, "x-kubernetes-list-type": "set", default: ["a", "a"] },
  { type: "array", items: { ...text, default: "x" } },
  { type: "object", additionalProperties: { ...text, default: "x" } },
  { type: "object", "x-kubernetes-preserve-unknown-fields": true, default: { a: 1 } },
  { "x-kubernetes-int-or-string": true },
  { "x-kubernetes-int-or-string": true, default: true },
  { "x-kubernetes-int-or-string": true, type: "string" },
  { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
  { "x-kubernetes-int-or-string": true, anyOf: [{ type: "string" }, { type: "integer" }] },
  { "x-kubernetes-int-or-string": true, allOf: [{ anyOf: [{ type: "integer" }, { type: "string" }] }] },
  { "x-kubernetes-int-or-string": false },
  { "x-kubernetes-preserve-unknown-fields": true },
  { "x-kubernetes-preserve-unknown-fields": false, type: "object" },
  { ...text, "x-kubernetes-preserve-unknown-fields": true },
  { type: "array", items: text, "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", "x-kubernetes-embedded-resource": true },
  { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", "x-kubernetes-embedded-resource": true, properties: { a: text } },
  { ...text, "x-kubernetes-embedded-resource": true },
  {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
    default: { kind: "Pod" },
  },
  {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    "x-kubernetes-preserve-unknown-fields": true,
    default: { apiVersion: "v1", kind: "Pod", metadata: { name: "a", typo: 1 } },
  },
  { ...text, "x-kubernetes-list-type": "set" },
  { type: "array", items: text, "x-kubernetes-list-type": "wrong" },
  { type: "array", items: text, "x-kubernetes-list-type": "map" },
  { type: "array", items: text, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"] },
  {
    type: "array",
    items: { type: "object", properties: { a: text } },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
  },
  {
    type: "array",
    items: { type: "object", properties: { a: text }, required: ["a"] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["b"],
  },
  {
    type: "array",
    items: { type: "object", properties: { a: text }, required: ["a"] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a", "a"],
  },
  {
    type: "array",
    items: { type: "object", properties: { a: { type: "object" } }, required: ["a"] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
  },
  {
    type: "array",
    items: { type: "object", nullable: true, properties: { a: text }, required: ["a"] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
  },
  {
    type: "array",
    items: { type: "object", properties: { a: { ...text, nullable: true } }, required: ["a"] },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
  },
  {
    type: "array",
    items: { type: "object", properties: { a: { ...text, default: "x" } } },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
  },
  { type: "array", items: text, "x-kubernetes-list-map-keys": ["a"] },
  { type: "array", items: text, "x-kubernetes-list-type": "set", "x-kubernetes-list-map-keys": ["a"] },
  { type: "array", items: { type: "object" }, "x-kubernetes-list-type": "set" },
  { type: "array", items: { type: "object", "x-kubernetes-map-type": "atomic" }, "x-kubernetes-list-type": "set" },
  { type: "array", items: { type: "array", items: text }, "x-kubernetes-list-type": "set" },
  { type: "array", items: { ...text, nullable: true }, "x-kubernetes-list-type": "set" },
  { type: "object", "x-kubernetes-map-type": "wrong" },
  { ...text, "x-kubernetes-map-type": "atomic" },
  { type: "object", "x-kubernetes-map-type": "granular" },
  { ...text, "x-kubernetes-patch-strategy": "merge" },
  { ...text, allOf: [{ type: "string" }] },
  { ...text, anyOf: [{ default: "x" }] },
  { ...text, oneOf: [{ nullable: true }] },
  { ...text, not: { description: "x" } },
  { type: "object", anyOf: [{ properties: { a: { minLength: 1 } } }] },
  { type: "object", properties: { a: text }, anyOf: [{ properties: { a: { minLength: 1 } } }] },
  { type: "object", anyOf: [{ additionalProperties: { minLength: 1 } }] },
  { type: "object", properties: { a: text }, allOf: [{ properties: { b: { minLength: 1 } } }] },
  { ...text, anyOf: [{ items: { minLength: 1 } }] },
  { ...text, allOf: [{ "x-kubernetes-preserve-unknown-fields": true }] },
  { ...text, allOf: [{ "x-kubernetes-list-type": "set" }] },
  { ...text, allOf: [] },
  { ...text, not: { pattern: "(" } },
];

/** Schemas of the whole object. */
const ROOTS: readonly unknown[] = [
  text,
  { type: "array", items: text },
  { properties: { spec: { type: "object" } } },
  { type: "object", nullable: true },
  { type: "object", default: {} },
  { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
  { type: "object", properties: { metadata: { type: "object" } } },
  { type: "object", properties: { metadata: { type: "object", properties: { name: { ...text, pattern: "^a" } } } } },
  { type: "object", properties: { metadata: { type: "object", properties: { labels: { type: "object" } } } } },
  {
    type: "object",
    properties: { metadata: { type: "object", properties: { generateName: { ...text, maxLength: 3 } } } },
  },
  { type: "object", properties: { metadata: { type: "object", required: ["name"] } } },
  { type: "object", properties: { metadata: { ...text } } },
  { type: "object", properties: { metadata: { type: "object", default: { name: "x" } } } },
  { type: "object", properties: { apiVersion: { type: "integer" } } },
  { type: "object", properties: { kind: { ...text, enum: ["x"] } } },
  { type: "object", properties: { kind: { ...text, default: "x" } } },
  { type: "object", required: ["spec"] },
  { type: "object", additionalProperties: text },
  { type: "object", anyOf: [{ required: ["spec"] }, { properties: { metadata: { required: ["labels"] } } }] },
  { type: "object", properties: { status: { ...text } } },
  { type: "object", properties: { spec: { ...text } } },
];

const at = `${CRDS}/${NAME}`;
const created: Step[] = define(base);

/** What a client changes of an established CRD. */
const CHANGES: readonly (readonly [string, unknown])[] = [
  ["a no-op", {}],
  ["another group", { spec: { group: "other.example.com" } }],
  ["another scope", { spec: { scope: "Cluster" } }],
  ["another kind", { spec: { names: { kind: "Other" } } }],
  ["another plural", { spec: { names: { plural: "others" } } }],
  ["another singular", { spec: { names: { singular: "other" } } }],
  ["another listKind", { spec: { names: { listKind: "OtherList" } } }],
  ["a short name", { spec: { names: { shortNames: ["th"] } } }],
  ["no versions", { spec: { versions: [] } }],
  ["another storage version alone", { spec: { versions: [stored("v2")] } }],
  ["an invalid schema", { spec: { versions: [{ ...stored("v1"), schema: { openAPIV3Schema: field({}) } }] } }],
  ["an invalid default", {
    spec: { versions: [{ ...stored("v1"), schema: { openAPIV3Schema: field({ ...text, default: 1 }) } }] },
  }],
  ["an invalid pattern", {
    spec: { versions: [{ ...stored("v1"), schema: { openAPIV3Schema: field({ ...text, pattern: "(" }) } }] },
  }],
  ["preserveUnknownFields", { spec: { preserveUnknownFields: true } }],
  ["a selectable field that the schema lacks", {
    spec: { versions: [{ ...stored("v1"), selectableFields: [{ jsonPath: ".spec.b" }] }] },
  }],
  ["an undeclared field", { spec: { typo: 1 } }],
];

const updates: Script[] = CHANGES.map(([name, body]) => ({
  name: `an established CRD is changed: ${name}`,
  steps: [...created, patch("merge", at, body, { codeOnly: "accepted" })],
}));

const lifecycle: Script[] = [
  {
    name: "an established CRD is read",
    steps: [...created, get(at), get(`${at}/status`), get(`/apis/$ns.example.com`), get("/apis/$ns.example.com/v1")],
  },
  {
    name: "a CRD without optional names gets them",
    steps: [
      ...define({ ...base, spec: { ...base.spec as object, names: { kind: "Thing", plural: "things" } } }),
      get(at),
    ],
  },
  {
    name: "a new storage version is added to the stored ones",
    steps: [
      ...created,
      patch("merge", at, { spec: { versions: [version("v1"), stored("v2")] } }, { codeOnly: "accepted" }),
      { until: at, holds: { status: { storedVersions: ["v1", "v2"] } } },
      patch("merge", at, { spec: { versions: [stored("v2")] } }, { codeOnly: "accepted" }),
      patch("merge", `${at}/status`, { status: { storedVersions: ["v2"] } }, { codeOnly: "accepted" }),
      patch("merge", `${at}/status`, { status: { storedVersions: ["v1"] } }, { codeOnly: "accepted" }),
      patch("merge", `${at}/status`, { status: { storedVersions: [] } }, { codeOnly: "accepted" }),
      patch("merge", `${at}/status`, { status: { storedVersions: ["v9", "v2"] } }, { codeOnly: "accepted" }),
    ],
  },
  {
    name: "names that another CRD has are not accepted",
    steps: [
      ...created,
      create(CRDS, {
        ...base,
        metadata: { name: "others.$ns.example.com" },
        spec: {
          ...base.spec as object,
          names: { kind: "Thing", plural: "others", singular: "other", listKind: "OtherList" },
        },
      }, { codeOnly: "accepted" }),
      {
        until: `${CRDS}/others.$ns.example.com`,
        holds: { status: { conditions: [{ type: "NamesAccepted", status: "False" }] } },
      },
      get(`${CRDS}/others.$ns.example.com`),
    ],
  },
  {
    name: "a CRD with preserved unknown fields of the old kind",
    steps: [create(CRDS, { ...base, apiVersion: "apiextensions.k8s.io/v1beta1" }, { codeOnly: "accepted" })],
  },
  {
    name: "a CRD is created twice",
    steps: [...created, create(CRDS, base, { codeOnly: "accepted" })],
  },
  {
    name: "a CRD is updated without a resourceVersion",
    steps: [...created, update(at, base, { codeOnly: "accepted" })],
  },
  {
    name: "a CRD is deleted with its objects",
    steps: [
      ...created,
      create("$ns.example.com/v1/things", { apiVersion: "$ns.example.com/v1", kind: "Thing", metadata: { name: "a" } }),
      remove(at, undefined, { codeOnly: true }),
      { until: at, holds: "gone" },
      { until: "/apis/$ns.example.com/v1/things", holds: "gone" },
      get(at),
      get("$ns.example.com/v1/things/a"),
    ],
  },
  {
    name: "a status is not written with a CRD",
    steps: [
      create(CRDS, {
        ...base,
        status: { storedVersions: ["v9"], conditions: [], acceptedNames: { kind: "X", plural: "x" } },
      }, { codeOnly: "accepted" }),
      ...created.slice(1),
      get(at),
    ],
  },
  ...["Strict", "Warn", "Ignore"].map((mode): Script => ({
    name: `a CRD with undeclared fields under ${mode}`,
    steps: [
      create(`${CRDS}?fieldValidation=${mode}`, { ...withField(base, `${SCHEMA}/typo`, 1, "/"), typo: 1 }, {
        codeOnly: "accepted",
      }),
    ],
  })),
  {
    name: "an invalid CRD is applied",
    steps: [
      patch("apply", at, withField(base, "spec/typo", 1, "/"), { codeOnly: "accepted" }),
      patch("apply", at, withField(base, `${SCHEMA}/properties/spec/properties/a/type`, "wrong", "/"), {
        codeOnly: "accepted",
      }),
    ],
  },
];

/** A CRD whose group needs an approval, by the annotation's value. */
const approvals: Script[] = [
  undefined,
  "",
  "unapproved, for tests",
  "https://github.com/kubernetes/kubernetes/pull/1",
  "http://x",
  "word",
].map((value) => {
  const group = "$ns.k8s.io", crd = crdOf("Thing", group, {});
  return {
    name: `a group of *.k8s.io with the approval ${shown(value ?? null)}`,
    steps: [
      create(CRDS, {
        ...crd,
        metadata: {
          name: `things.${group}`,
          ...value !== undefined && { annotations: { "api-approved.kubernetes.io": value } },
        },
      }, { codeOnly: "accepted" }),
      ...value?.startsWith("http") || value?.startsWith("unapproved")
        ? [{
          until: `${CRDS}/things.${group}`,
          holds: { status: { conditions: [{ type: "Established", status: "True" }] } },
        }, get(`${CRDS}/things.${group}`)]
        : [],
    ],
  };
});

/** What CustomResourceDefinitions are refused for, and their life. */
export const crds: Area = {
  name: "crds",
  scripts: [
    ...crdsWith(WHOLE),
    ...crdsWith({ [SCHEMA]: ROOTS }),
    ...FIELDS.map((schema) => ({
      name: `CRD with a field ${shown(schema)}`,
      steps: [create(CRDS, withField(base, SCHEMA, field(field(schema)), "/"), { codeOnly: "accepted" })],
    })),
    ...updates,
    ...lifecycle,
    ...approvals,
  ],
};
