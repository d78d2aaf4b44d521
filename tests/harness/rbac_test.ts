import assert from "node:assert/strict";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";
import { RbacRecorder, type RbacUse } from "../../lib/harness/rbac.ts";
import { widgetKind } from "../widget.ts";

const Widget = widgetKind("rbac");

/** What an operator of widgets used and lacked after requests, as lines. */
async function recorded(
  requests: readonly (readonly [method: string, path: string, response?: Response])[],
  operator: Operator = declaring(),
): Promise<{ used: string[]; uncovered: string[] }> {
  const recorder = new RbacRecorder(operator);
  for (const [method, path, response = new Response("{}")] of requests) {
    await recorder.record({ method, path }, response);
  }
  const lines = (found: RbacUse["used"] | RbacUse["uncovered"]) =>
    found.map(({ group, resource, verb }) => `${verb} ${group}/${resource}`);
  return { used: lines(recorder.use.used), uncovered: lines(recorder.use.uncovered) };
}

function declaring(): Operator {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {}, { owns: [ConfigMap] });
  return operator;
}

function refusal(message: string): Response {
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code: 403, reason: "Forbidden", message };
  return Response.json(status, { status: 403 });
}

const HOME = "/api/v1/namespaces/home", WIDGETS = "/apis/rbac.test.pintle.dev/v1/namespaces/home/widgets";

// FR-530
Deno.test("a request uses the rule of its verb, resource and subresource", async () => {
  const { used, uncovered } = await recorded([
    ["GET", `${HOME}/configmaps?limit=500`],
    ["GET", "/api/v1/configmaps?watch=true"],
    ["PATCH", `${WIDGETS}/w/status?fieldManager=widgets`],
    ["DELETE", `${HOME}/configmaps/a`],
  ]);
  assert.deepEqual(used, [
    "list /configmaps",
    "watch /configmaps",
    "patch rbac.test.pintle.dev/widgets/status",
    "delete /configmaps",
  ]);
  assert.deepEqual(uncovered, []);
});

// FR-530
Deno.test("an apply that created its object also uses create", async () => {
  const apply = ["PATCH", `${HOME}/configmaps/a`] as const;
  assert.deepEqual((await recorded([apply])).used, ["patch /configmaps"]);
  const created = await recorded([[...apply, new Response("{}", { status: 201 })]]);
  assert.deepEqual(created.used, ["patch /configmaps", "create /configmaps"]);
});

// FR-531
Deno.test("a request without a rule is found whatever the server answered, once for each verb and resource", async () => {
  const { uncovered } = await recorded([
    ["GET", `${HOME}/secrets/a`],
    [
      "GET",
      `${HOME}/secrets/b`,
      refusal('secrets "b" is forbidden: User "u" cannot get resource "secrets" in API group ""'),
    ],
    ["POST", `${HOME}/pods/a/eviction`],
  ]);
  assert.deepEqual(uncovered, ["get /secrets", "create /pods/eviction"]);
});

// FR-531
Deno.test("a refusal of a verb that a rule allows, or by admission, is no missing rule", async () => {
  const refused = 'configmaps "a" is forbidden: User "fewer" cannot create resource "configmaps" in API group ""';
  const { uncovered } = await recorded([
    ["POST", `${HOME}/configmaps`, refusal(refused)],
    ["POST", `${HOME}/configmaps`, refusal('configmaps "a" is forbidden: exceeded quota: few')],
  ]);
  assert.deepEqual(uncovered, []);
});

// FR-531
Deno.test("what install grants beside, and what every user may do, needs no declaration", async () => {
  const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const { used, uncovered } = await recorded([
    ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"],
    ["PUT", `${leases("widgets-system")}/leader`],
    ["GET", "/apis"],
    ["GET", "/version"],
    ["GET", "/api/v1/%"],
  ]);
  assert.deepEqual([used, uncovered], [[], []]);
  assert.deepEqual((await recorded([["PUT", `${leases("home")}/leader`]])).uncovered, [
    "update coordination.k8s.io/leases",
  ]);
});

// FR-530
Deno.test("a rule with * is used by any request that it allows", async () => {
  const operator = new Operator("all").permissions({ apiGroups: ["*"], resources: ["*"], verbs: ["get"] });
  const { used, uncovered } = await recorded([["GET", `${HOME}/secrets/a`], ["GET", `${HOME}/pods/a`]], operator);
  assert.deepEqual([used, uncovered], [["get */*"], []]);
});
