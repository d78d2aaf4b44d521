import assert from "node:assert/strict";
import { EmbeddedApiServer, serviceAccountUser } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";

import { applyCrds, installation, installNamespace } from "../../lib/operator/installation.ts";
import { preflight } from "../../lib/operator/mod.ts";
import { replicator } from "../../lib/replicator/mod.ts";

const operator = replicator();
const NAMESPACE = installNamespace("pintle");
const objects = installation(operator, "pintle", NAMESPACE);

async function installed() {
  const server = new EmbeddedApiServer();
  const admin = new Client(server.transport(), { fieldManager: "test" });
  for (const { resource, object } of objects) await admin.apply(resource, object);
  await applyCrds(admin, operator);
  const user = serviceAccountUser(NAMESPACE, operator.name, "");
  const account = new Client(server.transport(user), { fieldManager: "test" });
  return { server, admin, account };
}

// FR-75
Deno.test("an installation is enough for its ServiceAccount, and applying it again changes nothing", async () => {
  const { server, admin, account } = await installed();
  assert.deepEqual(await preflight(operator, account), []);
  const versions = () =>
    Promise.all(objects.map(async ({ resource, object }) => {
      const { name, namespace } = object.metadata!;
      return (await admin.get(resource, { name: name!, namespace })).metadata!.resourceVersion;
    }));
  const before = await versions();
  for (const { resource, object } of objects) await admin.apply(resource, object);
  assert.deepEqual(await versions(), before);
  await server.settled();
  server.close();
});

// FR-74
Deno.test("without the CRDs preflight names the kind and the command that fixes it", async () => {
  const server = new EmbeddedApiServer();
  const client = new Client(server.transport(), { fieldManager: "test" });
  const findings = await preflight(operator, client, { command: "pintle" });
  assert.equal(findings.length, 1);
  assert.match(findings[0]!.problem, /replications\.pintle\.dev/);
  assert.match(findings[0]!.fix, /`pintle install`/);
  server.close();
});

for (const [at, rule] of operator.rules().entries()) {
  // FR-74
  Deno.test(`without its rule for ${rule.resources} preflight names that rule and no other`, async () => {
    const { server, admin, account } = await installed();
    const role = objects.find(({ object }) => object.kind === "ClusterRole")!;
    const rules = operator.rules().filter((_, index) => index !== at);
    await admin.apply(role.resource, { ...role.object, rules } as typeof role.object);
    const problems = (await preflight(operator, account)).map(({ problem }) => problem);
    assert.deepEqual(problems, [
      `not allowed to ${rule.verbs.join(", ")} ${rule.resources[0]} in API group "${rule.apiGroups[0]}"`,
    ]);
    await server.settled();
    server.close();
  });
}
