import { crdOf, create, define, get, patch, type Script, type Step, update } from "../script.ts";
import { createdWith } from "./changed.ts";
import { target } from "./targets.ts";

const text = { type: "string" };
const SAMPLE = target("samples.example.com/v1", "Sample", "samples");

/** Valid and invalid values of each format. */
const FORMATTED: Readonly<Record<string, readonly unknown[]>> = {
  bsonobjectid: ["507f1f77bcf86cd799439011", "507f1f77"],
  uri: ["https://a/b", "/a", "a", "", "http://[::1", "urn:x"],
  email: ["a@b.c", "A <a@b.c>", "a@", "@b"],
  hostname: ["a.b", "a_b", "-a", "a.", `${"a".repeat(64)}.b`, ""],
  ipv4: ["1.2.3.4", "1.2.3", "::1", "01.2.3.4"],
  ipv6: ["::1", "1.2.3.4", "::ffff:1.2.3.4", "fe80::1%eth0"],
  cidr: ["10.0.0.0/8", "10.0.0.1/8", "10.0.0.0", "::/0", "10.0.0.0/33"],
  mac: ["00:11:22:33:44:55", "00-11-22-33-44-55", "0011.2233.4455", "00:11"],
  uuid: ["123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000", "123e4567"],
  uuid3: ["6fa459ea-ee8a-3ca4-894e-db77e160355e", "123e4567-e89b-12d3-a456-426614174000"],
  uuid4: ["25769c6c-d34d-4bfe-ba98-e0ee856f3e7a", "25769c6c-d34d-3bfe-ba98-e0ee856f3e7a"],
  uuid5: ["886313e1-3b8a-5372-9b90-0c9aee199e5d", "886313e1-3b8a-4372-9b90-0c9aee199e5d"],
  isbn: ["0321751043", "978-0321751041", "1"],
  isbn10: ["0321751043", "978-0321751041"],
  isbn13: ["978 3401013190", "0321751043"],
  creditcard: ["4000-0000-0000-0000", "4111111111111111", "1"],
  ssn: ["111-22-3333", "111 22 3333", "11-22-3333"],
  hexcolor: ["#ffffff", "fff", "#ffff", "#ggg"],
  rgbcolor: ["rgb(100,100,100)", "rgb(256,0,0)", "rgba(1,2,3,1)"],
  byte: ["YWJj", "YWJ", "YW==", "a b", "", "-_==", "YWJj\nYWJj"],
  password: ["anything"],
  date: ["2024-01-02", "2024-1-2", "2024-02-30", "2024-01-02T00:00:00Z"],
  duration: ["1h30m", "1", "1 day", "2 weeks", "-5s", "1.5h", "P1D", "5ms", "10µs", "", "1h 30m"],
  datetime: ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.123+01:00", "2024-01-02", "2024-01-02 03:04:05"],
  "date-time": [
    "2024-01-02T03:04:05Z",
    "2024-01-02t03:04:05z",
    "2024-01-02T03:04:05",
    "2024-13-02T03:04:05Z",
    "2024-01-02T25:04:05Z",
    "2024-01-02T03:04:60Z",
    "2024-02-30T03:04:05Z",
  ],
  "k8s-short-name": ["a-b", "A", "a.b", "-a", "a".repeat(64)],
  "k8s-long-name": ["a.b", "A.b", "a..b", "a_b"],
  unheard: ["anything"],
};

const NUMBERS: Readonly<Record<string, readonly unknown[]>> = {
  int32: [2147483647, 2147483648, -2147483648, -2147483649, 1.5, "1"],
  int64: [9007199254740993n, 9223372036854775807n, -9223372036854775808n, 9223372036854776000, 1e20, 1e3],
  integer: [1, 1.5, 9223372036854775807n, 1e30, -0],
  float: [1.5, 3.5e38, 1e-46, 1, "1.5"],
  double: [1.5, 1e308, 9007199254740993n, "x"],
  number: [1, 1.5, 1e20, "x", null, true],
};

const formats = Object.fromEntries(Object.keys(FORMATTED).map((format) => [format, { type: "string", format }]));
const numbers = {
  int32: { type: "integer", format: "int32" },
  int64: { type: "integer", format: "int64" },
  integer: { type: "integer" },
  float: { type: "number", format: "float" },
  double: { type: "number", format: "double" },
  number: { type: "number" },
};
const preserved = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

const MORE: Record<string, unknown> = {
  unicode: { type: "string", minLength: 2, maxLength: 3 },
  pattern: { type: "string", pattern: "^[a-z]+\\d{2,}(?i:x)?$" },
  unanchored: { type: "string", pattern: "b" },
  choice: { type: "integer", enum: [1, 2] },
  objectChoice: { ...preserved, enum: [{ a: 1 }, { b: [1] }] },
  listChoice: { type: "array", items: { type: "string" }, enum: [["a"], ["b", "c"]] },
  boolChoice: { type: "boolean", enum: [true] },
  bounded: {
    "x-kubernetes-int-or-string": true,
    anyOf: [{ type: "integer" }, { type: "string" }],
    minimum: 5,
    maxLength: 2,
  },
  patternPort: { "x-kubernetes-int-or-string": true, pattern: "^\\d+%$" },
  decimals: { type: "number", minimum: 0.5, maximum: 1.5, multipleOf: 0.1 },
  exclusive: { type: "integer", minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: true },
  negative: { type: "integer", maximum: -1, multipleOf: 3 },
  maybeList: { type: "array", nullable: true, items: { ...text, nullable: true } },
  maybeMap: { type: "object", nullable: true, additionalProperties: { ...text, nullable: true } },
  maybeDefault: { ...text, nullable: true, default: "d" },
  items: { type: "array", minItems: 1, maxItems: 2, items: { type: "integer", maximum: 5 } },
  pairs: { type: "object", minProperties: 1, maxProperties: 2, additionalProperties: { type: "integer", minimum: 3 } },
  unset: { type: "array", "x-kubernetes-list-type": "set", items: { type: "number" } },
  objectSet: {
    type: "array",
    "x-kubernetes-list-type": "set",
    items: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text, b: { type: "integer" } } },
  },
  listSet: {
    type: "array",
    "x-kubernetes-list-type": "set",
    items: { type: "array", "x-kubernetes-list-type": "atomic", items: text },
  },
  needed: { type: "object", required: ["a", "b"], properties: { a: text, b: { ...text, nullable: true } } },
  oneType: {
    type: "object",
    properties: { kind: text, size: { type: "integer" }, tag: text },
    oneOf: [{ properties: { kind: { enum: ["s"] } }, required: ["size"] }, {
      properties: { kind: { enum: ["t"] } },
      required: ["tag"],
    }],
  },
  anyBound: { type: "integer", anyOf: [{ minimum: 10 }, { maximum: -10 }] },
  allBound: { type: "integer", allOf: [{ minimum: 0 }, { multipleOf: 2 }] },
  notText: { ...text, not: { pattern: "^x" } },
  nestedNot: { type: "object", properties: { a: text, b: text }, not: { anyOf: [{ required: ["a", "b"] }] } },
  deep: {
    type: "object",
    default: {},
    properties: {
      list: {
        type: "array",
        default: [{ a: "x" }],
        items: { type: "object", properties: { a: text, b: { ...text, default: "y" } } },
      },
      map: {
        type: "object",
        additionalProperties: { type: "object", properties: { c: { type: "integer", default: 3 } } },
      },
    },
  },
  preservedList: { type: "array", items: preserved },
  preservedDefaults: {
    ...preserved,
    properties: { a: { type: "object", properties: { b: { ...text, default: "z" } } } },
  },
  anything: { "x-kubernetes-preserve-unknown-fields": true },
  resource: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
  closedResource: {
    type: "object",
    "x-kubernetes-embedded-resource": true,
    properties: { spec: { type: "object", properties: { a: text } } },
  },
  resources: {
    type: "array",
    items: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
  },
};

const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };

/** Values of {@linkcode MORE}. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  unicode: ["é", "éé", "😀😀😀", "😀😀😀😀"],
  pattern: ["ab12", "ab12X", "ab1", "ab12\n"],
  unanchored: ["abc", "ac"],
  choice: [1, 3, "1"],
  objectChoice: [{ a: 1 }, { a: 2 }, { b: [1] }],
  listChoice: [["a"], ["c"], []],
  boolChoice: [true, false],
  bounded: [4, 5, "abc", "4", "ab"],
  patternPort: [5, "5", "5%"],
  decimals: [0.3, 0.7, 1.6, 0.75, 1],
  exclusive: [1, 5, 3],
  negative: [-3, -4, 0],
  maybeList: [null, [null], ["a", null], [1]],
  maybeMap: [null, { a: null }, { a: 1 }],
  maybeDefault: [null, "x"],
  items: [[], [1, 2, 3], [6, 7], [1, "x"]],
  pairs: [{}, { a: 3, b: 3, c: 3 }, { a: 1, b: 2 }],
  unset: [[1, 1.0], [1, 2, 1, 2], [1.5, 1.5]],
  objectSet: [[{ a: "x" }, { a: "x" }], [{ a: "x" }, { b: 1 }], [{}, {}]],
  listSet: [[["a"], ["a"]], [["a"], ["b"]], [[], []]],
  needed: [{}, { a: "x" }, { a: "x", b: null }, { a: null, b: "x" }],
  oneType: [{}, { kind: "s" }, { kind: "s", size: 1 }, { kind: "s", size: 1, tag: "t" }, { kind: "u", size: 1 }],
  anyBound: [5, 10, -11],
  allBound: [-1, 3, 4],
  notText: ["x", "y"],
  nestedNot: [{ a: "1" }, { a: "1", b: "2" }],
  deep: [{}, { list: [] }, { list: [{}] }, { map: { k: {} } }, { list: [{ b: null }] }, null, { list: null }],
  preservedList: [[{ a: null, b: { c: null } }], [1], [null]],
  preservedDefaults: [{ a: {}, x: null }, { a: { typo: 1 } }, { x: { y: [null] } }],
  anything: [1, "x", null, [1, null], { a: null }],
  resource: [
    {},
    pod,
    { ...pod, metadata: { name: "P_" } },
    { ...pod, metadata: { labels: { a: 1 } } },
    { ...pod, metadata: "x" },
    { ...pod, kind: "" },
    { ...pod, metadata: { generateName: "x", typo: 1 } },
    { ...pod, apiVersion: "a/b/c" },
  ],
  closedResource: [{ ...pod, spec: { a: "1", typo: 1 }, other: 1 }, {
    ...pod,
    metadata: { typo: 1, labels: { "a b": "c" } },
  }, { kind: "Pod" }],
  resources: [[{}], [pod, { apiVersion: "v1" }]],
};

const sampleCrd = crdOf("Sample", "samples.example.com", {
  spec: {
    type: "object",
    properties: {
      formats: { type: "object", properties: formats },
      numbers: { type: "object", properties: numbers },
      ...MORE,
    },
  },
  status: preserved,
}, { version: { subresources: { status: {} } } });

/** The CRD of the samples. */
export const defineSamples: Step[] = define(sampleCrd);

function under<T>(prefix: string, fields: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).map(([field, values]) => [`${prefix}/${field}`, values]));
}

const samples: Script[] = [
  ...createdWith(SAMPLE, { spec: {} }, under("spec/formats", FORMATTED)),
  ...createdWith(SAMPLE, { spec: {} }, under("spec/numbers", NUMBERS)),
  ...createdWith(SAMPLE, { spec: {} }, under("spec", VALUES)),
];

const sampleText = (spec: string) =>
  `{"apiVersion":"samples.example.com/v1","kind":"Sample","metadata":{"name":"a"},"spec":${spec}}`;

const TEXTS: readonly string[] = [
  '{"numbers":{"int64":1.0}}',
  '{"numbers":{"int64":1e3}}',
  '{"numbers":{"int64":9223372036854775807}}',
  '{"numbers":{"int64":9223372036854775808}}',
  '{"numbers":{"integer":18446744073709551616}}',
  '{"numbers":{"number":1.0}}',
  '{"numbers":{"number":1e400}}',
  '{"numbers":{"number":0.1e1}}',
  '{"numbers":{"int32":1,"int32":2}}',
  '{"numbers":{"int32":1},"numbers":{"int32":2}}',
  '{"anything":{"a":1,"a":2}}',
  '{"typo":1,"deep":{"typo":2,"list":[{"typo":3},{"typo":4}],"map":{"k":{"typo":5}}}}',
  '{"typo":1,"typo":2}',
  '{"resource":{"apiVersion":"v1","kind":"Pod","metadata":{"typo":1}}}',
  '{"resource":{"apiVersion":"v1","kind":"Pod","metadata":{"labels":{"a":"1","a":"2"}}}}',
];

const modes: Script[] = ["Strict", "Warn", "Ignore"].flatMap((mode) =>
  TEXTS.map((spec) => ({
    name: `a sample ${spec} under ${mode}`,
    steps: [create(`${SAMPLE.path}?fieldValidation=${mode}`, sampleText(spec))],
  }))
);

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const GROUP = "$ns.example.com";
const crd = (properties: Record<string, unknown>, version: Record<string, unknown> = {}) =>
  crdOf("Thing", GROUP, { spec: { type: "object", properties }, status: preserved }, { version });
const THINGS = `${GROUP}/v1/things`;
const thing = (spec: unknown, more: Record<string, unknown> = {}) => ({
  apiVersion: `${GROUP}/v1`,
  kind: "Thing",
  metadata: { name: "a" },
  spec,
  ...more,
});
const schemaOf = (properties: Record<string, unknown>): Step =>
  patch("json", `${CRDS}/things.${GROUP}`, [{
    op: "replace",
    path: "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties",
    value: properties,
  }], { codeOnly: true });

/** Waits for the new schema by an object that only it changes. */
function served(properties: Record<string, unknown>, defaulted: Record<string, unknown>): Step[] {
  return [
    schemaOf({ ...properties, marker: { ...text, default: "new" } }),
    { until: `/apis/${GROUP}/v1/namespaces/$ns/things/a`, holds: { spec: { marker: "new", ...defaulted } } },
  ];
}

const later: Script[] = [
  {
    name: "defaults that were added later appear on read",
    steps: [
      ...define(crd({ a: text })),
      create(THINGS, thing({ a: "1" })),
      ...served({
        a: text,
        b: { ...text, default: "d" },
        c: { type: "object", default: {}, properties: { e: { type: "integer", default: 4 } } },
      }, { b: "d" }),
      get(`${THINGS}/a`),
      get(THINGS),
      { watch: "w", path: `${THINGS}?watch=true` },
      { events: "w", count: 1 },
      patch("merge", `${THINGS}/a`, { metadata: { labels: { x: "1" } } }),
      get(`${THINGS}/a`),
    ],
  },
  {
    name: "fields that were removed are pruned on read",
    steps: [
      ...define(crd({ a: text, gone: text, deep: { type: "object", properties: { x: text, y: text } } })),
      create(THINGS, thing({ a: "1", gone: "2", deep: { x: "1", y: "2" } })),
      ...served({ a: text, deep: { type: "object", properties: { x: text } } }, {}),
      get(`${THINGS}/a`),
      get(THINGS),
      patch("json", `${THINGS}/a`, [{ op: "test", path: "/spec/gone", value: "2" }]),
      patch("merge", `${THINGS}/a`, { spec: { a: "3" } }),
      get(`${THINGS}/a`),
    ],
  },
  {
    name: "a stored object that has become invalid is read, and changed elsewhere",
    steps: [
      ...define(crd({ a: { type: "integer" }, b: text })),
      create(THINGS, thing({ a: 5, b: "x" })),
      ...served({ a: { type: "integer", maximum: 3 }, b: { ...text, maxLength: 3 } }, {}),
      get(`${THINGS}/a`),
      patch("merge", `${THINGS}/a`, { spec: { b: "y" } }),
      patch("merge", `${THINGS}/a`, { spec: { b: "too long" } }),
      patch("merge", `${THINGS}/a`, { spec: { a: 6 } }),
      patch("merge", `${THINGS}/a`, { spec: { a: 2 } }),
    ],
  },
  {
    name: "a stored null is defaulted, or pruned, on read",
    steps: [
      ...define(crd({ free: preserved, n: { ...text, nullable: true } })),
      create(THINGS, thing({ free: { a: null }, n: null })),
      ...served({ free: preserved, n: { ...text, default: "d" } }, {}),
      get(`${THINGS}/a`),
      update(`${THINGS}/a`, thing({ free: { a: null, b: { c: null } }, n: null })),
    ],
  },
  {
    name: "each version has its own defaults",
    steps: [
      ...define(twoVersions()),
      create(THINGS, thing({})),
      get(`${THINGS}/a`),
      get(`${GROUP}/v2/things/a`),
      create(`${GROUP}/v2/things`, { apiVersion: `${GROUP}/v2`, kind: "Thing", metadata: { name: "b" }, spec: {} }),
      get(`${THINGS}/b`),
      get(`${GROUP}/v2/things`),
      patch("merge", `${THINGS}/b`, { spec: { a: "x" } }),
      get(`${GROUP}/v2/things/b`),
    ],
  },
  {
    name: "each version prunes its own fields",
    steps: [
      ...define(twoVersions()),
      create(`${GROUP}/v2/things`, {
        apiVersion: `${GROUP}/v2`,
        kind: "Thing",
        metadata: { name: "a" },
        spec: { two: "2", one: "1" },
      }),
      get(`${THINGS}/a`),
      get(`${GROUP}/v2/things/a`),
      create(THINGS, { ...thing({ two: "2", one: "1" }), metadata: { name: "b" } }),
      get(`${GROUP}/v2/things/b`),
    ],
  },
];

function twoVersions(): Record<string, unknown> {
  const version = (name: string, properties: Record<string, unknown>, storage: boolean) => ({
    name,
    served: true,
    storage,
    schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } },
  });
  const base = crd({}) as { spec: Record<string, unknown> };
  return {
    ...base,
    spec: {
      ...base.spec,
      versions: [
        version("v1", { a: { ...text, default: "one" }, one: text }, true),
        version("v2", { a: { ...text, default: "two" }, b: { ...text, default: "new" }, two: text }, false),
      ],
    },
  };
}

const scaled = crd({
  replicas: { type: "integer" },
  deep: { type: "object", properties: { count: { type: "integer" } } },
  a: text,
}, {
  subresources: {
    status: {},
    scale: {
      specReplicasPath: ".spec.replicas",
      statusReplicasPath: ".status.replicas",
      labelSelectorPath: ".status.selector",
    },
  },
});

const subresources: Script[] = [
  {
    name: "negative replicas are refused where there is a scale",
    steps: [
      ...define(scaled),
      create(THINGS, thing({ replicas: -1 })),
      create(THINGS, thing({ replicas: 1 }, { status: { replicas: -1 } })),
      patch("merge", `${THINGS}/a`, { spec: { replicas: -2 } }),
      patch("merge", `${THINGS}/a/status`, { status: { replicas: -2 } }),
      patch("merge", `${THINGS}/a/status`, { status: { replicas: 2, selector: "a=b" } }),
      get(`${THINGS}/a/scale`),
      patch("merge", `${THINGS}/a/scale`, { spec: { replicas: -1 } }),
      patch("merge", `${THINGS}/a`, { spec: { replicas: 3_000_000_000 } }),
      get(`${THINGS}/a/scale`),
      patch("merge", `${THINGS}/a`, { spec: { replicas: null } }),
      get(`${THINGS}/a/scale`),
    ],
  },
  {
    name: "the scale of a custom resource is updated",
    steps: [
      ...define(scaled),
      create(THINGS, thing({ a: "x" }), { keep: { rv: "metadata.resourceVersion" } }),
      update(`${THINGS}/a/scale`, {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "a" },
        spec: { replicas: 3 },
      }),
      update(`${THINGS}/a/scale`, {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "a", resourceVersion: "${rv}" },
        spec: { replicas: 4 },
      }),
      update(`${THINGS}/a/scale`, { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a" }, spec: {} }),
      update(`${THINGS}/a/scale`, { apiVersion: "v1", kind: "Scale", metadata: { name: "a" }, spec: { replicas: 1 } }),
      update(`${THINGS}/a/scale`, { metadata: { name: "b" }, spec: { replicas: 1 } }),
      update(`${THINGS}/a/scale`, { metadata: { name: "a" }, spec: { replicas: "1" } }),
      update(`${THINGS}/b/scale`, { metadata: { name: "b" }, spec: { replicas: 1 } }),
      get(`${THINGS}/b/scale`),
      get(`${THINGS}/a`),
    ],
  },
  {
    name: "status and spec are written apart, and generations count the spec",
    steps: [
      ...define(scaled),
      create(THINGS, thing({ a: "x" }, { status: { phase: "ignored" } })),
      update(`${THINGS}/a`, thing({ a: "y" }, { status: { phase: "ignored" } })),
      update(`${THINGS}/a/status`, thing({ a: "ignored" }, { status: { phase: "seen" } })),
      update(`${THINGS}/a/status`, {
        ...thing({}, { status: { phase: "seen" } }),
        metadata: { name: "a", labels: { a: "b" } },
      }),
      update(`${THINGS}/a`, { ...thing({ a: "y" }), metadata: { name: "a", labels: { a: "b" } } }),
      update(`${THINGS}/a`, thing({ a: "y" }, { other: 1 })),
      get(`${THINGS}/a`),
    ],
  },
  {
    name: "generations count everything but metadata where there is no status",
    steps: [
      ...define(crd({ a: text })),
      create(THINGS, thing({ a: "x" }, { status: { phase: "kept" } })),
      update(`${THINGS}/a`, thing({ a: "x" }, { status: { phase: "new" } })),
      update(`${THINGS}/a`, {
        ...thing({ a: "x" }, { status: { phase: "new" } }),
        metadata: { name: "a", labels: { a: "b" } },
      }),
      update(`${THINGS}/a/status`, thing({ a: "x" }, { status: { phase: "x" } })),
      get(`${THINGS}/a/scale`),
    ],
  },
];

/** Custom resources against every part of a schema, later schemas and subresources. */
export const schemaScripts: readonly Script[] = [...samples, ...modes, ...later, ...subresources];
