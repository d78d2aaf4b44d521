import { patch, type Script } from "../script.ts";
import { ABSENT, appliedWith } from "./changed.ts";
import { container, deployment, podSpec } from "./pods.ts";
import { CONFIG_MAP, DEPLOYMENT, POD, SERVICE, WIDGET } from "./targets.ts";

const CONTAINERS = "spec.template.spec.containers";
const port = { containerPort: 80 };

const undeclared = (["Strict", "Warn", "Ignore"] as const).flatMap((mode) => {
  const query = `?fieldValidation=${mode}`;
  return [
    ...appliedWith(CONFIG_MAP, { data: { a: "1" } }, { typo: [1], "metadata.typo": [1] }, query),
    ...appliedWith(DEPLOYMENT, deployment(1, container), {
      "spec.typo": [1],
      "spec.replicas": ["1"],
      [`${CONTAINERS}.0.typo`]: [{ a: 1 }],
    }, query),
    ...appliedWith(WIDGET, { spec: { size: 1 } }, { "spec.typo": [1], "spec.size": ["1"], typo: [1] }, query),
  ];
});

/** Applied bodies that are no object of the kind. */
const BODIES: readonly (readonly [string, unknown])[] = [
  ["an empty text", ""],
  ["a list", []],
  ["a number", 1],
  ["null", "null"],
  ["a text", '"x"'],
  ["broken JSON", '{"apiVersion":'],
  ["broken YAML", "a: [1\nb: 2"],
  ["two YAML documents", "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: ConfigMap\n"],
  ["YAML with a repeated key", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: x, a: y}\n"],
  [
    "JSON with a repeated key",
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"x","a":"y"}}',
  ],
  ["YAML with a number for a text", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 1}\n"],
  ["YAML with yes for a text", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: yes}\n"],
  ["YAML with an anchor", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: &x 'q', b: *x}\n"],
  ["YAML of a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: |\n    x\n    y\n"],
];

const bodies: Script[] = BODIES.map(([name, body]) => ({
  name: `${name} is applied`,
  steps: [patch("apply", "v1/configmaps/a", body)],
}));

/** Applied objects with undeclared fields, wrong types, nulls, items without keys, repeated items. */
export const typedApplies: readonly Script[] = [
  ...undeclared,
  ...bodies,
  ...appliedWith(CONFIG_MAP, { data: { a: "1" } }, {
    "data.a": [1, true, null, [], {}],
    data: ["x", [], null, {}],
    "metadata.labels": ["x", { a: 1 }, { a: null }, null, { "a b": "c" }],
    "metadata.annotations": [{ a: { b: 1 } }],
    "metadata.finalizers": ["x", ["a.example/x", "a.example/x"], [1], [null], null],
    "metadata.ownerReferences": [
      [{}],
      [{ uid: "1" }],
      [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }, { apiVersion: "v1", kind: "Pod", name: "q", uid: "1" }],
    ],
    immutable: ["yes", null, 1],
    "binaryData.a": ["!!", 1, "YWJj"],
    "metadata.managedFields": [[], null, [{}], [{ manager: "x", operation: "Apply", apiVersion: "v1" }], "x"],
    "metadata.name": ["b", "", null, ABSENT, "A_", 1],
    "metadata.namespace": ["other", ABSENT, null, "", 1],
    "metadata.uid": ["x", "", null],
    "metadata.resourceVersion": ["1", "x", ""],
    "metadata.generateName": ["g-"],
    "metadata.creationTimestamp": [null, "x", "2024-01-02T03:04:05Z"],
    "metadata.generation": [7, "x"],
    apiVersion: [ABSENT, "v2", "", 1],
    kind: [ABSENT, "Pod", "", 1],
    metadata: [ABSENT, null, "x", []],
  }),
  ...appliedWith(DEPLOYMENT, deployment(1, container), {
    "spec.replicas": [1.5, null, true, -1, 3_000_000_000],
    [CONTAINERS]: [
      {},
      "x",
      null,
      [null],
      ["x"],
      [[]],
      [{ image: "x" }],
      [container, { ...container, image: "b" }],
      [container, container, container],
      [{ name: 1, image: "x" }],
      [{ name: null, image: "x" }],
    ],
    [`${CONTAINERS}.0.ports`]: [
      [{ containerPort: "80" }],
      [{}],
      [port, port],
      [port, { ...port, protocol: "UDP" }],
      [port, { ...port, protocol: "TCP" }],
      [{ name: "x" }],
      [{ protocol: "TCP" }],
      null,
    ],
    [`${CONTAINERS}.0.env`]: [[{}], [{ name: "A" }, { name: "A", value: "1" }], [{ name: "A", value: 1 }], [{
      value: "1",
    }]],
    [`${CONTAINERS}.0.resources.limits.cpu`]: [1, 1.5, "1", true, {}, "x", null],
    [`${CONTAINERS}.0.volumeMounts`]: [[{ name: "v" }], [{ mountPath: "/a" }, { mountPath: "/a" }]],
    [`${CONTAINERS}.0.livenessProbe.httpGet`]: [{ port: "http" }, { port: 80 }, { port: true }, { port: null }, {}],
    [`${CONTAINERS}.0.command`]: ["x", [1], [null], ["a", "a"]],
    "spec.selector": [null, {}, "x"],
    "spec.strategy.rollingUpdate.maxSurge": [1, "1", true, {}, "10%"],
    status: [{ replicas: 1 }, { typo: 1 }, { replicas: "x" }],
    "spec.template.metadata.creationTimestamp": [null],
    "spec.template.spec.tolerations": [[{ key: "a" }, { key: "a" }]],
    "spec.template.spec.hostAliases": [[{ ip: "1.1.1.1" }, { ip: "1.1.1.1" }], [{ hostnames: ["a"] }]],
    "spec.template.spec.imagePullSecrets": [[{}], [{ name: "a" }, { name: "a" }]],
  }),
  ...appliedWith(SERVICE, { spec: { ports: [{ port: 80 }] } }, {
    "spec.ports": [
      [{ port: 80 }, { port: 80 }],
      [{ port: 80, name: "a" }, { port: 80, name: "b", protocol: "UDP" }],
      [{ name: "a" }],
      [{ port: "80" }],
      [{ port: 80, targetPort: "web" }, { port: 81, targetPort: 8080, name: "x" }],
      [{ port: 80, targetPort: true }],
    ],
    "spec.selector": [{ a: 1 }, { a: "b" }, []],
    "spec.type": [1, "Wrong"],
    "spec.loadBalancerSourceRanges": [["10.0.0.0/8", "10.0.0.0/8"]],
  }),
  ...appliedWith(POD, { spec: podSpec }, {
    "spec.volumes": [[{ name: "a" }, { name: "a" }], [{ emptyDir: {} }]],
    "spec.nodeSelector": [{ a: 1 }, { a: "b" }],
    "spec.terminationGracePeriodSeconds": ["1", 1.5],
    "spec.initContainers": [[{ image: "x" }]],
    "spec.topologySpreadConstraints": [[{ maxSkew: 1 }], [{ topologyKey: "a" }]],
  }),
  ...appliedWith(WIDGET, { spec: { size: 1 } }, {
    spec: ["x", [], null, {}],
    status: ["x", null, { a: 1 }],
    "spec.size": [1.5, true, {}, null, "x"],
    "spec.ratio": ["x", 0.5, null],
    "spec.on": ["yes", 1, null],
    "spec.mode": [1, "c", null],
    "spec.tags": ["x", ["a", "a"], ["a", null], [1], [["a"]], null, [{}]],
    "spec.plain": [["x"], [null], [1, 1], "x"],
    "spec.parts": [
      [{}],
      [{ zone: "z" }],
      [{ name: "a" }, { name: "a", zone: "z" }],
      [{ name: "a" }, { name: "a", zone: "y" }],
      [{ name: "a", typo: 1 }],
      [null],
      ["x"],
      [{ name: "a", count: "x" }],
      [{ name: null }],
      [{ name: "a", zone: null }],
      [{ name: "a", labels: { x: 1 } }],
      {},
    ],
    "spec.labels": [{ a: 1 }, { a: null }, [], null],
    "spec.port": [true, {}, "http", 80, null],
    "spec.free": [{ known: 1 }, { known: { x: 1 } }, { any: null }, [], null],
    "spec.atomic": [{ a: 1 }, { typo: "x" }, null],
    "spec.maybe": [null, 1],
    "spec.template": [
      { apiVersion: "v1", kind: "Pod", metadata: { name: "x", typo: 1 } },
      { apiVersion: "v1", kind: "Pod", typo: 1 },
      { apiVersion: "v1", kind: "Pod", metadata: { labels: { a: 1 } } },
    ],
    "metadata.typo": [1],
    "metadata.labels": [{ a: 1 }, null],
    "metadata.managedFields": [[], [{}]],
    "metadata.name": ["b", ABSENT],
    kind: [ABSENT, "Gadget"],
    apiVersion: [ABSENT, "shop.example.com/v2"],
  }),
];
