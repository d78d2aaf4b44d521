import assert from "node:assert/strict";
import { type LeaseObject, LEASES } from "../../lib/election/mod.ts";
import { ConfigMap } from "../../lib/operator/mod.ts";
import { type Binary, runBinary } from "./binary.ts";
import { ACCOUNT, InstalledCluster } from "./installed_cluster.ts";

/** An operator of `host` as its own account. */
async function operator(cluster: InstalledCluster, host: string, ...args: string[]): Promise<Binary> {
  const env = { HOSTNAME: host, KUBECONFIG: await cluster.kubeconfigOf() };
  return await cluster.start(["run", "--http-port", "0", ...args], { env });
}

async function metrics(binary: Binary): Promise<string> {
  const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

async function peerings(cluster: InstalledCluster): Promise<readonly LeaseObject[]> {
  return (await cluster.client.list<LeaseObject>(LEASES, { namespace: ACCOUNT.namespace })).items;
}

// FR-185
Deno.test("a developer's operator takes over from the one that runs, which waits, and goes on when it leaves", async () => {
  await using cluster = await InstalledCluster.open();
  const home = await cluster.namespace("home"), team = await cluster.namespace("team");
  await using prod = await operator(cluster, "prod", "--peering", "pintle-replicator");
  await prod.until(/operator runs/);
  await using dev = await operator(cluster, "laptop", "--dev");
  await prod.until(/paused for another peer .*peer=.*laptop_\w+ \(priority 666\)/);
  await dev.until(/operator runs/);
  assert.match(await metrics(prod), /pintle_paused\{name="pintle-replicator"\} 1/);
  assert.match(await metrics(dev), /pintle_paused\{name="pintle-replicator"\} 0/);
  const before = prod.out.length;
  await cluster.replicate("first", home, team);
  await cluster.untilCopied("first", team);
  assert.doesNotMatch(prod.out.slice(before), /reconcile/);
  dev.kill("SIGTERM");
  assert.equal((await dev.ended()).code, 0);
  await prod.until(/(working: no other peer has a higher priority[\s\S]*){2}/);
  await cluster.replicate("second", home, team);
  await cluster.untilCopied("second", team);
  prod.kill("SIGTERM");
  assert.equal((await prod.ended()).code, 0);
  assert.deepEqual(await peerings(cluster), [], "nothing is left behind");
});

// FR-186
Deno.test("freeze pauses an operator until Ctrl-C, doctor says so, and the operator writes nothing meanwhile", async () => {
  await using cluster = await InstalledCluster.open();
  const home = await cluster.namespace("home"), team = await cluster.namespace("team");
  await using prod = await operator(cluster, "prod", "--peering", "pintle-replicator");
  await prod.until(/operator runs/);
  await using freeze = await cluster.start(["freeze", "--message", "database move"], {
    env: { USER: "ada" },
  });
  await freeze.until(/frozen by ada \(priority 100, "database move"\)/);
  await freeze.until(/paused: prod_\w+ \(priority 0\)\nuntil Ctrl-C/);
  const doctor = await cluster.run(["doctor"]);
  assert.match(
    doctor.out,
    /warning: peering: pintle-replicator: ada \(priority 100, "database move"\) freezes operators/,
  );
  assert.match(doctor.out, /fix: deno run -A \S+ resume --id "ada"/);
  assert.match(doctor.out, /ok: peering: pintle-replicator: prod_\w+ \(priority 0\) is paused for ada/);
  await cluster.replicate("token", home, team);
  assert.equal(await cluster.has(ConfigMap, team, "token"), false);
  freeze.kill("SIGINT");
  const { code, out } = await freeze.ended();
  assert.equal(code, 0);
  assert.match(out, /peering pintle-system\/pintle-replicator resumes/);
  await cluster.untilCopied("token", team);
  await prod.until(/paused for another peer/);
});

// FR-186
Deno.test("a freeze with a lifetime outlives its command, resume ends it, and names the owners of others", async () => {
  await using cluster = await InstalledCluster.open();
  await using prod = await operator(cluster, "prod", "--peering", "pintle-replicator");
  await prod.until(/operator runs/);
  const frozen = await cluster.run(["freeze", "--lifetime", "1h"], { env: { USER: "ada" } });
  assert.equal(frozen.code, 0, frozen.err);
  assert.match(frozen.out, /frozen by ada \(priority 100, until \d{4}-.*Z\)\npaused: prod_/);
  const wrong = await cluster.run(["resume"], { env: { USER: "bob" } });
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.err,
    /is not frozen by bob\n.*is frozen by ada .*\n {2}fix: deno run -A \S+ resume --id "ada", or --all/,
  );
  const ended = await cluster.run(["resume", "--id", "ada"], { env: { USER: "bob" } });
  assert.equal(ended.code, 0, ended.err);
  assert.match(ended.out, /is no longer frozen by ada/);
  await prod.until(/(working: no other peer has a higher priority[\s\S]*){2}/);
  const short = await cluster.run(["freeze", "--lifetime", "10s"], { env: { USER: "ada" } });
  assert.equal(short.code, 0, short.err);
  await prod.until(/(working: no other peer has a higher priority[\s\S]*){3}/);
});

// FR-186
Deno.test("a freeze that is killed ends by itself, and one of lower priority pauses none of higher", async () => {
  await using cluster = await InstalledCluster.open();
  await using dev = await operator(cluster, "laptop", "--dev");
  await dev.until(/operator runs/);
  await using freeze = await cluster.start(["freeze"], { env: { USER: "ada" } });
  await freeze.until(/no operator of this peering runs now/);
  freeze.kill("SIGKILL");
  await freeze.ended();
  await dev.until(/an expired lease is deleted .*holder=ada/);
  assert.doesNotMatch(dev.out + dev.err, /paused for/);
});

// FR-186
Deno.test("an operator that is paused when it is started is ready, works when it may, and stops at once", async () => {
  await using cluster = await InstalledCluster.open();
  await cluster.run(["freeze", "--lifetime", "1h"], { env: { USER: "ada" } });
  await using prod = await operator(cluster, "prod", "--peering", "pintle-replicator");
  await prod.until(/paused for another peer/);
  const [, port] = await prod.until(/health and metrics are served.* port=(\d+)/);
  const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
  assert.equal(ready.status, 200, await ready.text());
  assert.doesNotMatch(prod.out, /operator runs/);
  prod.kill("SIGTERM");
  assert.equal((await prod.ended()).code, 0);
});

for (
  const [args, problem] of [
    [["run", "--dev", "--priority", "3"], /--dev and --priority exclude each other/],
    [["run", "--priority", "high"], /--priority.*must be a whole number from 0 to 1000000/],
    [["run", "--cluster", "embedded", "--peering", "A/b/c"], /--peering.*must be \[NAMESPACE\/\]NAME/],
    [["freeze", "--lifetime", "soon"], /--lifetime: "soon" must be a duration like/],
    [["freeze", "--lifetime", "30d"], /--lifetime: "30d" must be from 10s to 7d/],
    [["freeze", "--lifetime", "1s"], /--lifetime: "1s" must be from 10s to 7d/],
    [["freeze", "--id", ""], /--id is empty/],
    [["resume", "--all", "--id", "ada"], /--id and --all exclude each other/],
  ] as const
) {
  // FR-186
  Deno.test(`${args.join(" ")} is a mistake that is told before anything starts`, async () => {
    const { code, err } = await runBinary([...args]);
    assert.equal(code, 2, err);
    assert.match(err, problem);
  });
}

// FR-186
Deno.test("a peering in a missing namespace is reported with its fix", async () => {
  await using cluster = await InstalledCluster.open();
  const { code, err } = await cluster.run([
    "freeze",
    "--peering",
    "nowhere/x",
    "--lifetime",
    "1m",
  ]);
  assert.equal(code, 2, err);
  assert.match(err, /there is no namespace nowhere: .*\n {2}fix: create it, or name the namespace of the operator/);
});
