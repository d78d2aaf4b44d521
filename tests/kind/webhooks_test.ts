// FR-246
import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { configurationResource } from "../../lib/admission/webhook_configuration.ts";
import { KindSource } from "../../lib/harness/mod.ts";
import { Binary, RUN_PERMISSIONS, runBinary } from "../cli/binary.ts";
import { testWith } from "../outside_program.ts";
import { environment, MISSING } from "./kind_here.ts";

const MAIN = "tests/cli/webhook_operator.ts", CONVERTING = "tests/cli/converting_operator.ts";
const DISKS = { group: "converting.test.pintle.dev", kind: "Disk", plural: "disks", namespaced: true };
const GADGETS = {
  group: "webhook.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  namespaced: true,
};

function gadget(name: string, size: number) {
  return { metadata: { namespace: "default", name }, spec: { size } };
}

testWith(
  MISSING,
  // FR-250
  "webhooks of a process on this machine are called by a kind cluster, through the gateway of its nodes and no other address",
  async () => {
    const name = `pintle-kind-webhooks-${Deno.pid}`, { signal } = new AbortController();
    await using cluster = await new KindSource({
      clock: new SystemClock(),
      name,
      nodeImage: Deno.env.get("KIND_NODE_IMAGE"),
      runtime: Deno.env.get("KIND_EXPERIMENTAL_PROVIDER"),
    }).open(signal);
    const folder = await Deno.makeTempDir({ prefix: "pintle-kind-" }), kubeconfig = `${folder}/kubeconfig`;
    try {
      await Deno.writeTextFile(kubeconfig, cluster.kubeconfig!, { mode: 0o600 });
      const client = new Client(cluster.transport(), { fieldManager: "test" });
      await judgedInScenarios(name);
      await judgedByRun(client, kubeconfig);
      await convertedByRun(client, kubeconfig);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

async function judgedInScenarios(name: string): Promise<void> {
  const args = ["test", "--cluster", "kind", "--reuse", "--kind-name", name];
  const { code, out, err } = await runBinary(args, { main: MAIN, permissions: ["-A"], env: environment() });
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /operator in-process[^]*\n1 passed, 0 failed\n$/);
}

function startRun(main: string, kubeconfig: string): Promise<Binary> {
  const env = { PINTLE_WEBHOOK_URL: "auto", PINTLE_WEBHOOK_PORT: "0" };
  const args = ["run", "--http-port", "0", "--kubeconfig", kubeconfig];
  return Binary.start(args, { main, env, permissions: RUN_PERMISSIONS });
}

async function judgedByRun(client: Client, kubeconfig: string): Promise<void> {
  const installed = await runBinary(["install", "--skip-webhooks", "--kubeconfig", kubeconfig], { main: MAIN });
  assert.equal(installed.code, 0, installed.err);
  await using binary = await startRun(MAIN, kubeconfig);
  const [, host, port] = await binary.until(/webhooks are served host=(\S+) port=(\d+)/);
  await binary.until(/webhooks are called/);
  await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port: Number(port) }), /refused/);
  const { webhooks } = await client.get(configurationResource("validate"), { name: "gadgets" });
  const [{ clientConfig }] = webhooks as [{ clientConfig: { url: string } }];
  assert.equal(new URL(clientConfig.url).host, `${host}:${port}`);
  const made = await client.create(GADGETS, gadget("small", 5)) as { spec?: { team?: string } };
  assert.equal(made.spec?.team, "nobody");
  await assert.rejects(client.create(GADGETS, gadget("large", 6)), /denied the request: spec.size is above 5/);
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
  for (const type of ["mutate", "validate"] as const) {
    assert.equal(await client.find(configurationResource(type), { name: "gadgets" }), undefined);
  }
  await client.create(GADGETS, gadget("large", 6));
}

async function convertedByRun(client: Client, kubeconfig: string): Promise<void> {
  const main = CONVERTING, installed = await runBinary(["install", "--kubeconfig", kubeconfig], { main });
  assert.equal(installed.code, 0, installed.err);
  await using binary = await startRun(main, kubeconfig);
  await binary.until(/operator runs/);
  const key = { namespace: "default", name: "a" };
  await client.create({ ...DISKS, version: "v1" }, { metadata: key, spec: { gibibytes: 2 } } as never);
  const { spec } = await client.get({ ...DISKS, version: "v2" }, key) as { spec?: unknown };
  assert.deepEqual(spec, { mebibytes: 2048 });
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
}
