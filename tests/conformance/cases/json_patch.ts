import { type Area, create, get, patch, type Script, type Step } from "../script.ts";
import { container, deployment } from "./pods.ts";
import { WIDGET_CRD, widgetOf, WIDGETS } from "./widget.ts";
import { define } from "../script.ts";

const config: Step = create("v1/configmaps", {
  metadata: {
    name: "a",
    labels: { x: "1" },
    annotations: { "a.example/b": "1", "t~d": "2" },
    finalizers: ["a.example/x", "a.example/y"],
  },
  data: { a: "1", b: "2" },
});
const widget: Step = create(
  WIDGETS,
  widgetOf({ size: 1, plain: [1, 2], free: { list: [1, 2, 3], n: null, deep: { a: 1 } } }),
);
const whole: Step = create("apps/v1/deployments", {
  metadata: { name: "a" },
  ...deployment(1, container, { name: "b", image: "b:1" }),
});

type Operation = Readonly<Record<string, unknown>>;

function patched(first: Step, path: string, given: string, ...patches: readonly unknown[]): Script[] {
  return patches.map((body) => ({
    name: `${given}: ${typeof body === "string" ? body : JSON.stringify(body)}`,
    steps: [first, patch("json", path, body)],
  }));
}

/** Each is one operation. */
const ON_CONFIG_MAP: readonly Operation[] = [
  { op: "add", path: "/data/c", value: "3" },
  { op: "add", path: "/data/a", value: "3" },
  { op: "add", path: "/data", value: { z: "1" } },
  { op: "add", path: "/data/c/d", value: "3" },
  { op: "add", path: "/none/c", value: "3" },
  { op: "add", path: "/metadata/finalizers/-", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/0", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/2", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/3", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/-1", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/x", value: "a.example/z" },
  { op: "add", path: "/metadata/finalizers/01", value: "a.example/z" },
  { op: "add", path: "/metadata/annotations/a.example~1c", value: "3" },
  { op: "add", path: "/metadata/annotations/t~0e", value: "3" },
  { op: "add", path: "/data/c" },
  { op: "add", path: "/data/c", value: null },
  { op: "add", path: "/data/c", value: 3 },
  { op: "add", value: "3" },
  { op: "add", path: "data/c", value: "3" },
  { op: "add", path: "", value: {} },
  { op: "add", path: "/", value: "3" },
  { op: "add", path: 3, value: "3" },
  { op: "add", path: "/typo", value: "3" },
  { op: "remove", path: "/data/a" },
  { op: "remove", path: "/data" },
  { op: "remove", path: "/data/none" },
  { op: "remove", path: "/none/a" },
  { op: "remove", path: "/metadata/finalizers/0" },
  { op: "remove", path: "/metadata/finalizers/5" },
  { op: "remove", path: "/metadata/finalizers/-1" },
  { op: "remove", path: "/metadata/finalizers/-" },
  { op: "remove", path: "/metadata/finalizers/x" },
  { op: "remove", path: "/metadata/annotations/a.example~1b" },
  { op: "remove", path: "/metadata/annotations/t~0d" },
  { op: "remove", path: "" },
  { op: "remove" },
  { op: "remove", path: "/metadata/name" },
  { op: "remove", path: "/metadata" },
  { op: "remove", path: "/kind" },
  { op: "remove", path: "/metadata/uid" },
  { op: "remove", path: "/metadata/resourceVersion" },
  { op: "remove", path: "/metadata/managedFields" },
  { op: "replace", path: "/data/a", value: "9" },
  { op: "replace", path: "/data/none", value: "9" },
  { op: "replace", path: "/data", value: null },
  { op: "replace", path: "/data/a", value: null },
  { op: "replace", path: "/data/a" },
  { op: "replace", path: "/metadata/finalizers/1", value: "a.example/z" },
  { op: "replace", path: "/metadata/finalizers/2", value: "a.example/z" },
  { op: "replace", path: "/metadata/finalizers/-", value: "a.example/z" },
  { op: "replace", path: "", value: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } } },
  { op: "replace", path: "/metadata/name", value: "b" },
  { op: "replace", path: "/metadata/resourceVersion", value: "1" },
  { op: "replace", path: "/metadata/labels", value: "x" },
  { op: "move", from: "/data/a", path: "/data/c" },
  { op: "move", from: "/data/a", path: "/data/b" },
  { op: "move", from: "/data/none", path: "/data/c" },
  { op: "move", from: "/metadata/finalizers/0", path: "/metadata/finalizers/1" },
  { op: "move", from: "/metadata/finalizers/1", path: "/metadata/finalizers/0" },
  { op: "move", from: "/data", path: "/data/x" },
  { op: "move", path: "/data/c" },
  { op: "copy", from: "/data/a", path: "/data/c" },
  { op: "copy", from: "/data", path: "/metadata/labels" },
  { op: "copy", from: "/data/none", path: "/data/c" },
  { op: "copy", from: "/metadata/finalizers/0", path: "/metadata/finalizers/-" },
  { op: "copy", path: "/data/c" },
  { op: "test", path: "/data/a", value: "1" },
  { op: "test", path: "/data/a", value: "2" },
  { op: "test", path: "/data/none", value: "2" },
  { op: "test", path: "/data/none", value: null },
  { op: "test", path: "/data/none" },
  { op: "test", path: "/none/a", value: "2" },
  { op: "test", path: "/data", value: { b: "2", a: "1" } },
  { op: "test", path: "/metadata/finalizers", value: ["a.example/y", "a.example/x"] },
  { op: "test", path: "/metadata/finalizers/0", value: "a.example/x" },
  { op: "test", path: "/metadata/finalizers/7", value: "a.example/x" },
  { op: "test", path: "/metadata/labels/x", value: 1 },
  { op: "frob", path: "/data/a" },
  { op: "Add", path: "/data/c", value: "1" },
  { path: "/data/a", value: "1" },
  { op: 1, path: "/data/a", value: "1" },
  { op: "add", path: "/data/c", value: "1", extra: true },
];

const ON_WIDGET: readonly Operation[] = [
  { op: "test", path: "/spec/size", value: 1 },
  { op: "test", path: "/spec/size", value: "1" },
  { op: "test", path: "/spec/free/n", value: null },
  { op: "test", path: "/spec/free/list", value: [1, 2, 3] },
  { op: "test", path: "/spec/free/list", value: [1, 2] },
  { op: "test", path: "/spec/free/deep", value: { a: 1 } },
  { op: "test", path: "/spec/free/deep", value: { a: 2 } },
  { op: "add", path: "/spec/plain/-", value: 3 },
  { op: "add", path: "/spec/free/list/1", value: { x: null } },
  { op: "add", path: "/spec/free/n/x", value: 1 },
  { op: "replace", path: "/spec/free/n", value: 1 },
  { op: "remove", path: "/spec/free/n" },
  { op: "replace", path: "/spec/size", value: 99 },
  { op: "replace", path: "/spec/size", value: "2" },
  { op: "remove", path: "/spec/size" },
  { op: "remove", path: "/spec/mode" },
  { op: "remove", path: "/spec" },
  { op: "add", path: "/spec/typo", value: 1 },
  { op: "copy", from: "/spec/free/deep", path: "/spec/free/list/-" },
  { op: "move", from: "/spec/free/list/0", path: "/spec/free/list/2" },
  { op: "move", from: "/spec/free/list/0", path: "/spec/free/list/3" },
  { op: "add", path: "/status", value: { a: 1 } },
  { op: "add", path: "/metadata/labels", value: { a: "1" } },
  { op: "add", path: "/metadata/labels/a", value: "1" },
  { op: "replace", path: "/metadata/uid", value: "x" },
];

const TEXTS = [
  "",
  "{}",
  "null",
  "[]",
  "1",
  "[1]",
  "[null]",
  "[[]]",
  "[{}]",
  "[",
  '[{"op":"test","path":"/spec/size","value":1.0}]',
  '[{"op":"replace","path":"/spec/size","value":2.0}]',
  '[{"op":"replace","path":"/spec/size","value":1e0}]',
  '[{"op":"add","path":"/spec/free/big","value":9007199254740993}]',
  '[{"op":"add","path":"/spec/free/big","value":12345678901234567890}]',
  '[{"op":"add","path":"/spec/free/x","value":{"a":1,"a":2}}]',
  '[{"op":"add","path":"/spec/free/x","value":1,"value":2}]',
];

const DEPLOYMENT_PATCHES: readonly (readonly Operation[])[] = [
  [{ op: "replace", path: "/spec/template/spec/containers/0/image", value: "a:2" }],
  [{ op: "test", path: "/spec/template/spec/containers/0/name", value: "b" }, {
    op: "remove",
    path: "/spec/template/spec/containers/0",
  }],
  [{ op: "test", path: "/spec/replicas", value: 1 }, { op: "replace", path: "/spec/replicas", value: 5 }],
  [{ op: "replace", path: "/spec/replicas", value: "5" }],
  [{ op: "add", path: "/spec/template/spec/containers/-", value: { name: "c", image: "c" } }],
  [{ op: "add", path: "/spec/template/spec/containers/-", value: { name: "a", image: "c" } }],
  [{ op: "remove", path: "/spec/template/spec/containers/1" }, {
    op: "remove",
    path: "/spec/template/spec/containers/1",
  }],
  [{ op: "remove", path: "/spec/selector" }],
  [{ op: "add", path: "/metadata/labels", value: {} }, { op: "add", path: "/metadata/labels/a", value: "b" }],
  [{ op: "add", path: "/spec/typo", value: 1 }],
];

/** JSON patches (RFC 6902). */
export const jsonPatch: Area = {
  name: "json_patch",
  setup: define(WIDGET_CRD),
  scripts: [
    ...patched(config, "v1/configmaps/a", "a ConfigMap", ...ON_CONFIG_MAP.map((operation) => [operation])),
    ...patched(widget, `${WIDGETS}/a`, "a widget", ...ON_WIDGET.map((operation) => [operation]), ...TEXTS),
    ...patched(whole, "apps/v1/deployments/a", "a Deployment", ...DEPLOYMENT_PATCHES),
    ...patched(widget, `${WIDGETS}/a?fieldValidation=Strict`, "a widget under Strict", [{
      op: "add",
      path: "/spec/typo",
      value: 1,
    }], ...TEXTS.slice(-2)),
    ...patched(config, "v1/configmaps/a?fieldValidation=Strict", "a ConfigMap under Strict", [{
      op: "add",
      path: "/typo",
      value: 1,
    }]),
    ...patched(widget, `${WIDGETS}/a/status`, "a widget's status", [{ op: "add", path: "/status", value: { a: 1 } }], [{
      op: "add",
      path: "/status/a",
      value: 1,
    }]),
    ...patched(
      whole,
      "apps/v1/deployments/a/scale",
      "a Deployment's scale",
      [{ op: "replace", path: "/spec/replicas", value: 3 }],
      [{ op: "remove", path: "/spec/replicas" }],
      [{ op: "replace", path: "/spec/replicas", value: -1 }],
      [{ op: "add", path: "/spec/typo", value: -1 }],
    ),
    {
      name: "a missing object is patched",
      steps: [
        patch("json", "v1/configmaps/a", [{ op: "add", path: "/data", value: {} }]),
        patch("json", "v1/configmaps/a", []),
      ],
    },
    {
      name: "a failed operation leaves the object",
      steps: [
        config,
        patch("json", "v1/configmaps/a", [{ op: "add", path: "/data/c", value: "1" }, { op: "remove", path: "/none" }]),
        get("v1/configmaps/a"),
      ],
    },
    {
      name: "too many operations",
      steps: [
        config,
        patch(
          "json",
          "v1/configmaps/a",
          Array.from({ length: 10_001 }, () => ({ op: "test", path: "/kind", value: "ConfigMap" })),
        ),
      ],
    },
  ],
};
