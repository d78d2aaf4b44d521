import { type Area, crdOf, create, define, get, patch, type Script, type Step } from "../script.ts";
import { container, deployment } from "./pods.ts";
import { CONFIG_MAP, DEPLOYMENT, SERVICE, type Target, target } from "./targets.ts";

const text = { type: "string" };
const LAMP = target("merge.example.com/v1", "Lamp", "lamps");
const lamps = crdOf("Lamp", "merge.example.com", {
  spec: {
    type: "object",
    required: ["size"],
    properties: {
      size: { type: "integer", minimum: 1 },
      color: { ...text, default: "red" },
      maybe: { ...text, nullable: true },
      tags: { type: "array", items: text },
      parts: { type: "array", items: { type: "object", properties: { name: text } } },
      labels: { type: "object", additionalProperties: text },
      free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    },
  },
  status: { type: "object", properties: { phase: text } },
}, { version: { subresources: { status: {} } } });

const BASES: readonly (readonly [Target, Record<string, unknown>])[] = [
  [CONFIG_MAP, {
    metadata: { labels: { x: "1" }, annotations: { y: "1" }, finalizers: ["a.example/x"] },
    data: { a: "1" },
  }],
  [DEPLOYMENT, deployment(1, container, { name: "b", image: "b:1" })],
  [SERVICE, { spec: { ports: [{ port: 80, name: "a" }, { port: 81, name: "b" }], selector: { a: "b" } } }],
  [LAMP, { spec: { size: 1, tags: ["a"], labels: { a: "1" }, maybe: "m", free: { a: { b: 1 } } } }],
];

function created({ path, apiVersion, kind }: Target): Step {
  const [, base] = BASES.find(([target]) => target.kind === kind)!;
  const metadata = { ...base.metadata as object, name: "a" };
  return create(path, { apiVersion, kind, ...base, metadata });
}

/** A text is sent as it is. */
function merged(kind: Target, ...patches: readonly unknown[]): Script[] {
  return patches.map((body) => ({
    name: `${kind.kind} merged with ${typeof body === "string" ? body : JSON.stringify(body)}`,
    steps: [created(kind), patch("merge", `${kind.path}/a`, body)],
  }));
}

function withMode(kind: Target, body: unknown): Script[] {
  return ["Strict", "Warn", "Ignore", "Wrong"].map((mode) => ({
    name: `${kind.kind} merged with ${typeof body === "string" ? body : JSON.stringify(body)} under ${mode}`,
    steps: [created(kind), patch("merge", `${kind.path}/a?fieldValidation=${mode}`, body)],
  }));
}

/** Of any kind. */
const WHOLE: readonly unknown[] = [
  "",
  "[]",
  "1",
  "null",
  '"x"',
  "{",
  '{"metadata":{"labels":{"a":"1"}}} x',
  "{}",
  { metadata: null },
  { metadata: "x" },
  { metadata: [] },
  { kind: "Other" },
  { kind: null },
  { apiVersion: "other/v1" },
  { apiVersion: null },
  { metadata: { name: "b" } },
  { metadata: { name: null } },
  { metadata: { namespace: "other" } },
  { metadata: { namespace: null } },
  { metadata: { uid: "x" } },
  { metadata: { uid: null } },
  { metadata: { resourceVersion: "1" } },
  { metadata: { resourceVersion: "x" } },
  { metadata: { resourceVersion: null } },
  { metadata: { resourceVersion: "0" } },
  { metadata: { generation: 9 } },
  { metadata: { creationTimestamp: null } },
  { metadata: { creationTimestamp: "2024-01-02T03:04:05Z" } },
  { metadata: { creationTimestamp: "x" } },
  { metadata: { deletionTimestamp: "2024-01-02T03:04:05Z" } },
  { metadata: { deletionGracePeriodSeconds: 5 } },
  { metadata: { labels: null } },
  { metadata: { labels: { x: null, z: "1" } } },
  { metadata: { labels: { a: 1 } } },
  { metadata: { labels: { "a b": "c" } } },
  { metadata: { labels: ["x"] } },
  { metadata: { annotations: { "": "x" } } },
  { metadata: { finalizers: ["b.example/x"] } },
  { metadata: { finalizers: ["not qualified"] } },
  { metadata: { finalizers: null } },
  { metadata: { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "1" }] } },
  { metadata: { ownerReferences: [{}] } },
  { metadata: { selfLink: "/x" } },
  { metadata: { generateName: "g" } },
];

const TWICE = '{"data":{"a":"2","a":"3"}}';

/** JSON merge patches (RFC 7386). */
export const mergePatch: Area = {
  name: "merge_patch",
  setup: define(lamps),
  scripts: [
    ...merged(CONFIG_MAP, ...WHOLE),
    ...merged(LAMP, ...WHOLE),
    ...merged(
      CONFIG_MAP,
      { data: { a: null } },
      { data: null },
      { data: { a: { b: null } } },
      { data: { b: null, c: "" } },
      { data: [] },
      { data: { a: 1 } },
      { immutable: true },
      { binaryData: { a: "YQ==" } },
      { binaryData: { b: "!" } },
    ),
    ...merged(
      DEPLOYMENT,
      { spec: { replicas: null } },
      { spec: { replicas: "2" } },
      { spec: { replicas: -1 } },
      { spec: { replicas: 2.5 } },
      { spec: null },
      { spec: { selector: null } },
      { spec: { template: { spec: { containers: [{ name: "c", image: "c" }] } } } },
      { spec: { template: { spec: { containers: [] } } } },
      { spec: { template: { spec: { containers: { name: "x" } } } } },
      { spec: { template: { spec: { containers: [null] } } } },
      { spec: { template: { metadata: { labels: { a: null } } } } },
      { spec: { strategy: { type: "Recreate" } } },
      { spec: { strategy: { type: "Recreate", rollingUpdate: null } } },
      { status: { replicas: 3 } },
    ),
    ...merged(
      SERVICE,
      { spec: { ports: [{ port: 90 }] } },
      { spec: { ports: null } },
      { spec: { selector: null } },
      { spec: { clusterIP: null } },
      { spec: { clusterIP: "10.0.0.250" } },
      { spec: { type: "NodePort" } },
      { spec: { type: "ExternalName" } },
    ),
    ...merged(
      LAMP,
      { spec: { size: null } },
      { spec: { size: 0 } },
      { spec: { size: "1" } },
      { spec: { size: 2.0 } },
      '{"spec":{"size":2.0}}',
      '{"spec":{"size":2.5}}',
      '{"spec":{"size":1e2}}',
      '{"spec":{"size":9007199254740993}}',
      '{"spec":{"size":9223372036854775808}}',
      { spec: { color: null } },
      { spec: { maybe: null } },
      { spec: { tags: null } },
      { spec: { tags: ["b", null] } },
      { spec: { tags: { a: 1 } } },
      { spec: { parts: [{ name: null }] } },
      { spec: { parts: [{ typo: 1 }] } },
      { spec: { labels: { a: null, b: "2" } } },
      { spec: { labels: "x" } },
      { spec: { free: { a: null, c: { d: null } } } },
      { spec: { free: { a: [null, { b: null }] } } },
      { spec: { free: { a: 1 } } },
      { spec: null },
      { spec: "x" },
      { status: { phase: "x" } },
      { status: { phase: "x" }, spec: { size: 2 } },
    ),
    ...withMode(CONFIG_MAP, { typo: 1, data: { b: "1" } }),
    ...withMode(CONFIG_MAP, TWICE),
    ...withMode(LAMP, { spec: { typo: 1, parts: [{ typo: 2 }] }, zoo: 1 }),
    ...withMode(LAMP, '{"spec":{"size":2,"size":3}}'),
    ...withMode(LAMP, { metadata: { typo: 1 } }),
    {
      name: "a missing object is merged",
      steps: [patch("merge", "v1/configmaps/a", {}), patch("merge", `${LAMP.path}/a`, { spec: { size: 1 } })],
    },
    {
      name: "a dry run changes nothing",
      steps: [
        created(CONFIG_MAP),
        patch("merge", "v1/configmaps/a?dryRun=All", { data: { b: "1" } }),
        get("v1/configmaps/a"),
      ],
    },
    {
      name: "a status is merged",
      steps: [
        created(LAMP),
        patch("merge", `${LAMP.path}/a/status`, {
          status: { phase: "x" },
          spec: { size: 9 },
          metadata: { labels: { a: "b" } },
        }),
        patch("merge", `${LAMP.path}/a/status`, { status: { phase: null } }),
        patch("merge", `${LAMP.path}/a/status`, { status: { phase: 1 } }),
        patch("merge", `${LAMP.path}/a/status`, { status: null }),
        patch("merge", `${LAMP.path}/a`, { spec: { color: "blue" } }),
        patch("merge", `${LAMP.path}/a`, { spec: { color: "blue" } }),
      ],
    },
    {
      name: "the generation of a Deployment counts changes of its spec",
      steps: [
        created(DEPLOYMENT),
        patch("merge", "apps/v1/deployments/a", { metadata: { labels: { a: "b" } } }),
        patch("merge", "apps/v1/deployments/a", { spec: { replicas: 3 } }),
        patch("merge", "apps/v1/deployments/a/status", { status: { replicas: 3 } }),
        patch("merge", "apps/v1/deployments/a/scale", { spec: { replicas: 4 } }),
        patch("merge", "apps/v1/deployments/a/scale", { spec: { replicas: null } }),
        patch("merge", "apps/v1/deployments/a/scale", { spec: { replicas: -2 } }),
        patch("merge", "apps/v1/deployments/a/scale", { spec: { replicas: "3" } }),
        patch("merge", "apps/v1/deployments/a/scale", { metadata: { resourceVersion: "1" } }),
      ],
    },
  ],
};
