import assert from "node:assert/strict";
import { openClient } from "../../lib/client/mod.ts";
import { ConfigMap, type ConfigMapObject } from "../../lib/operator/mod.ts";
import { openServedCluster } from "../served_cluster.ts";

// FR-418
Deno.test("a program opens a client by a given kubeconfig, or by that of its environment", async () => {
  await using cluster = await openServedCluster();
  const metadata = { namespace: "default", name: `opened-${crypto.randomUUID().slice(0, 8)}` };
  const { kubeconfigPath } = cluster, fieldManager = "script";
  {
    using opened = await openClient({ fieldManager, kubeconfigPath });
    assert.deepEqual([opened.namespace, opened.source.startsWith("kubeconfig context ")], ["default", true]);
    const made = await opened.client.apply<ConfigMapObject>(ConfigMap, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata,
      data: { a: "1" },
    });
    assert.equal(made.metadata?.managedFields?.[0]?.manager, "script");
  }
  using opened = await openClient({ fieldManager, env: { KUBECONFIG: kubeconfigPath } });
  assert.deepEqual((await opened.client.get<ConfigMapObject>(ConfigMap, metadata)).data, { a: "1" });
  await opened.client.delete(ConfigMap, metadata);
});

// FR-418
Deno.test("a missing kubeconfig or context is named, with no request", async () => {
  await using cluster = await openServedCluster();
  const { kubeconfigPath } = cluster, fieldManager = "script";
  await assert.rejects(openClient({ fieldManager, kubeconfigPath: "/nowhere/config" }), /\/nowhere\/config/);
  await assert.rejects(openClient({ fieldManager, kubeconfigPath, context: "prod" }), /prod/);
});
