import assert from "node:assert/strict";
import { conformance } from "./conformance_case.ts";

const HEAD = { apiVersion: "v1", kind: "ConfigMap" };

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
