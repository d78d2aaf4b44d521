import assert from "node:assert/strict";
import { applyIsCurrent, applyMergePatch, type DynamicObject } from "../../lib/apimachinery/mod.ts";

const desired: DynamicObject = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d", namespace: "n", labels: { a: "b" } },
  spec: {
    selector: { matchLabels: { a: "b" } },
    template: {
      spec: {
        containers: [
          { name: "x", image: "i", ports: [{ containerPort: 80 }], resources: { limits: { cpu: "1000m" } } },
          { name: "y", image: "j", args: ["1", "2"] },
        ],
      },
    },
  },
};
const own = {
  "f:metadata": { "f:labels": { "f:a": {} } },
  "f:spec": {
    "f:selector": {},
    "f:template": {
      "f:spec": {
        "f:containers": {
          'k:{"name":"x"}': {
            ".": {},
            "f:name": {},
            "f:image": {},
            "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
            "f:resources": { "f:limits": { "f:cpu": {} } },
          },
          'k:{"name":"y"}': { ".": {}, "f:name": {}, "f:image": {}, "f:args": {} },
        },
      },
    },
  },
};
function liveObject(): DynamicObject {
  return {
    ...desired,
    metadata: { ...desired.metadata, uid: "u", resourceVersion: "5", labels: { a: "b", other: "c" } },
    spec: {
      replicas: 1,
      selector: { matchLabels: { a: "b" } },
      template: {
        spec: {
          containers: [
            {
              name: "x",
              image: "i",
              ports: [{ containerPort: 80, protocol: "TCP" }],
              resources: { limits: { cpu: "1" } },
              imagePullPolicy: "Always",
            },
            { name: "y", image: "j", args: ["1", "2"] },
          ],
        },
      },
    },
    status: { replicas: 1 },
  };
}
function edited(base: DynamicObject, edit: (object: DynamicObject) => void): DynamicObject {
  const copy = structuredClone(base);
  edit(copy);
  return copy;
}
type Spec = { template: { spec: { containers: Record<string, unknown>[] } }; [field: string]: unknown };

// FR-27
Deno.test("an apply without changes is current, whatever the server defaulted or others own", () => {
  assert.ok(applyIsCurrent(desired, liveObject(), own));
});

Deno.test("any changed, new or dropped field makes an apply needed", () => {
  const containers = (object: DynamicObject) => (object.spec as Spec).template.spec.containers;
  const edits: [string, (object: DynamicObject) => void][] = [
    ["changed scalar", (o) => containers(o)[0]!.image = "new"],
    ["changed quantity", (o) => containers(o)[0]!.resources = { limits: { cpu: "2" } }],
    ["changed atomic list", (o) => containers(o)[1]!.args = ["2", "1"]],
    ["new field", (o) => (o.spec as Spec).replicas = 1],
    ["new label", (o) => o.metadata!.labels!.other = "c"],
    ["dropped label", (o) => delete o.metadata!.labels],
    ["dropped item", (o) => containers(o).pop()],
    ["new item", (o) => containers(o).push({ name: "z" })],
    ["renamed item", (o) => containers(o)[1]!.name = "z"],
    ["repeated item", (o) => containers(o)[1]!.name = "x"],
    ["other order", (o) => containers(o).reverse()],
    ["changed atomic map", (o) => (o.spec as Spec).selector = { matchLabels: {} }],
    ["null", (o) => containers(o)[1]!.args = null],
    ["explicit default", (o) => containers(o)[0]!.ports = [{ containerPort: 80, protocol: "TCP" }]],
    ["other type", (o) => (o.spec as Spec).template = [] as never],
  ];
  for (const [name, edit] of edits) {
    assert.ok(!applyIsCurrent(edited(desired, edit), liveObject(), own), name);
  }
});

Deno.test("a live object that was edited, or that lost an item, makes an apply needed", () => {
  const live = liveObject();
  const cases = [
    applyMergePatch(live, { metadata: { labels: { a: "x" } } }),
    applyMergePatch(live, { metadata: { labels: null } }),
    applyMergePatch(live, { spec: { selector: { matchLabels: { c: "d" } } } }),
    edited(live, (o) => (o.spec as Spec).template.spec.containers.shift()),
    edited(live, (o) => (o.spec as Spec).template.spec.containers.reverse()),
    edited(live, (o) => delete o.spec),
  ];
  for (const other of cases) assert.ok(!applyIsCurrent(desired, other, own));
});

Deno.test("without an own entry, or with an unreadable one, an apply is needed", () => {
  assert.ok(!applyIsCurrent(desired, liveObject(), undefined));
  assert.ok(!applyIsCurrent({ list: [1] }, { list: [1] }, { "f:list": { "i:0": {} } }));
  assert.ok(!applyIsCurrent({ list: [{ a: 1 }] }, { list: [{ a: 1 }] }, { "f:list": { "k:{broken": {} } }));
  assert.ok(!applyIsCurrent({ a: 1 }, { a: 1 }, { "f:a": null } as never));
  assert.ok(!applyIsCurrent({ a: { b: 1 } }, { a: { b: 1 } }, { "f:a": { "f:b": {}, 'v:"x"': {} } }));
});

Deno.test("members of a set are compared by value and keep our order among others", () => {
  const fields = { "f:metadata": { "f:finalizers": { ".": {}, 'v:"a"': {}, 'v:"b"': {} } } };
  const want = (finalizers: string[]): DynamicObject => ({ metadata: { finalizers } });
  assert.ok(applyIsCurrent(want(["a", "b"]), want(["a", "x", "b"]), fields));
  assert.ok(!applyIsCurrent(want(["a", "b"]), want(["b", "a"]), fields));
  assert.ok(!applyIsCurrent(want(["a", "b"]), want(["a"]), fields));
  assert.ok(!applyIsCurrent(want(["a"]), want(["a", "b"]), fields));
});

Deno.test("a Secret's stringData is current when its data is the encoded form", () => {
  const want: DynamicObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s" },
    stringData: { a: "grüße" },
    data: { c: "Yg==" },
  };
  const fields = { "f:data": { "f:c": {} }, "f:stringData": { "f:a": {} } };
  const live = { ...want, stringData: undefined, data: { a: "Z3LDvMOfZQ==", c: "Yg==" } };
  assert.ok(applyIsCurrent(want, live, fields));
  assert.ok(!applyIsCurrent({ ...want, stringData: { a: "other" } }, live, fields));
  assert.ok(!applyIsCurrent({ ...want, stringData: { a: "grüße", b: "" } }, live, fields));
  assert.ok(!applyIsCurrent({ ...want, stringData: undefined }, live, fields));
  assert.ok(!applyIsCurrent(want, live, { "f:data": { "f:a": {}, "f:c": {} } }));
});

Deno.test("a zero value that is desired for the first time is a difference: only an applied one may be absent", () => {
  const live = { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data: { a: "1" } } as DynamicObject;
  const own = { "f:data": { ".": {}, "f:a": {} } };
  for (const more of [{ flag: "" }, { flag: null }]) {
    assert.ok(
      !applyIsCurrent({ ...live, data: { a: "1", ...more } } as DynamicObject, live, own),
      JSON.stringify(more),
    );
  }
  const custom = { apiVersion: "a.example.com/v1", kind: "A", metadata: {}, spec: { a: 1 } } as DynamicObject;
  for (const more of [{ on: false }, { n: 0 }, { map: {} }, { list: [] }, { text: "" }]) {
    const desired = { ...custom, spec: { a: 1, ...more } } as DynamicObject;
    assert.ok(!applyIsCurrent(desired, custom, { "f:spec": { "f:a": {} } }), JSON.stringify(more));
  }
  const labelled = { ...live, metadata: { labels: { flag: "" } } } as DynamicObject;
  assert.ok(!applyIsCurrent(labelled, live, own));
  const service = { apiVersion: "v1", kind: "Service", metadata: {}, spec: { a: 1 } } as DynamicObject;
  const empty = { ...service, spec: { a: 1, ports: [] } } as DynamicObject;
  assert.ok(applyIsCurrent(empty, service, { "f:spec": { "f:a": {} } }), "an empty keyed list has no owner");
});
