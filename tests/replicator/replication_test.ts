import assert from "node:assert/strict";
import { ConfigMap, type ConfigMapObject, Namespace, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { Replication } from "../../lib/replicator/mod.ts";
import { createReplication, createSecret, openReplicationWorld, untilCopy, untilReady } from "./replication_world.ts";

Deno.test("a Secret is copied to every matching namespace, marked, labelled, and to no other", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("team-home"),
    a = await world.namespace("team-a"),
    b = await world.namespace("team-b");
  const other = await world.namespace("other");
  await createSecret(world, home, "token", { type: "example.com/token", stringData: { key: "one" } });
  await createReplication(world, home, "token", {
    targets: {
      namespaces: [`${world.prefix}-team*`],
      labels: { tier: "base" },
      annotations: { note: "a copy" },
      name: "copied",
    },
  });
  const { status } = await untilReady(world, home, "token", 2);
  for (const namespace of [a, b]) {
    const copy = await world.client.get<SecretObject>(Secret, { namespace, name: "copied" });
    assert.deepEqual(copy.data, { key: btoa("one") });
    assert.equal(copy.type, "example.com/token");
    assert.equal(copy.metadata?.labels?.tier, "base");
    assert.equal(copy.metadata?.annotations?.note, "a copy");
    assert.equal(copy.metadata?.annotations?.["pintle.dev/replication"], `${home}/token`);
    assert.equal(copy.metadata?.annotations?.["pintle.dev/source-version"], status?.sourceVersion);
  }
  assert.deepEqual(status?.namespaces, { matched: 2, ready: 2, failed: 0 });
  assert.equal(await world.client.find(Secret, { namespace: other, name: "copied" }), undefined);
  assert.equal(
    await world.client.find(Secret, { namespace: home, name: "copied" }),
    undefined,
    "never its own namespace",
  );
});

Deno.test("a ConfigMap is copied with its binary data, and without the source's own labels and annotations", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  const metadata = { namespace: home, name: "settings", labels: { own: "label" }, annotations: { own: "annotation" } };
  const source = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "1" }, binaryData: { b: btoa("\0\x01") } };
  await world.client.create<ConfigMapObject>(ConfigMap, source);
  await createReplication(world, home, "settings", { source: { kind: "ConfigMap" } });
  await untilReady(world, home, "settings", 1);
  const copy = await world.client.get<ConfigMapObject>(ConfigMap, { namespace: team, name: "settings" });
  assert.deepEqual([copy.data, copy.binaryData], [source.data, source.binaryData]);
  assert.equal(copy.metadata?.labels?.own, undefined);
  assert.equal(copy.metadata?.annotations?.own, undefined);
});

Deno.test("globs exclude, and where a selector is given too, both must match", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  const yes = await world.namespace("team-a", { registry: "enabled" });
  await world.namespace("team-b");
  await world.namespace("team-legacy", { registry: "enabled" });
  await world.namespace("other", { registry: "enabled" });
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token", {
    targets: {
      namespaces: [`${world.prefix}-team-*`, `!${world.prefix}-team-legacy`],
      selector: { matchLabels: { registry: "enabled" } },
    },
  });
  await untilReady(world, home, "token", 1);
  const { items } = await world.client.list(Secret, { labelSelector: `pintle.dev/replication=${home}.token` });
  assert.deepEqual(items.map(({ metadata }) => metadata?.namespace), [yes]);
});

Deno.test("kube-* namespaces are protected even from a glob that names everything", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token", { targets: { namespaces: ["kube-system", `${world.prefix}-*`] } });
  await untilReady(world, home, "token", 1);
  assert.equal(await world.client.find(Secret, { namespace: "kube-system", name: "token" }), undefined);
});

Deno.test("a change of the source reaches every copy; a change of its labels alone writes to none", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one", gone: "x" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  await world.client.patch(Secret, { namespace: home, name: "token" }, {
    stringData: { key: "two" },
    data: { gone: null },
  }, {
    type: "merge",
  });
  const copy = await untilCopy(world, team, "token", "key", "two");
  assert.deepEqual(Object.keys(copy.data ?? {}), ["key"], "a key that is gone from the source is gone from the copy");
  await world.idle();
  const before = world.writes.length;
  await world.client.patch(Secret, { namespace: home, name: "token" }, { metadata: { labels: { a: "b" } } }, {
    type: "merge",
  });
  await world.client.patch(Replication, { namespace: home, name: "token" }, { metadata: { labels: { c: "d" } } }, {
    type: "merge",
  });
  const { metadata } = await world.client.get(Replication, { namespace: home, name: "token" });
  await world.running.informers.running()[Symbol.iterator]().next().value!.informer.waitFor(
    metadata!.resourceVersion!,
    10_000,
  );
  await world.idle();
  assert.deepEqual(world.writes.slice(before), []);
});

Deno.test("what follows namespaces: one that appears, one that is relabelled in and out, one that goes", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token", {
    targets: { namespaces: [`${world.prefix}-team*`], selector: { matchLabels: { want: "yes" } } },
  });
  await untilReady(world, home, "token", 0);
  const a = await world.namespace("team-a", { want: "yes" }), b = await world.namespace("team-b");
  await untilReady(world, home, "token", 1);
  await world.client.patch(Namespace, { name: b }, { metadata: { labels: { want: "yes" } } }, { type: "merge" });
  await untilReady(world, home, "token", 2);
  await world.client.patch(Namespace, { name: b }, { metadata: { labels: { want: null } } }, { type: "merge" });
  await world.untilGone(Secret, { namespace: b, name: "token" });
  await world.client.delete(Namespace, { name: a });
  const { status } = await untilReady(world, home, "token", 0);
  assert.deepEqual(status?.namespaces, { matched: 0, ready: 0, failed: 0 });
});

for (
  const [what, patch] of [
    ["a value", { data: { key: btoa("forged") } }],
    ["a key removed", { data: { key: null } }],
    ["a key added", { data: { extra: btoa("more") } }],
    ["our label removed", { metadata: { labels: { "pintle.dev/replication": null } } }],
    ["our annotations removed", { metadata: { annotations: null } }],
  ] as const
) {
  Deno.test(`a copy edited by hand (${what}) is restored`, async () => {
    await using world = await openReplicationWorld();
    await world.start();
    const home = await world.namespace("home"), team = await world.namespace("team");
    await createSecret(world, home, "token", { stringData: { key: "one" } });
    // Without its annotation the copy is nobody's, and taking it back is an adoption.
    await createReplication(world, home, "token", { conflictPolicy: "Adopt" });
    await untilReady(world, home, "token", 1);
    const key = { namespace: team, name: "token" };
    const { metadata: before } = await world.client.get(Secret, key);
    await world.client.patch(Secret, key, patch, { type: "merge" });
    await world.untilObject<SecretObject>(
      Secret,
      key,
      ({ data, metadata }) =>
        JSON.stringify(data) === JSON.stringify({ key: btoa("one") }) &&
        metadata?.labels?.["pintle.dev/replication"] === `${home}.token` &&
        metadata?.annotations?.["pintle.dev/replication"] === `${home}/token`,
    );
    const { metadata: after } = await world.client.get(Secret, key);
    assert.equal(after?.uid, before?.uid, "repaired in place");
  });
}

Deno.test("a copy that is deleted comes back", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  const { metadata } = await world.client.get(Secret, { namespace: team, name: "token" });
  await world.client.delete(Secret, { namespace: team, name: "token" });
  await world.untilObject(Secret, { namespace: team, name: "token" }, (copy) => copy.metadata?.uid !== metadata?.uid);
});

Deno.test("another target name or source moves the copies, and leaves none under the old name", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  await createReplication(world, home, "token");
  await untilReady(world, home, "token", 1);
  await world.client.patch(
    Replication,
    { namespace: home, name: "token" },
    { spec: { targets: { name: "renamed" } } },
    {
      type: "merge",
    },
  );
  await untilCopy(world, team, "renamed", "key", "one");
  await world.untilGone(Secret, { namespace: team, name: "token" });
  await world.client.create<ConfigMapObject>(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace: home, name: "token" },
    data: { key: "map" },
  });
  await world.client.patch(
    Replication,
    { namespace: home, name: "token" },
    { spec: { source: { kind: "ConfigMap" } } },
    {
      type: "merge",
    },
  );
  await world.untilObject<ConfigMapObject>(
    ConfigMap,
    { namespace: team, name: "renamed" },
    ({ data }) => data?.key === "map",
  );
  await world.untilGone(Secret, { namespace: team, name: "renamed" });
});

Deno.test("labels that are no longer asked for disappear from the copies; other people's stay", async () => {
  await using world = await openReplicationWorld();
  await world.start();
  const home = await world.namespace("home"), team = await world.namespace("team");
  await createSecret(world, home, "token", { stringData: { key: "one" } });
  const namespaces = [`${world.prefix}-team*`];
  await createReplication(world, home, "token", { targets: { namespaces, labels: { old: "1", kept: "1" } } });
  await untilReady(world, home, "token", 1);
  const key = { namespace: team, name: "token" };
  await world.client.patch(Secret, key, { metadata: { labels: { theirs: "1" } } }, { type: "merge" });
  await world.client.patch(Replication, { namespace: home, name: "token" }, {
    spec: { targets: { labels: { old: null, kept: "2" } } },
  }, { type: "merge" });
  const copy = await world.untilObject<SecretObject>(Secret, key, ({ metadata }) => metadata?.labels?.kept === "2");
  assert.equal(copy.metadata?.labels?.old, undefined);
  assert.equal(copy.metadata?.labels?.theirs, "1");
});
