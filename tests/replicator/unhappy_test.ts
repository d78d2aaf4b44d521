import assert from "node:assert/strict";
import { InvalidError, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import {
  createReplication,
  createSecret,
  hasCondition,
  openReplicationWorld,
  untilCopy,
  untilNotReady,
  untilReady,
} from "./replication_world.ts";

Deno.test("a source that is missing is said aloud; when it is created, copies follow at once", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createReplication(world, home, "token");
  const replication = await untilNotReady(world, home, "token", "SourceNotFound");
  assert.ok(hasCondition(replication, "SourceFound", "False", "NotFound"));
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await untilCopy(world, team, "token", "key", "one");
  assert.ok(hasCondition(await untilReady(world, home, "token", 1), "SourceFound", "True"));
});

for (const [policy, survives] of [["Delete", false], ["Orphan", true]] as const) {
  Deno.test(`a source that is deleted takes its copies along only with deletionPolicy Delete (${policy})`, async () => {
    await using world = await openReplicationWorld();
    await world.start();
    const home = await world.namespace("home"), team = await world.namespace("team");
    await createSecret(world, home, "token", { stringData: { key: "one" } });
    await createReplication(world, home, "token", { deletionPolicy: policy });
    await untilReady(world, home, "token", 1);
    await world.client.delete(Secret, { namespace: home, name: "token" });
    await untilNotReady(world, home, "token", "SourceNotFound");
    const copy = await world.client.find<SecretObject>(Secret, { namespace: team, name: "token" });
    assert.equal(copy !== undefined, survives);
    if (survives) assert.equal(copy?.metadata?.labels?.["pintle.dev/replication"], undefined, "nobody's from now on");
  });

  Deno.test(`a Replication deleted while the operator is down is cleaned up by the next run (${policy})`, async () => {
    await using world = await openReplicationWorld();
    await world.start();
    const home = await world.namespace("home"), team = await world.namespace("team");
    await createSecret(world, home, "token", { stringData: { key: "one" } });
    await createReplication(world, home, "token", { deletionPolicy: policy });
    await untilReady(world, home, "token", 1);
    await world.kill();
    await world.client.delete(Replication, { namespace: home, name: "token" });
    assert.ok(await world.client.find(Replication, { namespace: home, name: "token" }), "its finalizer holds it");
    await world.start();
    await world.untilGone(Replication, { namespace: home, name: "token" });
    const copy = await world.client.find<SecretObject>(Secret, { namespace: team, name: "token" });
    assert.equal(copy !== undefined, survives);
    assert.equal(copy?.metadata?.annotations?.["pintle.dev/replication"], undefined);
  });
}

Deno.test("a source made anew with another type replaces the copies, which cannot change theirs", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { type: "example.com/a", stringData: { key: "one" } });
  await createReplication(world, home, "token", { deletionPolicy: "Orphan", conflictPolicy: "Adopt" });
  await untilReady(world, home, "token", 1);
  await world.client.delete(Secret, { namespace: home, name: "token" });
  await createSecret(world, home, "token", { type: "example.com/b", stringData: { key: "two" } });
  const copy = await world.untilObject<SecretObject>(
    Secret,
    { namespace: team, name: "token" },
    ({ type }) => type === "example.com/b",
  );
  assert.equal(copy.data?.key, btoa("two"));
});

Deno.test("the type changes while the operator is down: the copy is replaced in place", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { type: "example.com/a", stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  await world.kill();
  await world.client.delete(Secret, { namespace: home, name: "token" });
  await createSecret(world, home, "token", { type: "example.com/b", stringData: { key: "one" } });
  await world.start();
  await world.untilObject<SecretObject>(
    Secret,
    { namespace: team, name: "token" },
    ({ type }) => type === "example.com/b",
  );
  await untilReady(world, home, "token", 1);
});

Deno.test("an immutable source gives immutable copies, and its successor replaces them", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" }, immutable: true });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  const first = await world.client.get<SecretObject>(Secret, { namespace: team, name: "token" });
  assert.equal(first.immutable, true);
  await world.kill();
  await world.client.delete(Secret, { namespace: home, name: "token" });
  await createSecret(world, home, "token", { stringData: { key: "two" }, immutable: true });
  await world.start();
  const second = await untilCopy(world, team, "token", "key", "two");
  assert.notEqual(second.metadata?.uid, first.metadata?.uid);
  assert.equal(second.immutable, true);
});

Deno.test("a source that becomes immutable makes its copies immutable", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  await world.client.patch(Secret, { namespace: home, name: "token" }, { immutable: true }, { type: "merge" });
  await world.untilObject<SecretObject>(
    Secret,
    { namespace: team, name: "token" },
    ({ immutable }) => immutable === true,
  );
});

Deno.test("an object that is no copy is a visible conflict: untouched, named, and the other namespaces are served", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), a = await world.namespace("team-a"), b = await world.namespace("team-b");
  await createSecret(world, a, "token", { stringData: { key: "theirs" } });
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  const { status } = await untilNotReady(world, home, "token", "ReplicationIncomplete");
  assert.deepEqual(status?.namespaces, { matched: 2, ready: 1, failed: 1 });
  assert.deepEqual(status?.failures?.map(({ namespace, reason }) => [namespace, reason]), [[a, "Conflict"]]);
  assert.match(status?.failures?.[0]?.message ?? "", /exists and is no copy.*conflictPolicy: Adopt/);
  await untilCopy(world, b, "token", "key", "one");
  const theirs = await world.client.get<SecretObject>(Secret, { namespace: a, name: "token" });
  assert.equal(theirs.data?.key, btoa("theirs"));
  await world.client.delete(Secret, { namespace: a, name: "token" });
  await untilReady(world, home, "token", 2);
});

Deno.test("conflictPolicy Adopt takes over what stands in the way, of the same type or of another", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), a = await world.namespace("team-a"), b = await world.namespace("team-b");
  await createSecret(world, a, "token", { stringData: { key: "theirs", extra: "x" } });
  await createSecret(world, b, "token", { type: "example.com/other", stringData: { key: "theirs" } });
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token", { conflictPolicy: "Adopt" });
  await untilReady(world, home, "token", 2);
  for (const namespace of [a, b]) {
    const copy = await world.client.get<SecretObject>(Secret, { namespace, name: "token" });
    assert.deepEqual([copy.data, copy.type], [{ key: btoa("one") }, "Opaque"]);
  }
});

Deno.test("of two Replications for one target the second says so and waits; when the first goes, it takes over", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const one = await world.namespace("one"), two = await world.namespace("two"), team = await world.namespace("team");
  await createSecret(world, one, "token", { stringData: { key: "one" } });
  await createSecret(world, two, "token", { stringData: { key: "two" } });
  await createReplication(world, one, "token");
  await untilReady(world, one, "token", 1);
  await createReplication(world, two, "token", { conflictPolicy: "Adopt" });
  const { status } = await untilNotReady(world, two, "token", "ReplicationIncomplete");
  assert.match(status?.failures?.[0]?.message ?? "", new RegExp(`is a copy of Replication ${one}/token`));
  await untilCopy(world, team, "token", "key", "one");
  await world.client.delete(Replication, { namespace: one, name: "token" });
  await untilCopy(world, team, "token", "key", "two");
  await untilReady(world, two, "token", 1);
});

Deno.test("suspend leaves everything as it is, and going on catches up", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  const replication = { namespace: home, name: "token" };
  await world.client.patch(Replication, replication, { spec: { suspend: true } }, { type: "merge" });
  await untilNotReady(world, home, "token", "Suspended");
  await world.client.patch(Secret, { namespace: home, name: "token" }, { stringData: { key: "two" } }, {
    type: "merge",
  });
  await world.client.delete(Secret, { namespace: team, name: "token" });
  await world.idle();
  assert.equal(await world.client.find(Secret, { namespace: team, name: "token" }), undefined);
  await world.client.patch(Replication, replication, { spec: { suspend: false } }, { type: "merge" });
  await untilCopy(world, team, "token", "key", "two");
});

for (
  const [what, targets, message] of [
    [
      "a glob that no namespace can match",
      { namespaces: ["team-*", "Team_*"] },
      /spec\.targets\.namespaces\[1\].*"Team_\*"/,
    ],
    [
      "a label that is the replicator's own",
      { namespaces: ["x"], labels: { "pintle.dev/replication": "x" } },
      /spec\.targets\.labels/,
    ],
    ["a label value that is none", { namespaces: ["x"], labels: { a: "no value!" } }, /spec\.targets\.labels\["a"\]/],
    ["a copy name that is none", { namespaces: ["x"], name: "Not_A_Name" }, /spec\.targets\.name/],
    [
      "a selector that makes no sense",
      { selector: { matchExpressions: [{ key: "a", operator: "In" }] } },
      /spec\.targets\.selector/,
    ],
  ] as const
) {
  Deno.test(`${what} is a clear condition, not a crash`, async () => {
    await using world = await openReplicationWorld();
    await world.start();
    const home = await world.namespace("home");
    await createSecret(world, home, "token", { stringData: { key: "one" } });
    await createReplication(world, home, "token", { targets });
    const { status } = await untilNotReady(world, home, "token", "InvalidTargets");
    assert.match(status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "", message);
    await world.idle();
    const writes = world.writes.length;
    await world.idle();
    assert.equal(world.writes.length, writes, "a wrong input is not tried again");
  });
}

Deno.test("the CRD's schema refuses a malformed Replication and names the field", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  const refused = (field: string, spec: object) =>
    assert.rejects(createReplication(world, home, "token", spec as Record<string, unknown>), (error: Error) => {
      assert.ok(error instanceof InvalidError, error.message);
      assert.ok(error.message.includes(`${field}:`), error.message);
      assert.ok(error.causes.some((cause) => cause.field === field), JSON.stringify(error.causes));
      return true;
    });
  await refused("spec.source.kind", { source: { kind: "Pod" } });
  await refused("spec.source.name", { source: { name: "" } });
  await refused("spec.targets", { targets: {} });
  await refused("spec.targets.namespaces[0]", { targets: { namespaces: [7] } });
  await refused("spec.deletionPolicy", { deletionPolicy: "Keep" });
  await refused("spec.suspend", { suspend: "yes" });
});

Deno.test("a Secret of one mebibyte is copied", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  const data = { blob: btoa("x".repeat(1024 * 1024 - 16)) };
  await createSecret(world, home, "token", { data });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  const copy = await world.client.get<SecretObject>(Secret, { namespace: team, name: "token" });
  assert.equal(copy.data?.blob, data.blob);
});

Deno.test("a namespace that is being deleted is no failure, and its end leaves the others ready", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), a = await world.namespace("team-a"), b = await world.namespace("team-b");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  // A finalizer keeps the namespace terminating for as long as this test wants.
  const hold = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: a, name: "hold", finalizers: ["example.com/hold"] },
  };
  const configMaps = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
  await world.client.create(configMaps, hold);
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 2);
  await world.client.delete(Namespace, { name: a });
  const { status } = await untilReady(world, home, "token", 1);
  assert.deepEqual([status?.namespaces, status?.failures], [{ matched: 1, ready: 1, failed: 0 }, undefined]);
  await world.client.patch(Secret, { namespace: home, name: "token" }, { stringData: { key: "two" } }, {
    type: "merge",
  });
  await untilCopy(world, b, "token", "key", "two");
  await world.client.patch(configMaps, { namespace: a, name: "hold" }, { metadata: { finalizers: null } }, {
    type: "merge",
  });
  await world.untilGone(Namespace, { name: a });
});

Deno.test("a status names at most twenty failures, and counts them all", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  for (let index = 0; index < 23; index++) {
    const team = await world.namespace(`team-${index}`);
    await createSecret(world, team, "token", { stringData: { key: "theirs" } });
  }
  await createReplication(world, home, "token");
  const { status } = await world.untilObject<ReplicationObject>(
    Replication,
    { namespace: home, name: "token" },
    ({ status }) => status?.namespaces?.failed === 23,
  );
  assert.equal(status?.failures?.length, 20);
});
