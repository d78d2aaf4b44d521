import assert from "node:assert/strict";
import { SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import { EmbeddedApiServer, serviceAccountUser, type UserInfo } from "../../lib/apiserver/mod.ts";
import { ruleAllows } from "../../lib/apiserver/authorizer.ts";

const RBAC = "/apis/rbac.authorization.k8s.io/v1";

function open() {
  const clock = new VirtualClock();
  const server = new EmbeddedApiServer({ clock, random: new SeededRandom(1) });
  const call = async (
    path: string,
    options: { method?: string; body?: unknown; headers?: Record<string, string>; user?: UserInfo } = {},
  ) => {
    const { method = "GET", body, headers, user } = options;
    const response = await server.transport(user).fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    return text.startsWith("{") ? JSON.parse(text) : { code: response.status, text };
  };
  const grant = async (user: string, rules: unknown[]) => {
    await call(`${RBAC}/clusterroles`, { method: "POST", body: { metadata: { name: user }, rules } });
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: user };
    const body = { metadata: { name: user }, roleRef, subjects: [{ kind: "User", name: user }] };
    await call(`${RBAC}/clusterrolebindings`, { method: "POST", body });
  };
  return { clock, server, call, grant, [Symbol.dispose]: () => server.close() };
}

const user = (name: string): UserInfo => ({ name, groups: ["system:authenticated"] });

// FR-113
Deno.test("wildcards, names and subresources cover what RBAC allows and no more", () => {
  const asks = (resources: string[], plural: string, subresource?: string, name?: string, resourceNames?: string[]) =>
    ruleAllows({ verbs: ["get"], apiGroups: [""], resources, resourceNames }, {
      kind: "resource",
      verb: "get",
      group: "",
      plural,
      subresource,
      name,
    });
  assert.equal(asks(["*"], "pods", "log"), true);
  assert.equal(asks(["pods"], "pods", "log"), false);
  assert.equal(asks(["pods/log"], "pods", "log"), true);
  assert.equal(asks(["pods/log"], "pods"), false);
  assert.equal(asks(["*/log"], "pods", "log"), true);
  assert.equal(asks(["pods/*"], "pods", "log"), false);
  assert.equal(asks(["pods"], "pods", undefined, "a", ["a"]), true);
  assert.equal(asks(["pods"], "pods", undefined, "b", ["a"]), false);
  assert.equal(asks(["pods"], "pods", undefined, undefined, ["a"]), false);
  const path = (nonResourceURLs: string[], path: string) =>
    ruleAllows({ verbs: ["get"], nonResourceURLs }, { kind: "path", verb: "get", path });
  assert.equal(path(["/metrics"], "/metrics"), true);
  assert.equal(path(["/healthz/*"], "/healthz/etcd"), true);
  assert.equal(path(["/healthz/*"], "/metrics"), false);
});

Deno.test("a role that changes counts at the next request", async () => {
  using test = open();
  assert.equal((await test.call("/api/v1/nodes", { user: user("eve") })).code, 403);
  await test.grant("eve", [{ verbs: ["list"], apiGroups: [""], resources: ["nodes"] }]);
  assert.equal((await test.call("/api/v1/nodes", { user: user("eve") })).kind, "NodeList");
  await test.call(`${RBAC}/clusterroles/eve`, { method: "DELETE" });
  assert.equal((await test.call("/api/v1/nodes", { user: user("eve") })).code, 403);
});

// FR-113
Deno.test("impersonation needs the verb for the user and for every group", async () => {
  using test = open();
  const as = (headers: Record<string, string>) => test.call("/api/v1/nodes", { user: user("eve"), headers });
  const none = await as({ "impersonate-user": "root" });
  assert.equal(
    none.message,
    'users "root" is forbidden: User "eve" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  await test.grant("eve", [{ verbs: ["impersonate"], apiGroups: [""], resources: ["users"] }]);
  const acting = await as({ "impersonate-user": "root" });
  assert.match(acting.message, /User "root" cannot list resource "nodes"/);
  const masters = await as({ "impersonate-user": "root", "impersonate-group": "system:masters" });
  assert.match(masters.message, /groups "system:masters" is forbidden: User "eve" cannot impersonate/);
  assert.equal((await as({ "impersonate-group": "system:masters" })).code, 400);
});

Deno.test("an unknown path is refused to users without access, and not found for others", async () => {
  using test = open();
  const refused = await test.call("/metrics", { user: user("eve") });
  assert.equal(refused.message, 'forbidden: User "eve" cannot get path "/metrics"');
  assert.equal((await test.call("/metrics")).code, 404);
  assert.equal((await test.call("/healthz", { user: user("eve") })).text, "ok");
});

Deno.test("a token ends with its time and with its account, and has the account that it was issued for", async () => {
  using test = open();
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  const account = await test.call(accounts, { method: "POST", body: { metadata: { name: "bot" } } });
  const issue = async (expirationSeconds: number) =>
    await test.call(`${accounts}/bot/token`, { method: "POST", body: { spec: { expirationSeconds } } });
  assert.equal((await issue(1)).code, 422);
  const { status } = await issue(600);
  assert.equal(status.expirationTimestamp, "2026-01-01T00:10:00Z");
  const { extra, ...user } = test.server.tokens.userOf(status.token)!;
  assert.deepEqual(user, serviceAccountUser("default", "bot", account.metadata.uid));
  assert.deepEqual(Object.keys(extra!), ["authentication.kubernetes.io/credential-id"]);
  await test.clock.advance(600_000);
  assert.equal(test.server.tokens.userOf(status.token), undefined);
  const { status: second } = await issue(600);
  await test.call(`${accounts}/bot`, { method: "DELETE" });
  await test.call(accounts, { method: "POST", body: { metadata: { name: "bot" } } });
  assert.equal(test.server.tokens.userOf(second.token), undefined);
});

Deno.test("an Event is one object under both of its groups", async () => {
  using test = open();
  const regarding = { kind: "ConfigMap", namespace: "default", name: "a" };
  const made = await test.call("/apis/events.k8s.io/v1/namespaces/default/events", {
    method: "POST",
    body: {
      metadata: { name: "e" },
      regarding,
      note: "hello",
      reason: "R",
      type: "Normal",
      action: "A",
      reportingController: "c",
      reportingInstance: "i",
      eventTime: "2026-01-01T00:00:00.000000Z",
    },
  });
  assert.equal(made.note, "hello", JSON.stringify(made));
  const core = await test.call("/api/v1/namespaces/default/events/e");
  assert.equal(core.apiVersion, "v1");
  assert.equal(core.message, "hello");
  assert.deepEqual(core.involvedObject, regarding);
  assert.equal(core.reportingComponent, "c");
  const chosen = await test.call("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Da");
  assert.equal(chosen.items.length, 1);
  assert.equal(chosen.items[0].note, undefined);
});
