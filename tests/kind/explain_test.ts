import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { buildLocalImage, ContainerRuntime, Expectation, KindCluster, KindSource } from "../../lib/harness/mod.ts";
import { deploy } from "../../lib/harness/deploy.ts";
import { Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { RUN_PERMISSIONS, runBinary } from "../cli/binary.ts";
import { testWith } from "../outside_program.ts";
import { MISSING } from "./kind_here.ts";

const ROOT = new URL("../../", import.meta.url).pathname, METADATA = { namespace: "default", name: "login" };

// FR-513
testWith(
  MISSING,
  "explain reaches an operator that runs as a pod, with a client certificate as kind's kubeconfig has it",
  async () => {
    const clock = new SystemClock(), { signal } = new AbortController(), image = `pintle-explain-test:${Deno.pid}`;
    const provider = Deno.env.get("KIND_EXPERIMENTAL_PROVIDER"), runtime = await ContainerRuntime.find(provider);
    await buildLocalImage(runtime, { image, app: `${ROOT}dist/app`, executable: Deno.execPath() });
    await using cluster = await new KindSource({
      clock,
      name: `pintle-kind-explain-${Deno.pid}`,
      nodeImage: Deno.env.get("KIND_NODE_IMAGE"),
      runtime: provider,
    }).open(signal);
    const folder = await Deno.makeTempDir({ prefix: "pintle-kind-" }), kubeconfig = `${folder}/kubeconfig`;
    try {
      await Deno.writeTextFile(kubeconfig, cluster.kubeconfig!, { mode: 0o600 });
      assert.ok(cluster instanceof KindCluster);
      await using _loaded = await cluster.loadImage(image, signal);
      const overlay = `${ROOT}deploy/overlays/dev`, leave = true;
      await using _deployed = await deploy(cluster, { overlay, image, clock, rolloutMsMax: 120_000, leave }, signal);
      const client = new Client(cluster.transport(), { fieldManager: "test" });
      await client.create(Namespace, { metadata: { name: "to" } });
      const secret = { metadata: METADATA, stringData: { password: "hidden-value" } } as KubeObject;
      await client.create<KubeObject>(Secret, secret);
      const spec = { source: { kind: "Secret", name: "login" }, targets: { namespaces: ["to"] } };
      await client.create<ReplicationObject>(Replication, { metadata: METADATA, spec } as ReplicationObject);
      const key = { namespace: "to", name: "login" };
      await new Expectation({ resource: Secret, key }, { client, clock, waitMsMax: 60_000 }).toExist();
      const args = ["explain", "repl/login", "--kubeconfig", kubeconfig];
      const { code, out, err } = await runBinary(args, { permissions: RUN_PERMISSIONS });
      assert.deepEqual([code, err], [0, ""], out);
      assert.match(out, /^replication default\/login: reconciled, by pod pintle-system\/pintle-replicator-\S+\n/);
      assert.match(out, /\n {2}wrote {3}create secrets to\/login \(new at \d+\)\n/);
      assert.ok(!out.includes("hidden-value"));
    } finally {
      await Deno.remove(folder, { recursive: true });
      await runtime.removeImage(image);
    }
  },
);
