import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { builtinKind, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Replication, replicator } from "../../lib/replicator/mod.ts";
import type { WriteFault } from "../world.ts";
import {
  createReplication,
  createSecret,
  openReplicationWorld,
  untilCopy,
  untilNotReady,
  untilReady,
} from "./replication_world.ts";

const Role = builtinKind({ group: "rbac.authorization.k8s.io", version: "v1", kind: "Role" });
const RoleBinding = builtinKind({ group: "rbac.authorization.k8s.io", version: "v1", kind: "RoleBinding" });
const ClusterRole = builtinKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  namespaced: false,
});
const ClusterRoleBinding = builtinKind({
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  namespaced: false,
});

Deno.test("a converged Replication costs no write: not by another reconcile, not by a restart", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  for (const team of ["team-a", "team-b", "team-c"]) await world.namespace(team);
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 3);
  await world.idle();
  const creates = world.writes.filter(({ method, path }) => method === "POST" && path.includes("/secrets"));
  assert.equal(creates.length, 3, "one create per copy");
  assert.ok(world.writes.length - creates.length <= 3, `a finalizer and a status: ${JSON.stringify(world.writes)}`);
  const before = world.writes.length;
  for (const controller of world.running.controllers) controller.queue.add(`${home}/token`, "resume");
  await world.idle();
  assert.equal(world.writes.length, before, "another reconcile");
  await world.stop();
  await world.start();
  await world.idle();
  assert.deepEqual(world.writes, [], "a restart");
  const reads = world.requests.filter(({ path }) => /namespaces\/[^/]*team[^/]*\/secrets/.test(path));
  assert.deepEqual(reads, [], "and no copy is read: who wrote it is in its metadata");
});

for (const [how, verdict] of [["before", "dieBefore"], ["after", "dieAfter"]] as const) {
  Deno.test(`killed ${how} any one of its writes, the next run converges and leaves nothing behind`, async () => {
    for (let death = 1; death <= 14; death++) {
      await using world = await openReplicationWorld();
      const fault: WriteFault = (_request, nth) => nth === death ? verdict : "pass";
      const home = await world.namespace("home");
      const teams = [await world.namespace("team-a"), await world.namespace("team-b")];
      await createSecret(world, home, "token", { stringData: { key: "one" } });
      await createReplication(world, home, "token");
      // First life: from nothing to two copies, unless death comes on the way.
      await world.start({ fault });
      await world.idleThenKill();
      await world.start();
      await untilReady(world, home, "token", 2);
      await world.kill();
      // Second life: the source changes and a namespace stops matching.
      await world.client.patch(Secret, { namespace: home, name: "token" }, { stringData: { key: "two" } }, {
        type: "merge",
      });
      await world.client.patch(Replication, { namespace: home, name: "token" }, {
        spec: { targets: { namespaces: [`${world.prefix}-team-a`] } },
      }, { type: "merge" });
      await world.start({ fault });
      await world.idleThenKill();
      await world.start();
      await untilCopy(world, teams[0]!, "token", "key", "two");
      await world.untilGone(Secret, { namespace: teams[1]!, name: "token" });
      await world.kill();
      // Third life: the Replication goes.
      await world.client.delete(Replication, { namespace: home, name: "token" });
      await world.start({ fault });
      await world.idleThenKill();
      await world.start();
      await world.untilGone(Replication, { namespace: home, name: "token" });
      const left = await world.client.list(Secret, { labelSelector: "pintle.dev/replication" });
      assert.deepEqual(left.items.filter(({ metadata }) => metadata?.namespace?.startsWith(world.prefix)), []);
    }
  });
}

Deno.test("a namespace that forbids the copy is named with the missing rule, and does not hold up the others", async () => {
  await using world = await openReplicationWorld();
  const home = await world.namespace("home"), a = await world.namespace("team-a"), b = await world.namespace("team-b");
  const name = `${world.prefix}-limited`;
  const [rbac, kind] = ["rbac.authorization.k8s.io", "User"];
  const user = { name, groups: ["system:authenticated"] };
  // Everything the operator declares, but creating Secrets only where a Role says so.
  const rules = replicator().rules().map((rule) =>
    rule.resources.includes("secrets") ? { ...rule, verbs: rule.verbs.filter((verb) => verb !== "create") } : rule
  );
  const may = [{ apiGroups: [""], resources: ["secrets"], verbs: ["create"] }];
  const subjects = [{ kind, name, apiGroup: rbac }];
  const create = (resource: Parameters<typeof world.client.create>[0], body: object) =>
    world.client.create(resource, { apiVersion: `${rbac}/v1`, kind: resource.kind, ...body } as KubeObject);
  await create(ClusterRole, { metadata: { name }, rules });
  await create(ClusterRoleBinding, {
    metadata: { name },
    subjects,
    roleRef: { kind: "ClusterRole", name, apiGroup: rbac },
  });
  await create(Role, { metadata: { namespace: a, name }, rules: may });
  await create(RoleBinding, {
    metadata: { namespace: a, name },
    subjects,
    roleRef: { kind: "Role", name, apiGroup: rbac },
  });
  try {
    await world.start({ as: user });
    await createSecret(world, home, "token", { stringData: { key: "one" } });
    await createReplication(world, home, "token");
    const { status } = await untilNotReady(world, home, "token", "ReplicationIncomplete");
    assert.deepEqual(status?.failures?.map(({ namespace, reason }) => [namespace, reason]), [[b, "Forbidden"]]);
    assert.match(status?.failures?.[0]?.message ?? "", /create.*secrets/s);
    await untilCopy(world, a, "token", "key", "one");
    await create(Role, { metadata: { namespace: b, name }, rules: may });
    await create(RoleBinding, {
      metadata: { namespace: b, name },
      subjects,
      roleRef: { kind: "Role", name, apiGroup: rbac },
    });
    await untilReady(world, home, "token", 2);
    await world.kill();
  } finally {
    await world.client.delete(ClusterRole, { name });
    await world.client.delete(ClusterRoleBinding, { name });
  }
});

Deno.test("what a Secret holds reaches no log line, no status and no Event", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), a = await world.namespace("team-a");
  const secret = "s3cr3t-swordfish";
  await createSecret(world, a, "token", { stringData: { key: "theirs" } });
  await createSecret(world, home, "token", { type: "example.com/a", stringData: { key: secret } });
  await createReplication(world, home, "token");
  await untilNotReady(world, home, "token", "ReplicationIncomplete");
  await world.client.patch(Replication, { namespace: home, name: "token" }, { spec: { conflictPolicy: "Adopt" } }, {
    type: "merge",
  });
  const { status, metadata } = await untilReady(world, home, "token", 1);
  const events = await world.client.list({
    group: "events.k8s.io",
    version: "v1",
    kind: "Event",
    plural: "events",
    namespaced: true,
  });
  const said = JSON.stringify([world.logs, status, metadata, events.items]);
  for (const trace of [secret, btoa(secret)]) assert.ok(!said.includes(trace), `"${trace}" was said somewhere`);
  assert.ok(world.logs.some(({ level }) => level === "debug"), "debug lines were looked at too");
  assert.deepEqual(
    events.items.filter(({ metadata }) => metadata?.namespace?.startsWith(world.prefix)),
    [],
    "logs are no Events",
  );
});

Deno.test("no store holds the data of a copy or of a source", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "s3cr3t-swordfish" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  for (const { spec, informer } of world.running.informers.running()) {
    for (const object of informer.store.values()) {
      const held = object as SecretObject;
      assert.equal(held.data ?? held.stringData, undefined, `${spec.resource.kind} ${held.metadata?.name}`);
    }
  }
});

Deno.test("a namespace deleted in the middle of the fan-out is no failure", async () => {
  await using world = await openReplicationWorld();
  const home = await world.namespace("home"), a = await world.namespace("team-a");
  await world.namespace("team-b");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  let deleted = false;
  const inner = world.cluster.transport();
  const transport = {
    ...inner,
    close: () => inner.close(),
    fetch: async (path: string, request?: Parameters<typeof inner.fetch>[1]) => {
      if (!deleted && request?.method === "POST" && path.includes(`/namespaces/${a}/secrets`)) {
        deleted = true;
        await world.client.delete(Namespace, { name: a });
      }
      return await inner.fetch(path, request);
    },
  };
  await world.start({ transport });
  const { status } = await untilReady(world, home, "token", 1);
  assert.deepEqual([status?.namespaces, deleted], [{ matched: 1, ready: 1, failed: 0 }, true]);
});
