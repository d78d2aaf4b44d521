import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Secret } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { runBinary } from "./binary.ts";
import { endedAtHangingServer } from "./hanging_server.ts";
import { InstalledCluster } from "./installed_cluster.ts";

/** A Secret in one namespace and a Replication that would copy it to another. */
async function replicated(cluster: InstalledCluster): Promise<{ from: string; to: string }> {
  const from = await cluster.namespace("from"), to = await cluster.namespace("to");
  const metadata = { namespace: from, name: "login" };
  await cluster.client.create<KubeObject>(Secret, { metadata, stringData: { password: "hidden-value" } } as KubeObject);
  const spec = { source: { kind: "Secret", name: "login" }, targets: { namespaces: [to] } };
  await cluster.client.create<ReplicationObject>(Replication, { metadata, spec } as ReplicationObject);
  return { from, to };
}

// FR-226
Deno.test("plan shows every write as a diff, hides what a Secret holds, and writes nothing; run then does just that", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, to } = await replicated(cluster);
  const version = async () => (await cluster.client.get(Replication, { namespace: from, name: "login" })).metadata;
  const before = (await version())?.resourceVersion;
  const lines = await cluster.done("plan");
  assert.deepEqual(lines.slice(0, 5), [
    `replication ${from}/login: reconcile`,
    `  ~ replication ${from}/login`,
    '      + metadata.finalizers: ["pintle.dev/pintle-replicator"]',
    `  + secret ${to}/login`,
    '      + data.password: "******** (after)"',
  ]);
  assert.ok(lines.includes(`  ~ replication ${from}/login (status)`), lines.join("\n"));
  assert.ok(lines.includes('      + status.conditions.Ready: "True Replicated: 1 of 1 copies show the source"'));
  assert.ok(lines.some((line) => /^ {6}\+ status\.sourceVersion: "\d+"$/.test(line)));
  assert.equal(lines.at(-1), "1 object checked: 1 to create, 2 to change; nothing was written");
  for (const secret of ["hidden-value", btoa("hidden-value")]) assert.ok(!lines.join("\n").includes(secret));
  assert.equal((await version())?.resourceVersion, before);
  assert.ok(!await cluster.has(Secret, to, "login"));
  {
    await using operator = await cluster.start(["run", "--http-port", "0"]);
    await operator.until(/converged.*created=1/);
    operator.kill("SIGTERM");
    assert.equal((await operator.ended()).code, 0);
  }
  assert.deepEqual(await cluster.done("plan"), ["1 object checked: nothing to do; nothing was written"]);
  await cluster.client.delete(Replication, { namespace: from, name: "login" });
  const leaving = await cluster.done("plan", `replication/login`, "--namespace", from);
  assert.deepEqual(leaving, [
    `replication ${from}/login: delete`,
    `  - secret ${to}/login`,
    `  ~ replication ${from}/login`,
    '      - metadata.finalizers: ["pintle.dev/pintle-replicator"]',
    "1 object checked: 1 to change, 1 to delete; nothing was written",
  ]);
  assert.ok(await cluster.has(Secret, to, "login"));
});

// FR-225
Deno.test("a reconcile that would fail makes plan fail, and programs can read why", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, to } = await replicated(cluster);
  await cluster.client.create<KubeObject>(Secret, { metadata: { namespace: to, name: "login" } });
  const { code, out, err } = await cluster.run(["plan"]);
  assert.deepEqual([code, err], [1, ""]);
  assert.match(out, /fails: ReplicationIncomplete: 1 of 1 failed: .*exists and is not a copy.*\(tried again later\)/);
  assert.match(out, /^1 object checked: 2 to change, 1 failing; nothing was written$/m);
  const json = await cluster.run(["plan", "repl", "--output", "json"]);
  const [pass, ...more] = JSON.parse(json.out);
  assert.deepEqual([json.code, more], [1, []]);
  assert.deepEqual([pass.kind, pass.namespace, pass.name, pass.cause], ["Replication", from, "login", "reconcile"]);
  assert.deepEqual([pass.outcome.kind, pass.outcome.reason], ["retry", "ReplicationIncomplete"]);
  assert.deepEqual(pass.writes.map(({ verb }: { verb: string }) => verb), ["patch", "apply"]);
});

// FR-225
Deno.test("objects are named as kubectl names them, one namespace's or all; what is not there is said", async () => {
  await using cluster = await InstalledCluster.open();
  const { from } = await replicated(cluster);
  const other = await cluster.namespace("other");
  for (const object of ["repl/login", "replications.pintle.dev/login", "Replication/login"]) {
    const lines = await cluster.done("plan", object, "--namespace", from);
    assert.equal(lines[0], `replication ${from}/login: reconcile`);
  }
  assert.equal((await cluster.done("plan", "repl/login", "-n", from))[0], `replication ${from}/login: reconcile`);
  assert.deepEqual(await cluster.done("plan", "--namespace", other), [
    "0 objects checked: nothing to do; nothing was written",
  ]);
  const cases: [string[], number, RegExp][] = [
    [["widget/a"], 2, /the operator has no kind "widget"\n {2}fix: .*its kinds are replication\n$/],
    [["repl/"], 2, /repl\/ names no object/],
    [["repl", "--output", "yaml"], 2, /Allowed choices are text, json/],
    [["repl/login", "--namespace", other], 1, /there is no Replication \S+-other\/login\n {2}fix: name its namespace/],
    [["repl/login"], 1, /there is no Replication default\/login/],
  ];
  for (const [args, expected, says] of cases) {
    const { code, out, err } = await cluster.run(["plan", ...args]);
    assert.deepEqual([code, out], [expected, ""], err);
    assert.match(err, says);
  }
});

// FR-225
Deno.test("plan knows the kinds that an operator selects, and the namespaces that it is limited to", async () => {
  await using cluster = await InstalledCluster.open();
  const { from } = await replicated(cluster);
  const env = { PINTLE_NAMESPACES: `!${from}` };
  const { code, out } = await cluster.run(["plan"], { env });
  assert.deepEqual([code, out], [0, "0 objects checked: nothing to do; nothing was written\n"]);
  const main = "tests/cli/config_map_operator.ts";
  const selected = await cluster.run(["plan", "limitrange", "--namespace", from], { main });
  assert.deepEqual([selected.code, selected.err], [0, ""]);
  const wrong = await cluster.run(["plan", "lamp"], { main });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /has no kind "lamp"[\s\S]*its kinds are configmap, limitrange/);
});

// FR-225
Deno.test("without CRDs or rights plan says what is missing, without a server it is exit 3, and Ctrl-C is 130", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const bare = await cluster.run(["plan"]);
  assert.equal(bare.code, 1);
  assert.match(bare.err, /does not serve replications\.pintle\.dev[\s\S]*fix: run `deno run -A \S+ install`/);
  await cluster.done("install");
  const KUBECONFIG = await cluster.strangersKubeconfig();
  const stranger = await cluster.run(["plan"], { env: { KUBECONFIG } });
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /not allowed to get, list, watch, patch replications/);
  const file = await Deno.makeTempFile();
  const interrupted = await endedAtHangingServer(["plan"], file, "SIGINT");
  assert.deepEqual(interrupted, { code: 130, out: "", err: "pintle: interrupted\n" });
  assert.equal((await runBinary(["plan", "--kubeconfig", file])).code, 3);
  await Deno.remove(file);
});
