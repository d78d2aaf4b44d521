import { type Area, create, define, patch, type Script } from "../script.ts";
import { container, deployment, podSpec } from "./pods.ts";
import { CONFIG_MAP, POD, SERVICE, type Target, target } from "./targets.ts";
import { WIDGET_CRD, widgetOf, WIDGETS } from "./widget.ts";

const PATCHES: readonly [string, Record<string, unknown>][] = [
  ["merges containers by name", {
    spec: { template: { spec: { containers: [{ name: "a", image: "a:2" }, { name: "c", image: "c:1" }] } } },
  }],
  ["deletes a container", { spec: { template: { spec: { containers: [{ name: "b", $patch: "delete" }] } } } }],
  ["replaces containers", {
    spec: { template: { spec: { containers: [{ $patch: "replace" }, { name: "z", image: "z:1" }] } } },
  }],
  ["orders containers", {
    spec: {
      template: {
        spec: {
          "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
          containers: [{ name: "b", image: "b:3" }],
        },
      },
    },
  }],
  ["deletes a label", { metadata: { labels: { x: null, y: "2" } } }],
  ["replaces a map", { metadata: { labels: { $patch: "replace", only: "1" } } }],
  ["retains keys", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } }],
  ["deletes from a list of texts", { metadata: { "$deleteFromPrimitiveList/finalizers": ["a.example/x"] } }],
  ["adds to a list of texts", { metadata: { finalizers: ["c.example/x", "a.example/x"] } }],
  ["deletes a map", { metadata: { labels: { $patch: "delete" } } }],
  ["adds a port beside one of its number", {
    spec: {
      template: {
        spec: { containers: [{ name: "a", ports: [{ containerPort: 80, name: "http" }, { containerPort: 81 }] }] },
      },
    },
  }],
  ["item without its key", { spec: { template: { spec: { containers: [{ image: "x" }] } } } }],
  ["unknown directive", { metadata: { labels: { $patch: "frob" } } }],
];

const containers = (...items: unknown[]) => ({ spec: { template: { spec: { containers: items } } } });

/** On the same Deployment; named by what is sent. */
const MORE: readonly unknown[] = [
  "",
  "[]",
  "1",
  "null",
  "{",
  {},
  { metadata: null },
  { metadata: { labels: null } },
  { metadata: { name: "b" } },
  { metadata: { resourceVersion: "1" } },
  { metadata: { uid: "x" } },
  { kind: "Pod" },
  { spec: null },
  { spec: { replicas: null } },
  { spec: { replicas: "2" } },
  { spec: { typo: 1 } },
  { $patch: "delete" },
  { $patch: "replace", spec: {} },
  { spec: { $patch: "replace" } },
  { spec: { strategy: { $patch: "replace", type: "Recreate" } } },
  { spec: { strategy: { $patch: "merge", type: "Recreate" } } },
  { spec: { strategy: { type: "Recreate" } } },
  { spec: { strategy: { $retainKeys: ["rollingUpdate"], type: "Recreate" } } },
  { spec: { strategy: { $retainKeys: "type", type: "Recreate" } } },
  { spec: { strategy: { $retainKeys: [1], type: "Recreate" } } },
  { spec: { template: { spec: { containers: null } } } },
  { spec: { template: { spec: { containers: {} } } } },
  { spec: { template: { spec: { containers: "x" } } } },
  containers(),
  containers(null),
  containers("x"),
  containers({ name: null, image: "x" }),
  containers({ name: 1, image: "x" }),
  containers({ $patch: "delete" }),
  containers({ $patch: "delete", name: "none" }),
  containers({ $patch: "delete", name: "a" }, { $patch: "delete", name: "b" }),
  containers({ $patch: "replace" }),
  containers({ $patch: "replace", name: "z", image: "z" }),
  containers({ $patch: "merge", name: "a", image: "z" }),
  containers({ $patch: "frob", name: "a" }),
  containers({ $patch: 1, name: "a" }),
  containers({ name: "c", image: "c" }, { name: "c", image: "d" }),
  containers({ name: "a", env: [{ name: "X", value: "1" }, { name: "Y" }] }),
  containers({ name: "a", env: [{ name: "X", $patch: "delete" }] }),
  containers({ name: "a", ports: [{ containerPort: 80, $patch: "delete" }] }),
  containers({ name: "a", ports: [{ name: "x" }] }),
  containers({ name: "a", ports: null }),
  containers({ name: "a", args: ["a"], command: ["b"] }),
  containers({ name: "a", resources: { limits: { cpu: "1" } } }),
  containers({ name: "a", volumeMounts: [{ name: "v", mountPath: "/a" }] }),
  containers({
    name: "a",
    "$setElementOrder/env": [{ name: "B" }, { name: "A" }],
    env: [{ name: "A" }, { name: "B" }],
  }),
  { spec: { template: { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } } } },
  { spec: { template: { spec: { "$setElementOrder/containers": [{ name: "b" }] } } } },
  { spec: { template: { spec: { "$setElementOrder/containers": "x" } } } },
  { spec: { template: { spec: { "$setElementOrder/containers": [{}] } } } },
  {
    spec: {
      template: { spec: { "$setElementOrder/containers": [{ name: "a" }], containers: [{ name: "b", image: "x" }] } },
    },
  },
  { metadata: { "$setElementOrder/finalizers": ["b.example/x", "a.example/x"] } },
  { metadata: { "$deleteFromPrimitiveList/finalizers": ["none"] } },
  { metadata: { "$deleteFromPrimitiveList/finalizers": "x" } },
  { metadata: { "$deleteFromPrimitiveList/none": ["x"] } },
  { metadata: { "$deleteFromPrimitiveList/labels": ["x"] } },
  { metadata: { finalizers: [{ $patch: "replace" }, "c.example/x"] } },
  { metadata: { finalizers: null } },
  { metadata: { finalizers: ["a.example/x", "a.example/x"] } },
  { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }] } },
  { metadata: { ownerReferences: [{ uid: "1", $patch: "delete" }] } },
  { metadata: { annotations: { $patch: "delete" } } },
  { metadata: { labels: { $retainKeys: ["y"], y: "2" } } },
  { spec: { template: { spec: { volumes: [{ name: "v", emptyDir: {} }] } } } },
  { spec: { template: { spec: { imagePullSecrets: [{ name: "s" }] } } } },
  { spec: { template: { spec: { tolerations: [{ key: "a", operator: "Exists" }] } } } },
  { spec: { template: { spec: { nodeSelector: { a: "b" } } } } },
  { spec: { selector: { matchLabels: { a: "c" } } } },
  { status: { replicas: 4 } },
];

const MODES = ["Strict", "Warn", "Ignore"].map((mode) => ({
  name: `an undeclared field and a repeated key under ${mode}`,
  steps: [
    create("v1/configmaps", { metadata: { name: "a" }, data: { a: "1" } }),
    patch("strategic", `v1/configmaps/a?fieldValidation=${mode}`, { typo: 1, data: { b: "1" } }),
    patch("strategic", `v1/configmaps/a?fieldValidation=${mode}`, '{"data":{"a":"2","a":"3"}}'),
  ],
}));

const ROLE = target("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings");
const ACCOUNT = target("v1", "ServiceAccount", "serviceaccounts");
const binding = {
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" },
  subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "u" }],
};

function patched(kind: Target, base: Record<string, unknown>, ...patches: readonly unknown[]): Script[] {
  return patches.map((body) => ({
    name: `${kind.kind} patched with ${JSON.stringify(body)}`,
    steps: [create(kind.path, { metadata: { name: "a" }, ...base }), patch("strategic", `${kind.path}/a`, body)],
  }));
}

const KINDS: Script[] = [
  ...patched(
    SERVICE,
    { spec: { ports: [{ port: 80, name: "a" }, { port: 81, name: "b" }], selector: { a: "b" } } },
    {
      spec: { ports: [{ port: 80, targetPort: 8080 }] },
    },
    { spec: { ports: [{ port: 81, $patch: "delete" }] } },
    { spec: { ports: [{ port: 82, name: "c" }] } },
    {
      spec: { ports: [{ name: "a" }] },
    },
    { spec: { selector: { $patch: "replace", c: "d" } } },
    { spec: { externalIPs: ["1.2.3.4"] } },
  ),
  ...patched(
    POD,
    { spec: podSpec },
    { spec: { containers: [{ name: "a", image: "a:2" }] } },
    {
      spec: { containers: [{ name: "b", image: "a:2" }] },
    },
    { spec: { tolerations: [{ key: "x", operator: "Exists" }] } },
    {
      metadata: { labels: { a: "b" } },
      spec: { activeDeadlineSeconds: 5 },
    },
  ),
  ...patched(
    CONFIG_MAP,
    { data: { a: "1" } },
    { data: { a: null, b: "2" } },
    { data: { $patch: "replace", c: "3" } },
    {
      data: { $patch: "delete" },
    },
    { data: null },
    { data: { a: 1 } },
    { immutable: true },
  ),
  ...patched(ROLE, binding, { subjects: [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "g" }] }, {
    subjects: null,
  }, { roleRef: { name: "s" } }),
  ...patched(ACCOUNT, { secrets: [{ name: "x" }], imagePullSecrets: [{ name: "p" }] }, { secrets: [{ name: "y" }] }, {
    imagePullSecrets: [{ name: "q" }],
  }, { secrets: [{ name: "x", $patch: "delete" }] }),
  {
    name: "a custom resource",
    steps: [create(WIDGETS, widgetOf({ size: 1 })), patch("strategic", `${WIDGETS}/a`, { spec: { size: 2 } })],
  },
  { name: "a missing object", steps: [patch("strategic", "v1/configmaps/a", { data: {} })] },
  {
    name: "a status and a scale",
    steps: [
      create("apps/v1/deployments", { metadata: { name: "a" }, ...deployment(1, container) }),
      patch("strategic", "apps/v1/deployments/a/status", {
        status: { conditions: [{ type: "Available", status: "True" }], replicas: 1 },
      }),
      patch("strategic", "apps/v1/deployments/a/status", {
        status: { conditions: [{ type: "Progressing", status: "True" }, { type: "Available", $patch: "delete" }] },
      }),
      patch("strategic", "apps/v1/deployments/a/scale", { spec: { replicas: 2 } }),
    ],
  },
];

/** Strategic merge patches. */
export const strategicPatch: Area = {
  name: "strategic_patch",
  setup: define(WIDGET_CRD),
  scripts: [
    ...PATCHES.map(([name, body]) => onDeployment(name, body)),
    ...MORE.map((body) => onDeployment(`Deployment patched with ${JSON.stringify(body)}`, body)),
    ...MODES,
    ...KINDS,
  ],
};

function onDeployment(name: string, body: unknown): Script {
  return {
    name,
    steps: [
      create("apps/v1/deployments", {
        metadata: { name: "a", labels: { x: "1" }, finalizers: ["a.example/x", "b.example/x"] },
        ...deployment(1, container, { name: "b", image: "b:1" }),
      }),
      patch("strategic", "apps/v1/deployments/a", body),
    ],
  };
}
