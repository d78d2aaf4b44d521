import assert from "node:assert/strict";
import { EmbeddedApiServer } from "../../../lib/apiserver/mod.ts";

const REGISTRATION = "/apis/admissionregistration.k8s.io/v1", MAPS = "/api/v1/namespaces/default/configmaps";
const POLICIES = `${REGISTRATION}/validatingadmissionpolicies`;
const BINDINGS = `${REGISTRATION}/validatingadmissionpolicybindings`;

function open(options: ConstructorParameters<typeof EmbeddedApiServer>[0] = {}) {
  const server = new EmbeddedApiServer(options), transport = server.transport();
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { "content-type": "application/json" };
    const answer = await transport.fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { code: answer.status, warning: answer.headers.get("warning"), body: await answer.json() };
  };
  return { server, call, [Symbol.dispose]: () => server.close() };
}

const resourceRules = [{
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE"],
  resources: ["configmaps"],
}];

async function forbidLarge({ call }: ReturnType<typeof open>, validationActions: string[]): Promise<void> {
  const validations = [{ expression: "!has(object.data) || int(object.data.size) < 5", message: "too large" }];
  const spec = { matchConstraints: { resourceRules }, validations };
  assert.equal((await call("POST", POLICIES, { metadata: { name: "size" }, spec })).code, 201);
  const bound = { metadata: { name: "size" }, spec: { policyName: "size", validationActions } };
  assert.equal((await call("POST", BINDINGS, bound)).code, 201);
}

const large = { metadata: { name: "a" }, data: { size: "9" } };

// FR-613
Deno.test("a policy refuses as soon as it is bound, and no longer once its binding is gone", async () => {
  using test = open();
  await forbidLarge(test, ["Deny"]);
  const refused = await test.call("POST", MAPS, large);
  const text = "ValidatingAdmissionPolicy 'size' with binding 'size' denied request: too large";
  assert.equal(refused.code, 422);
  assert.equal(refused.body.message, `configmaps "a" is forbidden: ${text}`);
  assert.equal((await test.call("POST", MAPS, { metadata: { name: "b" }, data: { size: "1" } })).code, 201);
  await test.call("DELETE", `${BINDINGS}/size`);
  assert.equal((await test.call("POST", MAPS, large)).code, 201);
});

// FR-613
Deno.test("a binding that warns lets the request pass with a warning", async () => {
  using test = open();
  await forbidLarge(test, ["Warn"]);
  const { code, warning } = await test.call("POST", MAPS, large);
  assert.equal(code, 201);
  assert.match(warning!, /Validation failed for ValidatingAdmissionPolicy 'size' with binding 'size': too large/);
});

// FR-613
Deno.test("a server that starts from a snapshot enforces its policies", async () => {
  using first = open();
  await forbidLarge(first, ["Deny"]);
  using second = open({ snapshot: first.server.snapshot() });
  assert.equal((await second.call("POST", MAPS, large)).code, 422);
});
