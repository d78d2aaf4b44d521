import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { conformance } from "./conformance_case.ts";

function ownedBy(owner: DynamicObject, blockOwnerDeletion: boolean) {
  const { name, uid } = owner.metadata!;
  return { ownerReferences: [{ apiVersion: "v1", kind: "ConfigMap", name, uid, blockOwnerDeletion }] };
}

conformance("a deletion answers with a Status that names what is gone", async (test) => {
  const made = await test.configMap("a");
  const { code, body } = await test.delete(test.core("configmaps", "a"));
  assert.equal(code, 200);
  assert.deepEqual(body, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name: "a", kind: "configmaps", uid: made.metadata!.uid },
  });
  assert.equal((await test.delete(test.core("configmaps", "a"))).code, 404);
});

conformance("preconditions of a deletion are kept", async (test) => {
  const made = await test.configMap("a");
  const path = test.core("configmaps", "a");
  const wrongUid = await test.delete(path, { preconditions: { uid: "x" } });
  assert.equal(wrongUid.code, 409);
  assert.equal(wrongUid.body.reason, "Conflict");
  const wrongVersion = await test.delete(path, { preconditions: { resourceVersion: "1" } });
  assert.equal(wrongVersion.code, 409);
  assert.equal((await test.delete(path, { preconditions: { uid: made.metadata!.uid } })).code, 200);
});

// FR-86
conformance("a finalizer keeps an object until it is removed, and none is added meanwhile", async (test) => {
  await test.configMap("a", { metadata: { finalizers: ["example.com/hold"] } });
  const path = test.core("configmaps", "a");
  const marked = await test.delete(path);
  assert.equal(marked.code, 200);
  assert(marked.body.metadata.deletionTimestamp);
  assert.equal(marked.body.metadata.deletionGracePeriodSeconds, 0);
  const second = await test.delete(path);
  assert.equal(second.body.metadata.deletionTimestamp, marked.body.metadata.deletionTimestamp);
  const more = await test.patch(path, "merge", {
    metadata: { finalizers: ["example.com/hold", "example.com/more"] },
  });
  assert.equal(more.code, 422);
  assert.match(more.body.message, /no new finalizers can be added if the object is being deleted/);
  const last = await test.patch(path, "merge", { metadata: { finalizers: null } });
  assert.equal(last.code, 200);
  assert.equal((await test.get(path)).code, 404);
});

// FR-86
conformance("dependents go when their owner went", async (test) => {
  const owner = await test.configMap("owner");
  await test.configMap("child", { metadata: ownedBy(owner, true) });
  await test.delete(test.core("configmaps", "owner"), { propagationPolicy: "Background" });
  await test.until(test.core("configmaps", "child"), (object) => object === undefined);
});

// FR-86
conformance("an owner in foreground deletion waits for the dependents that block it", async (test) => {
  const owner = await test.configMap("owner");
  const child = { ...ownedBy(owner, true), finalizers: ["example.com/hold"] };
  await test.configMap("child", { metadata: child });
  const marked = await test.delete(test.core("configmaps", "owner"), { propagationPolicy: "Foreground" });
  assert.deepEqual(marked.body.metadata.finalizers, ["foregroundDeletion"]);
  await test.until(test.core("configmaps", "child"), (object) => object?.metadata?.deletionTimestamp !== undefined);
  assert.equal((await test.get(test.core("configmaps", "owner"))).code, 200);
  await test.patch(test.core("configmaps", "child"), "merge", { metadata: { finalizers: null } });
  await test.until(test.core("configmaps", "owner"), (object) => object === undefined);
});

// FR-86
conformance("orphaned dependents lose the reference and stay", async (test) => {
  const owner = await test.configMap("owner");
  await test.configMap("child", { metadata: ownedBy(owner, true) });
  const child = test.core("configmaps", "child");
  await test.until(child, (object) => object !== undefined);
  await test.delete(test.core("configmaps", "owner"), { propagationPolicy: "Orphan" });
  await test.until(test.core("configmaps", "owner"), (object) => object === undefined);
  await test.until(child, (object) => object !== undefined && object.metadata?.ownerReferences === undefined);
});

conformance("a dependent with another owner keeps living", async (test) => {
  const first = await test.configMap("first"), second = await test.configMap("second");
  const [one] = ownedBy(first, false).ownerReferences, [two] = ownedBy(second, false).ownerReferences;
  await test.configMap("child", { metadata: { ownerReferences: [one, two] } });
  await test.delete(test.core("configmaps", "first"));
  await test.until(test.core("configmaps", "child"), (object) => object?.metadata?.ownerReferences?.length === 1);
});

conformance("an object whose owner never was goes", async (test) => {
  const owner = { metadata: { name: "nobody", uid: "11111111-1111-1111-1111-111111111111" } };
  await test.configMap("child", { metadata: ownedBy(owner, false) });
  await test.until(test.core("configmaps", "child"), (object) => object === undefined);
});

conformance("deletecollection deletes what its selector chooses", async (test) => {
  await test.configMap("a", { metadata: { labels: { go: "1" } } });
  await test.configMap("b");
  assert.equal((await test.delete(`${test.core("configmaps")}?labelSelector=go`)).code, 200);
  assert.equal((await test.get(test.core("configmaps", "a"))).code, 404);
  assert.equal((await test.get(test.core("configmaps", "b"))).code, 200);
});

// FR-86
conformance("a terminating namespace takes nothing new, waits for finalizers, and goes", async (test) => {
  const name = `${test.namespace}-end`, path = `/api/v1/namespaces/${name}`;
  const made = await test.post("/api/v1/namespaces", { metadata: { name } });
  assert.deepEqual(made.body.spec, { finalizers: ["kubernetes"] });
  assert.deepEqual(made.body.status, { phase: "Active" });
  assert.equal(made.body.metadata.labels["kubernetes.io/metadata.name"], name);
  const held = { metadata: { name: "held", finalizers: ["example.com/hold"] } };
  assert.equal((await test.post(`${path}/configmaps`, held)).code, 201);
  const marked = await test.delete(path);
  assert.equal(marked.code, 200);
  assert.deepEqual((marked.body.status as { phase: string }).phase, "Terminating");
  const late = await test.post(`${path}/configmaps`, { metadata: { name: "late" } });
  assert.equal(late.code, 403);
  assert.equal(
    late.body.message,
    `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
  );
  assert.deepEqual(late.body.details.causes, [{
    reason: "NamespaceTerminating",
    message: `namespace ${name} is being terminated`,
    field: "metadata.namespace",
  }]);
  await test.until(`${path}/configmaps/held`, (object) => object?.metadata?.deletionTimestamp !== undefined);
  await test.until(path, (object) => {
    const conditions = (object?.status as { conditions?: { type: string; status: string }[] })?.conditions ?? [];
    return conditions.some(({ type, status }) => type === "NamespaceFinalizersRemaining" && status === "True");
  });
  await test.patch(`${path}/configmaps/held`, "merge", { metadata: { finalizers: null } });
  await test.until(path, (object) => object === undefined);
});

conformance("namespaces of the system stay", async (test) => {
  const { code, body } = await test.delete("/api/v1/namespaces/default");
  assert.equal(code, 403);
  assert.equal(body.message, 'namespaces "default" is forbidden: this namespace may not be deleted');
});

// FR-91
conformance("a namespace has its default ServiceAccount, which is created again when it is deleted", async (test) => {
  const path = test.core("serviceaccounts", "default");
  await test.until(path, (account) => account !== undefined);
  const { uid } = (await test.get(path)).body.metadata;
  await test.delete(path);
  await test.until(path, (account) => account !== undefined && account.metadata?.uid !== uid);
  const token = await test.post(`${path}/token`, { spec: {} });
  assert.equal(token.code, 201);
});
