import assert from "node:assert/strict";
import type { ApiResource, DynamicObject } from "../../lib/apimachinery/mod.ts";
import { silentLogger, SystemClock, SystemRandom } from "../../lib/base/mod.ts";
import { Informer } from "../../lib/cache/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { openCluster } from "../cluster.ts";

const CONFIG_MAPS: ApiResource = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  namespaced: true,
};
const NAMESPACES: ApiResource = {
  group: "",
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  namespaced: false,
};

for (const streamingList of [false, true]) {
  const name = `a store reads its own writes (${streamingList ? "streaming" : "paged"} list)`;
  Deno.test(name, async () => {
    await using cluster = await openCluster();
    const client = new Client(cluster.transport(), { fieldManager: "cache-test" });
    const { metadata } = await client.create<DynamicObject>(NAMESPACES, { metadata: { generateName: "cache-" } });
    const namespace = metadata!.name!, names = Array.from({ length: 25 }, (_, i) => `m${i}`);
    for (const name of names) {
      await client.create(CONFIG_MAPS, { metadata: { namespace, name, labels: { own: "yes" } } });
    }
    const context = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
    const scope = { namespace, labelSelector: "own=yes", pageLimit: 10, streamingList };
    const informer = new Informer<DynamicObject>(client, CONFIG_MAPS, { ...context, ...scope });
    const stop = new AbortController(), running = informer.start(stop.signal);
    try {
      await informer.synced;
      assert.equal(informer.store.size, 25);
      for (const name of names.slice(0, 10)) {
        const written = await client.patch(CONFIG_MAPS, { namespace, name }, { data: { a: name } }, { type: "merge" });
        assert.equal(await informer.waitFor(written.metadata!.resourceVersion!, 5_000), true);
        assert.deepEqual(informer.store.get({ namespace, name })?.data, { a: name });
      }
      assert.equal(informer.store.get({ namespace, name: "m0" })?.metadata?.managedFields, undefined);
      assert.equal(informer.relists, 0);
    } finally {
      stop.abort();
      await running;
      await client.delete(NAMESPACES, { name: namespace });
    }
  });
}
