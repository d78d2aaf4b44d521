import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { silentLogger, SystemClock, SystemRandom, type Transport } from "../../lib/base/mod.ts";
import { Informer } from "../../lib/cache/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap as CONFIG_MAPS, Namespace as NAMESPACES } from "../../lib/operator/mod.ts";
import { openCluster } from "../cluster.ts";

for (const streamingList of [false, true]) {
  // FR-10, FR-13
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
        const written = await client.patch(CONFIG_MAPS, { namespace, name }, {
          type: "merge",
          body: { data: { a: name } },
        });
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

// FR-297
Deno.test("a proxy that swallows a streaming list leads to a paged one, and to the same objects", async () => {
  await using cluster = await openCluster();
  const inner = cluster.transport(), admin = new Client(inner, { fieldManager: "cache-test" });
  const { metadata } = await admin.create<DynamicObject>(NAMESPACES, { metadata: { generateName: "cache-" } });
  const namespace = metadata!.name!, swallowed: string[] = [];
  const swallowing: Transport = {
    fetch: async (path, request) => {
      if (!path.includes("sendInitialEvents")) return await inner.fetch(path, request);
      swallowed.push(path);
      await (await inner.fetch(path, request)).body?.cancel();
      return new Response(new ReadableStream());
    },
    close: () => {},
  };
  const context = { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger };
  const client = new Client(swallowing, { fieldManager: "cache-test" });
  const scope = { namespace, streamingList: true, listIdleMsMax: 100 };
  const informer = new Informer<DynamicObject>(client, CONFIG_MAPS, { ...context, ...scope });
  const stop = new AbortController(), running = informer.start(stop.signal);
  try {
    await informer.synced;
    const made = await admin.create<DynamicObject>(CONFIG_MAPS, { metadata: { namespace, name: "a" } });
    assert.equal(await informer.waitFor(made.metadata!.resourceVersion!, 5_000), true);
    assert.ok(informer.store.get({ namespace, name: "a" }));
    assert.equal(swallowed.length, 1);
  } finally {
    stop.abort();
    await running;
    await admin.delete(NAMESPACES, { name: namespace });
  }
});
