import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Secret } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { DEMO_PERMISSIONS, RUN_PERMISSIONS, runBinary } from "./binary.ts";
import { InstalledCluster } from "./installed_cluster.ts";

/** Records the shipped operator while it copies a Secret. */
async function record(cluster: InstalledCluster, file: string): Promise<void> {
  const from = await cluster.namespace("from"), to = await cluster.namespace("to");
  const args = ["run", "--http-port", "0", "--record", file];
  await using operator = await cluster.start(args, { permissions: DEMO_PERMISSIONS });
  await operator.until(/operator runs/);
  const metadata = { namespace: from, name: "login" };
  await cluster.client.create<KubeObject>(Secret, { metadata, stringData: { password: "hidden-value" } } as KubeObject);
  const spec = { source: { kind: "Secret", name: "login" }, targets: { namespaces: [to] } };
  await cluster.client.create<ReplicationObject>(Replication, { metadata, spec } as ReplicationObject);
  await operator.until(/converged.*created=1/);
  operator.kill("SIGTERM");
  assert.equal((await operator.ended()).code, 0);
}

// FR-514, FR-515, FR-516
Deno.test("a recorded run is replayed offline; a file that cannot be replayed is refused with the reason", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pintle-replay-" }), file = `${folder}/run.jsonl`;
  {
    await using cluster = await InstalledCluster.open();
    await record(cluster, file);
  }
  const text = await Deno.readTextFile(file), { mode } = await Deno.stat(file);
  assert.equal(mode! & 0o777, 0o600);
  for (const value of ["hidden-value", btoa("hidden-value")]) assert.ok(!text.includes(value));
  const replay = (args: string[], env: Record<string, string> = {}, main?: string) =>
    runBinary(["replay", ...args], { permissions: RUN_PERMISSIONS, env, main });
  const { code, out, err } = await replay([file]);
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /^ *\+\S+ POST \/api\/v1\/namespaces\/\S+-to\/secrets\?/m);
  assert.match(out, /\n\d+ requests, \d+ of them writes, as recorded\n$/);
  const lines = text.trimEnd().split("\n"), changed = `${folder}/changed`, cut = `${folder}/cut`;
  await Deno.writeTextFile(changed, text.replaceAll(`\\"name\\":\\"login\\"`, `\\"name\\":\\"logon\\"`));
  const other = await replay([changed]);
  assert.equal(other.code, 1, other.out + other.err);
  assert.match(other.out, /the first difference\n {2}sent {6}.*\n(.*\n)* {2}recorded {2}/);
  await Deno.writeTextFile(cut, `${lines.slice(0, -2).join("\n")}\n{"atMs":`);
  const partial = await replay([cut]);
  assert.match(partial.err, /cut was cut off; it is replayed as far as it goes\n/);
  assert.equal(partial.code, 1, partial.out);
  assert.match(partial.out, /\n\d+ requests, \d+ of them writes, as recorded up to \+\S+\n$/);
  const fix = /\n {2}fix: .* replace its incomplete last line by (\{.*\})\n$/.exec(partial.err);
  await Deno.writeTextFile(cut, `${lines.slice(0, -2).join("\n")}\n${fix![1]}\n`);
  const accepted = await replay([cut]);
  assert.deepEqual([accepted.code, accepted.err], [0, ""], accepted.out);
  await Deno.writeTextFile(`${folder}/new`, text.replace('"format":1', '"format":2'));
  const cases: [string[], Record<string, string>, string | undefined, RegExp][] = [
    [[`${folder}/none`], {}, undefined, /cannot read \S+none: .*\n {2}fix: name a file that `run --record FILE` wrote/],
    [[folder], {}, undefined, /it is no file, or too large/],
    [[`${folder}/new`], {}, undefined, /has the format 2 of another release, and this program reads 1\n {2}fix:/],
    [[file], {}, "examples/widgets/main.ts", /records the operator pintle-replicator, and this is widgets/],
    [
      [file],
      { PINTLE_TRUSTED_NAMESPACES: "infra" },
      undefined,
      /PINTLE_TRUSTED_NAMESPACES was "" when .* and is "infra"\n {2}fix: add --trusted-namespaces ""/,
    ],
  ];
  for (const [args, env, main, says] of cases) {
    const { code, out, err } = await replay(args, env, main);
    assert.deepEqual([code, out, says.test(err)], [2, "", true], err);
  }
  await Deno.remove(folder, { recursive: true });
});

// FR-572
Deno.test("a recording replaces no file that has content, also with --watch", async () => {
  const folder = await Deno.makeTempDir({ prefix: "pintle-replay-" }), file = `${folder}/run.jsonl`;
  await Deno.writeTextFile(file, "of yesterday\n");
  for (const watch of [[], ["--watch"]]) {
    const args = ["run", "--cluster", "embedded", "--http-port", "0", "--record", file, ...watch];
    const { code, err } = await runBinary(args, { permissions: DEMO_PERMISSIONS });
    assert.equal(code, 2, err);
    assert.match(err, /: \S+run\.jsonl exists already, and a recording would replace it\n {2}fix: name another file/);
    assert.equal(await Deno.readTextFile(file), "of yesterday\n");
  }
  await Deno.remove(folder, { recursive: true });
});

// FR-516
Deno.test("a recording that cannot be opened keeps the operator from starting", async () => {
  const { code, err } = await runBinary(
    ["run", "--cluster", "embedded", "--http-port", "0", "--record", "/nowhere/file"],
    { permissions: DEMO_PERMISSIONS },
  );
  assert.equal(code, 2, err);
  assert.match(err, /cannot record to \/nowhere\/file: .*\n {2}fix: name a file that can be written/);
});
