import assert from "node:assert/strict";
import { type LeaseObject, LEASES } from "../../lib/election/mod.ts";
import { installNamespace } from "../../lib/operator/installation.ts";
import { replicator } from "../../lib/replicator/mod.ts";
import { Binary, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";

const NAMESPACE = installNamespace("pintle"), LEASE = { namespace: NAMESPACE, name: replicator().name };

/** A replica as the operator's own account, in its own namespace. */
async function replica(
  cluster: HttpsCluster,
  host: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Binary> {
  const config = JSON.parse(cluster.door.kubeconfig);
  config.users[0].user = { token: await cluster.token() };
  config.contexts[0].context.namespace = NAMESPACE;
  const kubeconfig = await cluster.file(`${host}.json`, JSON.stringify(config));
  const args = ["run", "--kubeconfig", kubeconfig, "--http-port", "0", "--leader-election", "on"];
  return await Binary.start(args, { env: { HOSTNAME: host, ...env } });
}

async function get(binary: Binary, path: string): Promise<string> {
  const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

// FR-182
Deno.test("of two replicas one works, the other stands by, ready, and takes over as soon as the first stops", async () => {
  await using cluster = await HttpsCluster.open();
  await using first = await replica(cluster, "one");
  await first.until(/operator runs/);
  await using second = await replica(cluster, "two");
  await second.until(/another replica leads leader=one_/);
  assert.match(await get(second, "/readyz?verbose"), /^200 .*operator ok/s);
  assert.match(await get(first, "/metrics"), /leader_election_master_status\{name="pintle-replicator"\} 1/);
  assert.match(await get(second, "/metrics"), /leader_election_master_status\{name="pintle-replicator"\} 0/);
  await cluster.namespace("home");
  await cluster.namespace("team-a");
  await cluster.replicate("home", "token", "one", ["team-*"]);
  await cluster.untilCopied("team-a", "token", "one");
  assert.doesNotMatch(second.out, /operator runs/);
  first.kill("SIGTERM");
  assert.equal((await first.ended()).code, 0);
  await second.until(/operator runs/);
  const { spec } = await cluster.client.get<LeaseObject>(LEASES, LEASE);
  assert.match(spec?.holderIdentity ?? "", /^two_/);
  await cluster.namespace("team-b");
  await cluster.untilCopied("team-b", "token", "one");
  second.kill("SIGTERM");
  assert.equal((await second.ended()).code, 0);
  assert.equal(
    (await cluster.client.get<LeaseObject>(LEASES, LEASE)).spec?.holderIdentity,
    "",
    "the lease is free again",
  );
});

// FR-183
Deno.test("a leader whose lease is taken away ends with 1 and logs the reason", async () => {
  await using cluster = await HttpsCluster.open();
  await using binary = await replica(cluster, "one");
  await binary.until(/operator runs/);
  await cluster.client.patch(LEASES, LEASE, { type: "merge", body: { spec: { holderIdentity: "thief" } } as never });
  const { code, err } = await binary.ended();
  assert.equal(code, 1);
  assert.match(err, /lease pintle-system\/pintle-replicator is lost: thief has it/);
});

// FR-375
Deno.test("a leader whose lease is taken away ends with 1, whatever its handlers leave behind", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const main = "tests/cli/stubborn_operator.ts", kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  assert.equal((await runBinary(["install", ...kubeconfig], { main })).code, 0);
  const args = ["run", "--http-port", "0", "--leader-election", "on", ...kubeconfig];
  await using binary = await Binary.start(args, { main });
  await binary.until(/operator runs/);
  const widgets = {
    group: "stubborn.test.pintle.dev",
    version: "v1",
    kind: "Widget",
    plural: "widgets",
    namespaced: true,
  };
  await cluster.client.create(widgets, { metadata: { namespace: "default", name: "one" }, spec: {} } as never);
  await binary.until(/it begins and will not end/);
  const lease = { namespace: "default", name: "stubborn" };
  await cluster.client.patch(LEASES, lease, { type: "merge", body: { spec: { holderIdentity: "thief" } } as never });
  const { code, err } = await binary.ended();
  assert.equal(code, 1);
  assert.match(err, /stubborn: lease default\/stubborn is lost: thief has it/);
});

// FR-183
Deno.test("without the rule for leases a replica names the missing rule and its namespace", async () => {
  await using cluster = await HttpsCluster.open();
  const roles = { group: "rbac.authorization.k8s.io", version: "v1", kind: "Role", plural: "roles", namespaced: true };
  await cluster.client.delete(roles, LEASE);
  const kubeconfig = await cluster.kubeconfig({ user: { token: await cluster.token() } });
  const { code, err } = await runBinary(["run", "--kubeconfig", kubeconfig, "--leader-election", "on"]);
  assert.equal(code, 1);
  assert.match(
    err,
    /not allowed to get, create, update leases in API group "coordination.k8s.io" in namespace default/,
  );
});

// FR-415
Deno.test("the duration of the lease is a setting, which the lease has", async () => {
  await using cluster = await HttpsCluster.open();
  const env = { PINTLE_LEASE_DURATION: "2m17s", PINTLE_LEASE_RENEW_DEADLINE: "107s", PINTLE_LEASE_RETRY_PERIOD: "26s" };
  await using binary = await replica(cluster, "one", env);
  await binary.until(/operator runs/);
  assert.equal((await cluster.client.get<LeaseObject>(LEASES, LEASE)).spec?.leaseDurationSeconds, 137);
});

// FR-415
Deno.test("lease durations that contradict each other are exit 2, with the variables and what is wrong", async () => {
  const cases: { problem: string; env: Record<string, string> }[] = [
    { env: { PINTLE_LEASE_DURATION: "10s" }, problem: "the renew deadline must be shorter than the lease duration" },
    {
      env: { PINTLE_LEASE_RETRY_PERIOD: "4s" },
      problem: "the retry period must be shorter than the renew deadline divided by 3.2",
    },
  ];
  for (const { problem, env } of cases) {
    const { code, err } = await runBinary(["run", "--cluster", "embedded", "--http-port", "0"], { env });
    assert.equal(code, 2, err);
    assert.ok(err.includes("PINTLE_LEASE_RENEW_DEADLINE 10s") && err.includes(problem), err);
  }
});
