import assert from "node:assert/strict";
import { conformance } from "./conformance_case.ts";

const HEAD = { apiVersion: "v1", kind: "ConfigMap" };

// FR-82
conformance("an apply creates what is missing and owns what it says", async (test) => {
  const path = `${test.core("configmaps", "a")}?fieldManager=one`;
  const made = await test.patch(path, "apply", { ...HEAD, metadata: { name: "a" }, data: { k: "1" } });
  assert.equal(made.code, 201);
  assert.equal(made.body.metadata.managedFields[0].operation, "Apply");
  assert.deepEqual(made.body.metadata.managedFields[0].fieldsV1, { "f:data": { "f:k": {} } });
  const again = await test.patch(path, "apply", { ...HEAD, metadata: { name: "a" }, data: { k: "1" } });
  assert.equal(again.code, 200);
  assert.equal(again.body.metadata.resourceVersion, made.body.metadata.resourceVersion);
  const less = await test.patch(path, "apply", { ...HEAD, metadata: { name: "a" }, data: { l: "2" } });
  assert.deepEqual(less.body.data, { l: "2" });
});

// FR-82
conformance("an apply over another manager's field is a conflict until it is forced", async (test) => {
  const path = test.core("configmaps", "a");
  await test.patch(`${path}?fieldManager=one`, "apply", { ...HEAD, metadata: { name: "a" }, data: { k: "1" } });
  const refused = await test.patch(`${path}?fieldManager=two`, "apply", {
    ...HEAD,
    metadata: { name: "a" },
    data: { k: "2" },
  });
  assert.equal(refused.code, 409);
  assert.equal(refused.body.message, 'Apply failed with 1 conflict: conflict with "one": .data.k');
  assert.deepEqual(refused.body.details.causes, [{
    reason: "FieldManagerConflict",
    message: 'conflict with "one"',
    field: ".data.k",
  }]);
  const forced = await test.patch(`${path}?fieldManager=two&force=true`, "apply", {
    ...HEAD,
    metadata: { name: "a" },
    data: { k: "2" },
  });
  assert.equal(forced.body.data.k, "2");
  const shared = await test.patch(`${path}?fieldManager=one`, "apply", {
    ...HEAD,
    metadata: { name: "a" },
    data: { k: "2" },
  });
  assert.equal(shared.code, 200);
});

conformance("an apply needs a manager, a matching name, and no managedFields", async (test) => {
  const path = test.core("configmaps", "a");
  const nobody = await test.patch(path, "apply", HEAD);
  assert.equal(nobody.code, 422);
  assert.equal(
    nobody.body.message,
    'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
  );
  const other = await test.patch(`${path}?fieldManager=one`, "apply", { ...HEAD, metadata: { name: "b" } });
  assert.equal(other.code, 400);
  const nameless = await test.patch(`${path}?fieldManager=one`, "apply", HEAD);
  assert.equal(nameless.code, 400);
  const managed = {
    ...HEAD,
    metadata: { name: "a", managedFields: [{ manager: "x", operation: "Apply", apiVersion: "v1" }] },
  };
  assert.equal((await test.patch(`${path}?fieldManager=one`, "apply", managed)).code, 400);
  const force = await test.patch(`${path}?force=true`, "merge", {});
  assert.equal(force.code, 422);
  const yaml = await test.call(
    "PATCH",
    `${path}?fieldManager=one`,
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: v\n",
    {
      "content-type": "application/apply-patch+yaml",
    },
  );
  assert.equal(yaml.code, 201);
});

conformance("an update takes fields over from an apply, under the name of its program", async (test) => {
  const path = test.core("configmaps", "a");
  await test.patch(`${path}?fieldManager=one`, "apply", { ...HEAD, metadata: { name: "a" }, data: { k: "1", l: "1" } });
  const { body } = await test.patch(path, "merge", { data: { k: "2" } });
  const owners = body.metadata.managedFields.map((entry: { manager: string; operation: string; fieldsV1: unknown }) =>
    `${entry.manager} ${entry.operation} ${JSON.stringify(entry.fieldsV1)}`
  );
  assert.deepEqual(owners, ['one Apply {"f:data":{"f:l":{}}}', 'case Update {"f:data":{"f:k":{}}}']);
});

const TYPED = "failed to create typed patch object ";
const container = (fields: object) => ({
  selector: { matchLabels: { a: "b" } },
  template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i", ...fields }] } },
});

/** What is applied to a ConfigMap `c` or a Deployment `d`, and what an API server says of it. */
const UNTYPED: readonly (readonly [kind: "ConfigMap" | "Deployment", fields: object, fault: string])[] = [
  ["ConfigMap", { colour: "red" }, ".colour: field not declared in schema"],
  ["ConfigMap", { data: { a: 1 } }, ".data.a: expected string, got &value.valueUnstructured{Value:1}"],
  ["ConfigMap", { data: ["a"] }, ".data: expected map, got &{[a]}"],
  ["ConfigMap", { immutable: "yes" }, ".immutable: expected boolean, got &{yes}"],
  ["ConfigMap", { metadata: { name: "c", colour: "red" } }, ".metadata.colour: field not declared in schema"],
  ["ConfigMap", { metadata: { name: "c", finalizers: "a" } }, ".metadata.finalizers: expected list, got &{a}"],
  [
    "Deployment",
    { spec: container({ imag: "x" }) },
    '.spec.template.spec.containers[name="c"].imag: field not declared in schema',
  ],
  [
    "Deployment",
    { spec: container({ ports: [{ containerPort: "80" }] }) },
    '.spec.template.spec.containers[name="c"].ports[containerPort="80",protocol="TCP"].containerPort: ' +
    "expected numeric (int or float), got string",
  ],
  [
    "Deployment",
    { spec: container({ args: [{ a: 1 }] }) },
    '.spec.template.spec.containers[name="c"].args[0]: expected string, got ' +
    '&value.valueUnstructured{Value:map[string]interface {}{"a":1}}',
  ],
  [
    "Deployment",
    { spec: container({ env: ["x"] }) },
    '.spec.template.spec.containers[name="c"].env: element 0: associative list with keys may not have non-map elements',
  ],
  [
    "Deployment",
    { spec: { replicas: "3" } },
    ".spec.replicas: expected numeric (int or float), got string",
  ],
];

const VALIDATIONS = [
  // FR-330
  ["an apply of what the schema does not declare is refused", ""],
  ["an apply of what the schema does not declare is refused, also where validation is off", "&fieldValidation=Ignore"],
] as const;
for (const [name, validation] of VALIDATIONS) {
  conformance(name, async (test) => {
    for (const [kind, fields, fault] of UNTYPED) {
      const isMap = kind === "ConfigMap", name = isMap ? "c" : "d";
      const path = isMap ? test.core("configmaps", name) : test.in("apps/v1", "deployments", name);
      const apiVersion = isMap ? "v1" : "apps/v1";
      const refused = await test.patch(`${path}?fieldManager=one${validation}`, "apply", {
        apiVersion,
        kind,
        metadata: { name },
        ...fields,
      });
      const object = `(/${name}; ${isMap ? "/v1" : apiVersion}, Kind=${kind})`;
      assert.deepEqual([refused.code, refused.body.message], [500, `${TYPED}${object}: ${fault}`]);
      assert.equal(refused.body.reason, undefined);
    }
    const both = await test.patch(`${test.in("apps/v1", "deployments", "d")}?fieldManager=one`, "apply", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d", namespace: test.namespace },
      spec: { paused: 1, replicas: "3" },
    });
    assert.equal(both.code, 500);
    assert.ok(
      both.body.message.startsWith(`${TYPED}(${test.namespace}/d; apps/v1, Kind=Deployment): errors:\n  .spec.`),
    );
    const open = await test.patch(`${test.in("apps/v1", "deployments", "d")}?fieldManager=one`, "apply", {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "d" },
      spec: container({ resources: { limits: { cpu: 1 } }, livenessProbe: { httpGet: { port: "http" } } }),
    });
    assert.equal(open.code, 201, "quantities and ports may be numbers or texts");
  });
}
