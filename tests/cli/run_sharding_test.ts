import assert from "node:assert/strict";
import { type LeaseObject, LEASES, ownersOf, SHARDS } from "../../lib/election/mod.ts";
import { installNamespace } from "../../lib/operator/installation.ts";
import { replicator } from "../../lib/replicator/mod.ts";
import { Binary, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

const NAMESPACE = installNamespace("pintle"), TABLE = { namespace: NAMESPACE, name: `${replicator().name}-shards` };

/** A replica as the operator's own account, in its own namespace. */
async function replica(cluster: HttpsCluster, host: string): Promise<Binary> {
  const config = JSON.parse(cluster.door.kubeconfig);
  config.users[0].user = { token: await cluster.token() };
  config.contexts[0].context.namespace = NAMESPACE;
  const kubeconfig = await cluster.file(`${host}.json`, JSON.stringify(config));
  const args = ["run", "--kubeconfig", kubeconfig, "--http-port", "0", "--leader-election", "shards"];
  return await Binary.start(args, { env: { HOSTNAME: host } });
}

async function get(binary: Binary, path: string): Promise<string> {
  const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

/** Whose each shard is, by the host of its owner. */
async function owners(cluster: HttpsCluster): Promise<string[]> {
  const owners = ownersOf(await cluster.client.get<LeaseObject>(LEASES, TABLE))!;
  return [...new Set(owners.map((owner) => owner.split("_")[0]!))].sort();
}

// FR-188
Deno.test("two replicas share the shards, one that is killed is followed by the other, and a graceful stop gives all up", async () => {
  await using cluster = await HttpsCluster.open();
  for (const name of ["home", "team-a", "team-b"]) await cluster.namespace(name);
  await using first = await replica(cluster, "one");
  await first.until(/shards taken .*held=64/);
  await using second = await replica(cluster, "two");
  await second.until(/shards taken .*held=32/);
  await first.until(/handing shards over/);
  assert.deepEqual(await owners(cluster), ["one", "two"]);
  for (const each of [first, second]) {
    assert.match(await get(each, "/readyz?verbose"), /^200 .*operator ok/s);
    assert.match(await get(each, "/metrics"), /pintle_shards\{name="pintle-replicator"\} 32/);
  }
  const doctor = await runBinary(["doctor", "--kubeconfig", await cluster.kubeconfig()]);
  assert.match(doctor.out, /ok: shards: one_\w+ works on 32 of 64 shards/);
  assert.match(doctor.out, /ok: shards: two_\w+ works on 32 of 64 shards/);
  for (const source of ["home", "team-b"]) await cluster.replicate(source, `from-${source}`, "one", ["team-a"]);
  for (const source of ["home", "team-b"]) await cluster.untilCopied("team-a", `from-${source}`, "one");
  first.kill("SIGKILL");
  await first.ended();
  await second.until(/shards taken .*held=64/);
  assert.deepEqual(await owners(cluster), ["two"]);
  await cluster.namespace("team-c");
  await cluster.replicate("team-c", "late", "two", ["team-a"]);
  await cluster.untilCopied("team-a", "late", "two");
  second.kill("SIGTERM");
  assert.equal((await second.ended()).code, 0);
  assert.deepEqual(await owners(cluster), [""]);
  const { items } = await cluster.client.list<LeaseObject>(LEASES, { namespace: NAMESPACE });
  assert.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    [TABLE.name],
    "replicas that left leave nothing behind",
  );
});

// FR-189
Deno.test("a replica whose shards are taken away ends with 1 and says why; the table says how many shards there are", async () => {
  await using cluster = await HttpsCluster.open();
  await using binary = await replica(cluster, "one");
  await binary.until(/shards taken .*held=64/);
  const table = await cluster.client.get<LeaseObject>(LEASES, TABLE);
  assert.equal(ownersOf(table)?.length, SHARDS);
  const stolen = JSON.stringify(Array(SHARDS).fill("thief"));
  await cluster.client.patch(LEASES, TABLE, {
    type: "merge",
    body: { metadata: { annotations: { "pintle.dev/shard-owners": stolen } } } as never,
  });
  const { code, err } = await binary.ended();
  assert.equal(code, 1);
  assert.match(err, /shards 0,1,.* have another owner/);
});

// FR-189
Deno.test("without the rules for leases a replica that shares says which are missing, and where", async () => {
  await using cluster = await HttpsCluster.open();
  const roles = { group: "rbac.authorization.k8s.io", version: "v1", kind: "Role", plural: "roles", namespaced: true };
  await cluster.client.delete(roles, { namespace: NAMESPACE, name: replicator().name });
  const kubeconfig = await cluster.kubeconfig({ user: { token: await cluster.token() } });
  const { code, err } = await runBinary(["run", "--kubeconfig", kubeconfig, "--leader-election", "shards"]);
  assert.equal(code, 1);
  assert.match(err, /not allowed to get, list, create, update, delete leases .* in namespace default/);
});
