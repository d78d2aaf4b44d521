import assert from "node:assert/strict";
import { EmbeddedApiServer } from "../../../lib/apiserver/mod.ts";

const REGISTRATION = "/apis/admissionregistration.k8s.io/v1", MAPS = "/api/v1/namespaces/default/configmaps";
const POLICIES = `${REGISTRATION}/mutatingadmissionpolicies`;
const BINDINGS = `${REGISTRATION}/mutatingadmissionpolicybindings`;

interface Answer {
  readonly code: number;
  // deno-lint-ignore no-explicit-any -- answers have many forms
  readonly body: any;
}

function open() {
  const server = new EmbeddedApiServer(), transport = server.transport();
  const post = async (path: string, body: unknown): Promise<Answer> => {
    const headers = { "content-type": "application/json" };
    const answer = await transport.fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    return { code: answer.status, body: await answer.json() };
  };
  return { post, [Symbol.dispose]: () => server.close() };
}

const resourceRules = [{
  apiGroups: [""],
  apiVersions: ["v1"],
  operations: ["CREATE"],
  resources: ["configmaps"],
}];

function applying(expression: string): object {
  return { patchType: "ApplyConfiguration", applyConfiguration: { expression } };
}

function patching(expression: string): object {
  return { patchType: "JSONPatch", jsonPatch: { expression } };
}

interface Policy {
  readonly mutations: readonly object[];
  readonly reinvocationPolicy?: string;
}

async function bind({ post }: ReturnType<typeof open>, name: string, { mutations, ...more }: Policy): Promise<void> {
  const spec = { matchConstraints: { resourceRules }, reinvocationPolicy: "Never", ...more, mutations };
  const made = await post(POLICIES, { metadata: { name }, spec });
  assert.equal(made.code, 201, JSON.stringify(made.body));
  assert.equal((await post(BINDINGS, { metadata: { name }, spec: { policyName: name } })).code, 201);
}

// FR-614
Deno.test("a mutating policy changes what is created, each mutation seeing the one before it", async () => {
  using test = open();
  const configuration = applying(`Object{metadata: Object.metadata{labels: {"size": object.data.size}}}`);
  const patch = patching(`[JSONPatch{op: "add", path: "/data/copy", value: object.metadata.labels.size + "!"}]`);
  await bind(test, "p", { mutations: [configuration, patch] });
  const { code, body } = await test.post(MAPS, { metadata: { name: "a" }, data: { size: "1" } });
  assert.equal(code, 201);
  assert.deepEqual([body.metadata.labels, body.data], [{ size: "1" }, { copy: "1!", size: "1" }]);
});

// FR-614
Deno.test("a mutation that fails refuses the request", async () => {
  using test = open();
  await bind(test, "p", { mutations: [applying(`Object{data: {"b": object.data.none}}`)] });
  const { code, body } = await test.post(MAPS, { metadata: { name: "a" }, data: {} });
  assert.deepEqual([code, body.reason], [403, "Invalid"]);
  assert.match(body.message, /^policy 'p' with binding 'p' denied request: expression .* no such key/);
});

// FR-614
Deno.test("a configuration merges sets, and may name only fields of the kind", async () => {
  using test = open();
  await bind(test, "p", {
    mutations: [applying(`Object{metadata: Object.metadata{finalizers: ["a.example.com/b"]}}`)],
  });
  const { code } = await test.post(MAPS, { metadata: { name: "a" } });
  assert.equal(code, 201, "finalizers are a set");
  await bind(test, "q", { mutations: [applying(`Object{nothing: 1}`)] });
  assert.equal((await test.post(MAPS, { metadata: { name: "b" } })).code, 403);
});

// FR-614
Deno.test("a policy runs again after a later change only if it wants to", async () => {
  for (const [reinvocationPolicy, seen] of [["Never", "1"], ["IfNeeded", "3"]] as const) {
    using test = open();
    const counts = applying(`Object{data: {"seen": string(size(object.data))}}`);
    await bind(test, "a", { mutations: [counts], reinvocationPolicy });
    await bind(test, "b", { mutations: [applying(`Object{data: {"b": "c"}}`)] });
    const { body } = await test.post(MAPS, { metadata: { name: "a" }, data: { a: "b" } });
    assert.deepEqual(body.data, { a: "b", b: "c", seen });
  }
});
