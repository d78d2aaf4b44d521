import assert from "node:assert/strict";
import { conformance } from "./conformance_case.ts";

const RBAC = "rbac.authorization.k8s.io/v1";
const BOB = { name: "bob", groups: ["devs", "system:authenticated"] };

conformance("who has no rule is refused in words that name the missing one", async (test) => {
  const one = await test.call("GET", test.core("secrets"), undefined, {}, BOB);
  assert.equal(one.code, 403);
  assert.equal(one.body.reason, "Forbidden");
  assert.equal(
    one.body.message,
    `secrets is forbidden: User "bob" cannot list resource "secrets" in API group "" in the namespace "${test.namespace}"`,
  );
  assert.deepEqual(one.body.details, { kind: "secrets" });
  const all = await test.call("GET", "/apis/apps/v1/deployments", undefined, {}, BOB);
  assert.equal(
    all.body.message,
    'deployments.apps is forbidden: User "bob" cannot list resource "deployments" in API group "apps" at the cluster scope',
  );
  const named = await test.call("DELETE", test.core("configmaps", "a"), undefined, {}, BOB);
  assert.equal(
    named.body.message,
    'configmaps "a" is forbidden: User "bob" cannot delete resource "configmaps" in API group "" in the namespace ' +
      `"${test.namespace}"`,
  );
});

// FR-113
conformance("roles grant verbs, names and subresources to users, groups and service accounts", async (test) => {
  const rules = [
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get", "create"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["mine"], verbs: ["get"] },
    { apiGroups: ["apps"], resources: ["deployments/status"], verbs: ["patch"] },
  ];
  const subjects = [
    { kind: "Group", name: "devs", apiGroup: "rbac.authorization.k8s.io" },
    { kind: "ServiceAccount", name: "bot", namespace: test.namespace },
  ];
  await test.post(test.in(RBAC, "roles"), { metadata: { name: "r" }, rules });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" };
  const bound = await test.post(test.in(RBAC, "rolebindings"), { metadata: { name: "b" }, roleRef, subjects });
  assert.equal(bound.code, 201);
  const bot = { name: `system:serviceaccount:${test.namespace}:bot`, groups: ["system:authenticated"] };
  for (const user of [BOB, bot]) {
    const code = async (method: string, path: string, body?: unknown) =>
      (await test.call(method, path, body, {}, user)).code;
    // A real server learns of a new role from a watch of its own.
    for (let asked = 0; await code("GET", test.core("configmaps", "a")) === 403 && asked < 1_000; asked++);
    assert.equal(await code("GET", test.core("configmaps", "a")), 404);
    assert.equal(
      await code("POST", test.core("configmaps"), { metadata: { name: `made-by-${user.name.at(-1)}` } }),
      201,
    );
    assert.equal(await code("GET", test.core("configmaps")), 403);
    assert.equal(await code("GET", test.core("secrets", "mine")), 404);
    assert.equal(await code("GET", test.core("secrets", "other")), 403);
    const review = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: {
        resourceAttributes: {
          namespace: test.namespace,
          verb: "patch",
          group: "apps",
          resource: "deployments",
          subresource: "status",
        },
      },
    };
    const asked = await test.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, {}, user);
    assert.equal(asked.code, 201);
    assert.equal(asked.body.status.allowed, true);
  }
  const changed = await test.patch(test.in(RBAC, "rolebindings", "b"), "merge", { roleRef: { name: "other" } });
  assert.equal(changed.code, 422);
});

conformance("everybody may discover, and ask who they are", async (test) => {
  assert.equal((await test.call("GET", "/apis", undefined, {}, BOB)).code, 200);
  assert.equal((await test.call("GET", "/version", undefined, {}, BOB)).body.major, "1");
  const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const { code, body } = await test.call("POST", path, review, {}, BOB);
  assert.equal(code, 201);
  assert.equal(body.status.userInfo.username, "bob");
  assert.deepEqual(body.status.userInfo.groups, ["devs", "system:authenticated"]);
});

// FR-113
conformance("only a user who may impersonate acts as another", async (test) => {
  const headers = { "impersonate-user": "carol" };
  const admin = await test.call("GET", test.core("secrets"), undefined, headers);
  assert.equal(admin.code, 403);
  assert.match(admin.body.message, /User "carol" cannot list/);
});

conformance("a SubjectAccessReview reports what a user may do", async (test) => {
  const ask = async (user: string, groups: string[]) =>
    (await test.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { user, groups, resourceAttributes: { verb: "list", resource: "secrets", namespace: test.namespace } },
    })).body.status.allowed;
  assert.equal(await ask("bob", ["devs"]), false);
  assert.equal(await ask("root", ["system:masters"]), true);
});
