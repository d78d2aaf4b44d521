import assert from "node:assert/strict";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";

// What a real server does and the embedded one does not: it says so. None of this holds on both, so none is a
// conformance case.

const CORE = "/api/v1/namespaces/default", MERGE = "application/merge-patch+json";

function open() {
  const server = new EmbeddedApiServer(), transport = server.transport();
  const call = async (method: string, path: string, body?: unknown, type = "application/json") => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await transport.fetch(path, { method, headers: { "content-type": type }, body: text });
    return { code: answer.status, warning: answer.headers.get("warning") ?? "", body: await answer.json() };
  };
  return { call, [Symbol.dispose]: () => server.close() };
}

// FR-89
Deno.test("what is not implemented answers 501 with a Status that names it", async () => {
  using test = open();
  const template = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const selector = { matchLabels: { app: "a" } };
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  const made = await test.call("POST", deployments, { metadata: { name: "a" }, spec: { selector, template } });
  assert.equal(made.code, 201);
  const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "a" }, spec: { replicas: 2 } };
  const apply = "application/apply-patch+yaml";
  const applied = await test.call("PATCH", `${deployments}/a/scale?fieldManager=me`, scale, apply);
  assert.deepEqual([applied.code, applied.body.reason], [501, "NotImplemented"]);
  assert.match(applied.body.message, /does not implement server-side apply of the scale subresource/);
  const pod = { metadata: { name: "p", labels: { app: "a" } }, spec: template.spec };
  assert.equal((await test.call("POST", `${CORE}/pods`, pod)).code, 201);
  await test.call("PATCH", `${CORE}/pods/p/status`, { status: { phase: "Running" } }, MERGE);
  const budget = { metadata: { name: "b" }, spec: { minAvailable: 1, selector } };
  const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
  assert.equal((await test.call("POST", budgets, budget)).code, 201);
  const evicted = await test.call("POST", `${CORE}/pods/p/eviction`, { metadata: { name: "p" } });
  assert.equal(evicted.code, 501);
  assert.match(evicted.body.message, /eviction of running pods under a PodDisruptionBudget/);
  assert.equal((await test.call("GET", `${CORE}/pods/p`)).code, 200, "nothing was done");
});

// FR-89
Deno.test("webhooks for what is an object of another kind are not passed over: the request is refused", async () => {
  using test = open();
  const configurations = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";
  const rules = [{ apiGroups: ["apps"], apiVersions: ["v1"], operations: ["*"], resources: ["deployments/scale"] }];
  const clientConfig = { url: "https://127.0.0.1:1/" };
  const webhook = { name: "w.example.com", clientConfig, sideEffects: "None", admissionReviewVersions: ["v1"], rules };
  const made = await test.call("POST", configurations, { metadata: { name: "w" }, webhooks: [webhook] });
  assert.equal(made.code, 201);
  assert.equal(made.warning, "");
  const template = { metadata: { labels: { app: "a" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const spec = { selector: { matchLabels: { app: "a" } }, template };
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  assert.equal((await test.call("POST", deployments, { metadata: { name: "a" }, spec })).code, 201);
  assert.equal((await test.call("GET", `${deployments}/a/scale`)).code, 200);
  const scaled = await test.call("PATCH", `${deployments}/a/scale`, { spec: { replicas: 2 } }, MERGE);
  assert.equal(scaled.code, 501);
  assert.match(scaled.body.message, /admission webhooks for deployments\/scale/);
});
