import assert from "node:assert/strict";
import { withKeyedLists } from "../../lib/cli/keyed_lists.ts";

// FR-190
Deno.test("RBAC rules become the verbs of each resource, however they are divided among rules", () => {
  const rules = [
    { apiGroups: [""], resources: ["pods", "pods/log"], verbs: ["get"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["own"], verbs: ["update"] },
  ];
  assert.deepEqual(withKeyedLists(rules), {
    "pods.get": true,
    "pods/log.get": true,
    "deployments.apps.get": true,
    "deployments.apps.list": true,
    "deployments.apps.patch": true,
    "secrets[own].update": true,
  });
});

// FR-190
Deno.test("versions and webhooks are found by their names, and other lists stay as they are", () => {
  assert.deepEqual(withKeyedLists({ group: "a", versions: [{ name: "v1" }] }), {
    group: "a",
    versions: { v1: { name: "v1" } },
  });
  assert.deepEqual(withKeyedLists([{ name: "a", clientConfig: {} }]), { a: { name: "a", clientConfig: {} } });
  for (
    const other of [["a"], [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }], "a", { versions: "v1" }, {
      versions: [null],
    }]
  ) {
    assert.equal(withKeyedLists(other), other);
  }
});
