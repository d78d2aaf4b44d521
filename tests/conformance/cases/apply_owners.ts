import { crdOf, create, define, get, patch, type Script, type Step, update } from "../script.ts";
import { container, deployment } from "./pods.ts";

const text = { type: "string" }, count = { type: "integer" };

function listOf(items: object, kind: string, ...keys: string[]): object {
  return {
    type: "array",
    items,
    "x-kubernetes-list-type": kind,
    ...keys.length > 0 && { "x-kubernetes-list-map-keys": keys },
  };
}

function item(properties: Record<string, unknown>, ...required: string[]): object {
  return { type: "object", properties, required };
}

const inner = item({ key: text, value: text, list: listOf(text, "set") }, "key");

/** Every kind of list and map. */
const SHAPES: Record<string, unknown> = {
  text,
  number: { type: "number" },
  flag: { type: "boolean" },
  struct: item({ a: text, b: count, deep: item({ c: text }) }),
  texts: listOf(text, "set"),
  numbers: listOf({ type: "number" }, "set"),
  flags: listOf({ type: "boolean" }, "set"),
  keyed: listOf(
    item({ key: text, id: count, value: text, flag: { type: "boolean" } }, "key", "id"),
    "map",
    "key",
    "id",
  ),
  defaulted: listOf(item({ key: text, zone: { ...text, default: "z" }, value: text }, "key"), "map", "key", "zone"),
  nested: listOf(
    item(
      { name: text, items: listOf(inner, "map", "key"), map: { type: "object", additionalProperties: text } },
      "name",
    ),
    "map",
    "name",
  ),
  maps: { type: "object", additionalProperties: text },
  mapOfMaps: { type: "object", additionalProperties: { type: "object", additionalProperties: text } },
  mapOfLists: { type: "object", additionalProperties: listOf(inner, "map", "key") },
  atomicList: listOf(inner, "atomic"),
  plainList: { type: "array", items: text },
  atomicMap: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: text },
  atomicStruct: { type: "object", "x-kubernetes-map-type": "atomic", properties: { a: text, b: text } },
  free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  open: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: listOf(text, "set") } },
  port: { "x-kubernetes-int-or-string": true },
};

const GROUP = "shapes.example.com", PATH = `${GROUP}/v1/shapes`;
const replicas = { type: "integer", minimum: 0 };

/** The CRD of the shapes. */
export const defineShapes: Step[] = define(
  crdOf("Shape", GROUP, {
    spec: { type: "object", properties: { ...SHAPES, replicas } },
    status: { type: "object", properties: { replicas, phase: text, selector: text } },
  }, {
    version: {
      subresources: {
        status: {},
        scale: {
          specReplicasPath: ".spec.replicas",
          statusReplicasPath: ".status.replicas",
          labelSelectorPath: ".status.selector",
        },
      },
    },
  }),
);

function shape(spec: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { apiVersion: `${GROUP}/v1`, kind: "Shape", metadata: { name: "a" }, spec, ...more };
}

function applies(manager: string, spec: Record<string, unknown>, query = "", keep: Record<string, string> = {}): Step {
  return patch("apply", `${PATH}/a?fieldManager=${manager}${query}`, shape(spec), { keep });
}

function merges(manager: string, body: Record<string, unknown>): Step {
  return patch("merge", `${PATH}/a?fieldManager=${manager}`, body);
}

/** What two managers want of one field. */
const WANTED: readonly (readonly [field: string, first: unknown, second: unknown])[] = [
  ["text", "x", "y"],
  ["number", 1, 1.5],
  ["flag", true, false],
  ["struct", { a: "1", deep: { c: "1" } }, { a: "2", b: 1 }],
  ["struct", { a: "1" }, { deep: { c: "1" } }],
  ["struct", {}, { a: "1" }],
  ["texts", ["a", "b"], ["b", "c"]],
  ["texts", ["a", "b", "c"], ["c", "a"]],
  ["texts", [], ["a"]],
  ["numbers", [1, 2.5], [2.5, 3]],
  ["flags", [true], [true, false]],
  ["keyed", [{ key: "a", id: 1, value: "x" }, { key: "b", id: 2 }], [{ key: "b", id: 2, value: "y" }, {
    key: "a",
    id: 2,
  }]],
  ["keyed", [{ key: "a", id: 1, value: "x" }], [{ key: "a", id: 1, value: "y", flag: true }]],
  ["keyed", [{ key: "a", id: 1, value: "x" }], []],
  ["defaulted", [{ key: "a", value: "x" }], [{ key: "a", zone: "z", value: "y" }, { key: "a", zone: "q" }]],
  ["nested", [{ name: "a", items: [{ key: "k", value: "1" }] }], [{
    name: "a",
    items: [{ key: "k", list: ["x"] }, { key: "l" }],
  }]],
  ["nested", [{ name: "a", map: { x: "1" } }, { name: "b" }], [{ name: "a", map: { x: "2", y: "1" } }]],
  ["nested", [{ name: "a", items: [{ key: "k", list: ["x", "y"] }] }], [{
    name: "a",
    items: [{ key: "k", list: ["y"] }],
  }]],
  ["maps", { a: "1", b: "2" }, { b: "3", c: "4" }],
  ["maps", {}, { a: "1" }],
  ["mapOfMaps", { a: { x: "1" } }, { a: { y: "1" }, b: {} }],
  ["mapOfMaps", { a: { x: "1", y: "2" } }, { a: { x: "2" } }],
  ["mapOfLists", { a: [{ key: "k" }] }, { a: [{ key: "k", value: "1" }, { key: "l" }] }],
  ["mapOfLists", { a: [{ key: "k", value: "1" }] }, { b: [{ key: "k" }] }],
  ["atomicList", [{ key: "a" }, { key: "a" }], [{ key: "a" }]],
  ["atomicList", [{ key: "a" }], [{ key: "a" }]],
  ["plainList", ["a", "a"], ["b"]],
  ["plainList", [], ["a"]],
  ["atomicMap", { a: "1" }, { b: "1" }],
  ["atomicMap", {}, { b: "1" }],
  ["atomicStruct", { a: "1" }, { a: "1", b: "2" }],
  ["free", { a: { b: 1 } }, { a: { c: [1] } }],
  ["free", { a: [1, { b: 1 }] }, { a: [2] }],
  ["free", { a: 1 }, { a: { b: 1 } }],
  ["open", { known: ["a"], x: 1 }, { known: ["b"], y: { z: 1 } }],
  ["port", 80, "80"],
];

function named(prefix: string, field: string, first: unknown, second: unknown): string {
  return `${prefix} ${field}: ${JSON.stringify(first)} and ${JSON.stringify(second)}`;
}

/** Both apply, force, and give up the field one after the other. */
const shared: Script[] = WANTED.map(([field, first, second]) => ({
  name: named("two managers apply", field, first, second),
  steps: [
    applies("m", { [field]: first }),
    applies("n", { [field]: second }),
    applies("n", { [field]: second }, "&force=true"),
    applies("m", {}),
    applies("n", {}),
  ],
}));

/** One manager changes its mind; another updates between. */
const edited: Script[] = WANTED.map(([field, first, second]) => ({
  name: named("an applied field is updated:", field, first, second),
  steps: [
    applies("m", { [field]: first }, "", { rv: "metadata.resourceVersion" }),
    update(
      `${PATH}/a?fieldManager=u`,
      shape({ [field]: second }, { metadata: { name: "a", resourceVersion: "${rv}" } }),
    ),
    applies("m", { [field]: first }, "&force=true"),
    applies("m", { [field]: second }),
    merges("u", { spec: { [field]: null } }),
    applies("m", { [field]: second }),
  ],
}));

const replaced = (manager: string, query: string, count: number): Step =>
  patch("apply", `apps/v1/deployments/a/scale?fieldManager=${manager}${query}`, {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "a" },
    spec: { replicas: count },
  });
const whole = (count: number | undefined) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "a" },
  ...deployment(count, container),
});
const status = (
  manager: string,
  fields: Record<string, unknown>,
  more: Record<string, unknown> = {},
  query = "",
): Step =>
  patch("apply", `${PATH}/a/status?fieldManager=${manager}${query}`, {
    apiVersion: `${GROUP}/v1`,
    kind: "Shape",
    metadata: { name: "a", labels: { ignored: "x" } },
    status: fields,
    ...more,
  });
const shapeScale = (manager: string, spec: Record<string, unknown>, query = ""): Step =>
  patch("apply", `${PATH}/a/scale?fieldManager=${manager}${query}`, {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name: "a" },
    spec,
  });
const configMap = (data: Record<string, unknown>, metadata: Record<string, unknown> = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", ...metadata },
  data,
});
const at = (manager: string, query = "") => `v1/configmaps/a?fieldManager=${manager}${query}`;

const subresources: Script[] = [
  {
    name: "the scale of a Deployment is applied",
    steps: [
      patch("apply", "apps/v1/deployments/a?fieldManager=m", whole(1)),
      replaced("s", "", 2),
      replaced("s", "&force=true", 2),
      patch("apply", "apps/v1/deployments/a?fieldManager=m", whole(1)),
      patch("apply", "apps/v1/deployments/a?fieldManager=m", whole(undefined)),
      replaced("s", "", 3),
      get("apps/v1/deployments/a/scale"),
    ],
  },
  { name: "the scale of a Deployment that is missing is applied", steps: [replaced("s", "", 2)] },
  {
    name: "a scale with an undeclared field is applied",
    steps: [
      patch("apply", "apps/v1/deployments/a?fieldManager=m", whole(1)),
      patch("apply", "apps/v1/deployments/a/scale", {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "a" },
        spec: { replicas: 1, typo: 1 },
      }),
    ],
  },
  {
    name: "the scale of a custom resource is applied",
    steps: [
      applies("m", { replicas: 1 }),
      shapeScale("s", { replicas: 2 }),
      shapeScale("s", { replicas: 2 }, "&force=true"),
      applies("m", {}),
      shapeScale("s", {}),
      shapeScale("s", { replicas: -1 }, "&force=true"),
      get(`${PATH}/a/scale`),
    ],
  },
  {
    name: "the status of a custom resource is applied",
    steps: [
      applies("m", { text: "x" }),
      status("m", { phase: "a", replicas: 1 }),
      status("n", { phase: "b" }),
      status("n", { phase: "b" }, {}, "&force=true"),
      status("n", { phase: "b" }, { spec: { text: "y" } }),
      applies("m", { text: "z" }),
      status("m", {}),
      status("n", { typo: 1 }),
      status("n", { phase: 1 }),
    ],
  },
  { name: "the status of a custom resource that is missing is applied", steps: [status("m", { phase: "a" })] },
  {
    name: "a status in an applied custom resource is ignored",
    steps: [
      patch("apply", `${PATH}/a`, shape({ text: "x" }, { status: { phase: "a" } })),
      patch("apply", `${PATH}/b`, { ...shape({}, { status: { typo: 1 } }), metadata: { name: "b" } }),
    ],
  },
  {
    name: "a status is updated by another manager than the spec",
    steps: [
      applies("m", { text: "x" }),
      patch("merge", `${PATH}/a/status?fieldManager=u`, { status: { phase: "a" }, spec: { text: "ignored" } }),
      status("m", { phase: "b" }),
      merges("u", { spec: { text: "y" }, status: { phase: "ignored" } }),
      applies("m", { text: "x" }),
    ],
  },
  {
    name: "the scale of a custom resource is merged",
    steps: [
      applies("m", { replicas: 1 }),
      patch("merge", `${PATH}/a/scale?fieldManager=u`, { spec: { replicas: 4 } }),
      applies("m", { replicas: 1 }),
      patch("json", `${PATH}/a/scale?fieldManager=u`, [{ op: "replace", path: "/spec/replicas", value: -1 }]),
    ],
  },
];

const requests: Script[] = [
  {
    name: "a dry run creates nothing",
    steps: [patch("apply", at("m", "&dryRun=All"), configMap({ a: "1" })), get("v1/configmaps/a")],
  },
  {
    name: "a dry run changes nothing",
    steps: [
      patch("apply", at("m"), configMap({ a: "1" })),
      patch("apply", at("m", "&dryRun=All"), configMap({ b: "1" })),
      get("v1/configmaps/a"),
    ],
  },
  {
    name: "a dry run creates with a resourceVersion",
    steps: [patch("apply", at("m", "&dryRun=All"), configMap({ a: "1" }, { resourceVersion: "1" }))],
  },
  {
    name: "an apply with the current resourceVersion",
    steps: [
      create("v1/configmaps", configMap({ a: "1" }), { keep: { rv: "metadata.resourceVersion", uid: "metadata.uid" } }),
      patch("apply", at("m"), configMap({ b: "1" }, { resourceVersion: "${rv}", uid: "${uid}" })),
      patch("apply", at("m"), configMap({ b: "2" }, { resourceVersion: "${rv}" })),
      patch("apply", at("m", "&force=true"), configMap({ a: "2" }, { resourceVersion: "${rv}" })),
      patch("apply", at("m"), configMap({ b: "1" }, { uid: "another" })),
      patch("apply", at("m"), configMap({ b: "1" }, { resourceVersion: "0" })),
    ],
  },
  {
    name: "no field manager",
    steps: [{ method: "PATCH", path: "v1/configmaps/a", type: "application/apply-patch+yaml", body: configMap({}) }],
  },
  { name: "an empty field manager", steps: [patch("apply", at(""), configMap({}))] },
  { name: "a long field manager", steps: [patch("apply", at("m".repeat(129)), configMap({}))] },
  { name: "a field manager with control characters", steps: [patch("apply", at("m%01"), configMap({}))] },
  { name: "force that is no boolean", steps: [patch("apply", at("m", "&force=maybe"), configMap({}))] },
  { name: "an unknown dryRun", steps: [patch("apply", at("m", "&dryRun=Some"), configMap({}))] },
  { name: "an unknown fieldValidation", steps: [patch("apply", at("m", "&fieldValidation=Some"), configMap({}))] },
  {
    name: "force with another patch",
    steps: [create("v1/configmaps", configMap({})), patch("merge", at("m", "&force=true"), { data: { a: "1" } })],
  },
  {
    name: "an applied object is deleted and applied again",
    steps: [
      patch("apply", at("m"), configMap({ a: "1" })),
      { method: "DELETE", path: "v1/configmaps/a" },
      patch("apply", at("m"), configMap({ a: "2" })),
    ],
  },
  {
    name: "three managers share and leave",
    steps: [
      patch("apply", at("m"), configMap({ a: "1", b: "1" })),
      patch("apply", at("n"), configMap({ a: "1", c: "1" })),
      patch("apply", at("o"), configMap({ a: "1" })),
      patch("apply", at("m"), configMap({})),
      patch("apply", at("p"), configMap({ a: "2", c: "2" })),
      patch("apply", at("n"), configMap({})),
      patch("apply", at("o"), configMap({})),
    ],
  },
  {
    name: "a conflict names several managers",
    steps: [
      patch("apply", at("m"), configMap({ a: "1" })),
      patch("merge", at("u"), { data: { b: "1", c: "1" } }),
      patch("apply", at("n"), configMap({ a: "2", b: "2", c: "2" })),
      patch("apply", at("n", "&force=true"), configMap({ a: "2", b: "2", c: "2" })),
    ],
  },
  {
    name: "labels, annotations, finalizers and owners are owned",
    steps: [
      patch(
        "apply",
        at("m"),
        configMap({}, { labels: { a: "1" }, annotations: { b: "1" }, finalizers: ["x.example/a"] }),
      ),
      patch("apply", at("n"), configMap({}, { labels: { a: "2" }, finalizers: ["x.example/b"] })),
      patch("apply", at("n", "&force=true"), configMap({}, { labels: { a: "2" }, finalizers: ["x.example/b"] })),
      patch("apply", at("m"), configMap({})),
      patch("merge", at("u"), { metadata: { finalizers: null, labels: null } }),
    ],
  },
  {
    name: "owner references are merged by uid",
    steps: [
      create("v1/configmaps", configMap({}, { name: "x" }), { keep: { x: "metadata.uid" } }),
      create("v1/configmaps", configMap({}, { name: "y" }), { keep: { y: "metadata.uid" } }),
      ...["m x ${x}", "n y ${y}", "n z ${x}", "m"].map((words) => {
        const [manager, name, uid] = words.split(" ");
        const ownerReferences = name && [{ apiVersion: "v1", kind: "ConfigMap", name, uid }];
        return patch("apply", at(manager!), configMap({}, { ...ownerReferences && { ownerReferences } }));
      }),
    ],
  },
];

const entry = (fields: Record<string, unknown>) => ({
  manager: "x",
  operation: "Apply",
  apiVersion: "v1",
  time: "2024-01-02T03:04:05Z",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:data": { "f:a": {} } },
  ...fields,
});

/** `managedFields` that clients send with a create, update or patch. */
const SENT: readonly (readonly [string, unknown])[] = [
  ["none", []],
  ["null", null],
  ["one empty entry", [{}]],
  ["two empty entries", [{}, {}]],
  ["an entry", [entry({})]],
  ["an entry without a time", [entry({ time: undefined })]],
  ["an entry of an unknown operation", [entry({ operation: "Wrong" })]],
  ["an entry of another fieldsType", [entry({ fieldsType: "FieldsV2" })]],
  ["an entry without a manager", [entry({ manager: undefined })]],
  ["an entry without fields", [entry({ fieldsV1: undefined })]],
  ["an entry with wrong fields", [entry({ fieldsV1: { wrong: {} } })]],
  ["an entry of another version", [entry({ apiVersion: "v9" })]],
  ["an entry without a version", [entry({ apiVersion: undefined })]],
  ["an entry with a long manager", [entry({ manager: "m".repeat(200) })]],
  ["an entry with a subresource", [entry({ subresource: "status" })]],
  ["an Update entry", [entry({ operation: "Update" })]],
  ["a text", "x"],
];

const sent: Script[] = SENT.map(([name, managedFields]) => ({
  name: `managedFields are sent: ${name}`,
  steps: [
    create("v1/configmaps?fieldManager=c", configMap({ a: "1" }, { managedFields })),
    patch("apply", "v1/configmaps/b?fieldManager=m", configMap({ a: "1" }, { name: "b" })),
    patch("merge", "v1/configmaps/b?fieldManager=u", { metadata: { managedFields } }),
    patch("apply", "v1/configmaps/b?fieldManager=n", configMap({ a: "2" }, { name: "b" })),
  ],
}));

/** Who owns what after applies, updates and patches. */
export const ownership: readonly Script[] = [...shared, ...edited, ...subresources, ...requests, ...sent];
