import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { EnvtestCluster, envtestFolders, locateEnvtest } from "../../lib/harness/mod.ts";
import { ConfigMap, type ConfigMapObject } from "../../lib/operator/mod.ts";
import { untilServed } from "../chaos/quiesce.ts";
import { realKubeconfig } from "../cluster.ts";

Deno.test({
  // FR-373
  name: "programs of a control plane that were killed come back with what they had stored",
  ignore: realKubeconfig === undefined, // it starts a control plane of its own, where there is one to start
  fn: async () => {
    const clock = new SystemClock(), env = Deno.env.toObject();
    const programs = await locateEnvtest({ assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock });
    await using cluster = await EnvtestCluster.start({ programs, clock });
    const client = new Client(cluster.transport(), { fieldManager: "test", retriesMax: 0 });
    const key = { namespace: "default", name: "kept" };
    const made = await client.create<ConfigMapObject>(ConfigMap, { metadata: key });
    for (const name of ["etcd", "kube-apiserver"] as const) await cluster.kill(name);
    await assert.rejects(client.get(ConfigMap, key));
    for (const name of ["etcd", "kube-apiserver"] as const) cluster.revive(name);
    await untilServed({ client, clock, signal: new AbortController().signal });
    assert.equal((await client.get(ConfigMap, key)).metadata?.uid, made.metadata?.uid);
  },
});
