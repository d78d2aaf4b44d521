import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { SystemClock, type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import {
  AlreadyExistsError,
  Client,
  ConflictError,
  discover,
  findResource,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  serverVersion,
  UnreachableError,
  type WatchEvent,
} from "../../lib/client/mod.ts";
import { ConfigMap as CONFIG_MAPS, Namespace as NAMESPACES } from "../../lib/operator/mod.ts";
import { openCluster } from "../cluster.ts";
import { SECRETS } from "./scripted_transport.ts";

/** A test with a client and a namespace of its own. */
function clusterTest(
  name: string,
  test: (client: Client, namespace: string, as: (user: string) => Client) => Promise<void>,
): void {
  // FR-11
  Deno.test(name, async () => {
    await using cluster = await openCluster();
    const client = new Client(cluster.transport(), { fieldManager: "client-test" });
    const { metadata } = await client.create<DynamicObject>(NAMESPACES, { metadata: { generateName: "client-" } });
    const namespace = metadata!.name!;
    try {
      const as = (user: string) =>
        new Client(cluster.transport({ name: user, groups: ["system:authenticated"] }), {
          fieldManager: "client-test",
        });
      await test(client, namespace, as);
    } finally {
      await client.delete(NAMESPACES, { name: namespace });
    }
  });
}

// FR-220
clusterTest("a dry run of any verb keeps nothing, call by call or for all of a client", async (client, namespace) => {
  const key = { namespace, name: "a" }, label = { metadata: { labels: { tried: "yes" } } };
  const { metadata } = await client.create<DynamicObject>(CONFIG_MAPS, { metadata: { ...key }, data: { one: "1" } });
  const uid = metadata!.uid!, dry = new Client(client.transport, { fieldManager: "client-test", dryRun: true });
  const tries: [Client, { dryRun?: boolean }][] = [[client, { dryRun: true }], [dry, {}], [dry, { dryRun: false }]];
  for (const [trying, options] of tries) {
    await trying.create(CONFIG_MAPS, { metadata: { namespace, name: "b" } }, options);
    const patched = await trying.patch(CONFIG_MAPS, key, { ...options, type: "merge", body: label });
    assert.deepEqual(patched.metadata?.labels, { tried: "yes" }, "it is answered as if");
    await trying.apply<DynamicObject>(CONFIG_MAPS, { metadata: { ...key }, data: { two: "2" } }, options);
    await trying.replace<DynamicObject>(CONFIG_MAPS, { metadata: { ...key }, data: {} }, options);
    await trying.delete(CONFIG_MAPS, key, { ...options, uid, propagationPolicy: "Background" });
    await assert.rejects(trying.delete(CONFIG_MAPS, key, { ...options, uid: "another" }), ConflictError);
  }
  await assert.rejects(
    dry.raw(`/api/v1/namespaces/${namespace}/configmaps`, { method: "POST", body: {} }),
    /this is a dry run/,
  );
  const [only, ...more] =
    (await client.list<DynamicObject>(CONFIG_MAPS, { namespace, fieldSelector: "metadata.name!=kube-root-ca.crt" }))
      .items;
  // FR-462
  assert.deepEqual([only!.metadata?.resourceVersion, more], [metadata!.resourceVersion, []]);
});

clusterTest("an object lives: created, read, applied, patched, replaced, deleted", async (client, namespace) => {
  const key = { namespace, name: "a" };
  const made = await client.create<DynamicObject>(CONFIG_MAPS, { metadata: { ...key }, data: { one: "1" } });
  assert.ok(made.metadata?.uid);
  await assert.rejects(client.create(CONFIG_MAPS, { metadata: { ...key } }), AlreadyExistsError);
  const applied = await client.apply<DynamicObject>(CONFIG_MAPS, { metadata: { ...key }, data: { two: "2" } });
  assert.deepEqual(applied.data, { one: "1", two: "2" });
  const patched = await client.patch(CONFIG_MAPS, key, { type: "merge", body: { data: { one: null } } });
  assert.deepEqual(patched.data, { two: "2" });
  await assert.rejects(client.replace(CONFIG_MAPS, made), ConflictError);
  await client.replace<DynamicObject>(CONFIG_MAPS, { ...patched, data: { three: "3" } });
  const partial = await client.get(CONFIG_MAPS, key, { metadataOnly: true });
  assert.deepEqual([partial.kind, partial.apiVersion, partial.data], ["ConfigMap", "v1", undefined]);
  await assert.rejects(client.delete(CONFIG_MAPS, key, { uid: "another" }), ConflictError);
  await client.delete(CONFIG_MAPS, key, { uid: made.metadata.uid });
  await assert.rejects(client.delete(CONFIG_MAPS, key), NotFoundError);
  assert.equal(await client.find(CONFIG_MAPS, key), undefined);
});

clusterTest("a list in pages is whole, and selected by labels", async (client, namespace) => {
  for (let i = 0; i < 7; i++) {
    await client.create(CONFIG_MAPS, { metadata: { namespace, name: `m${i}`, labels: { even: String(i % 2 === 0) } } });
  }
  const list = await client.list(CONFIG_MAPS, { namespace, limit: 2, labelSelector: "even=true" });
  assert.deepEqual(list.items.map((item) => item.metadata?.name), ["m0", "m2", "m4", "m6"]);
  assert.ok(list.items.every((item) => item.kind === "ConfigMap" && item.apiVersion === "v1"));
  const partial = await client.list(CONFIG_MAPS, { namespace, metadataOnly: true, fieldSelector: "metadata.name=m3" });
  assert.deepEqual(partial.items.map((item) => [item.kind, item.metadata?.name]), [["ConfigMap", "m3"]]);
});

clusterTest("a watch tells every change in order, from the version it is given", async (client, namespace) => {
  const { metadata } = await client.list(CONFIG_MAPS, { namespace });
  const stop = new AbortController(), seen: string[] = [];
  const labelSelector = "watched=yes", labels = { watched: "yes" }, key = { namespace, name: "w" };
  const watching = (async () => {
    const options = { namespace, labelSelector, resourceVersion: metadata!.resourceVersion, signal: stop.signal };
    for await (const { type, object } of client.watch<DynamicObject>(CONFIG_MAPS, options)) {
      seen.push(`${type} ${object.metadata?.name} ${JSON.stringify(object.data)}`);
      if (type === "DELETED") stop.abort();
    }
  })();
  await client.create<DynamicObject>(CONFIG_MAPS, { metadata: { ...key, labels }, data: { a: "1" } });
  await client.patch(CONFIG_MAPS, key, { type: "merge", body: { data: { a: "2" } } });
  await client.delete(CONFIG_MAPS, key);
  await watching;
  assert.deepEqual(seen, ['ADDED w {"a":"1"}', 'MODIFIED w {"a":"2"}', 'DELETED w {"a":"2"}']);
});

clusterTest("a streaming list ends with its annotated bookmark", async (client, namespace) => {
  await client.create(CONFIG_MAPS, { metadata: { namespace, name: "a", labels: { streamed: "yes" } } });
  const stop = new AbortController(), events: WatchEvent[] = [];
  const options = { namespace, labelSelector: "streamed=yes", sendInitialEvents: true, signal: stop.signal };
  for await (const event of client.watch(CONFIG_MAPS, options)) {
    events.push(event);
    if (event.type === "BOOKMARK") break;
  }
  assert.deepEqual(events.map((event) => event.type), ["ADDED", "BOOKMARK"]);
  assert.equal(events[1]!.object.metadata?.annotations?.["k8s.io/initial-events-end"], "true");
});

/** A transport that replaces or loses the next responses. */
class BadWay implements Transport {
  readonly #inner: Transport;
  /**
   * The results of the next requests instead of the server's: none, or an error after the server has carried them out.
   */
  next: (Response | "lost answer" | "silence")[] = [];
  readonly seen: string[] = [];

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async fetch(path: string, request: TransportRequest = {}): Promise<Response> {
    this.seen.push(request.method ?? "GET");
    const instead = this.next.shift();
    if (instead instanceof Response) return instead;
    if (instead === "silence") {
      return await new Promise((_, reject) =>
        request.signal?.addEventListener("abort", () => reject(request.signal!.reason))
      );
    }
    const answer = await this.#inner.fetch(path, request);
    if (instead !== "lost answer") return answer;
    await answer.body?.cancel();
    throw new TypeError("connection closed before message completed");
  }

  close(): void {}
}

const refusal = (code: number, headers = {}) =>
  Response.json({ kind: "Status", apiVersion: "v1", status: "Failure", code, message: "not now" }, {
    status: code,
    headers,
  });

clusterTest(
  "failed requests are retried where that is safe, as often as allowed and no earlier than requested",
  async (sure, namespace) => {
    const way = new BadWay(sure.transport), clock = new SystemClock();
    const client = new Client(way, { fieldManager: "client-test", clock, retriesMax: 2, requestTimeoutMs: 500 });
    const object = (name: string) => ({ metadata: { namespace, name } });
    const sent = () => way.seen.splice(0).length;

    way.next = [refusal(429, { "retry-after": "1" })];
    const beganMs = clock.elapsed();
    await client.create(CONFIG_MAPS, object("retry-after"));
    assert.ok(clock.elapsed() - beganMs >= 1_000, "the requested delay is obeyed, by a create, too");
    assert.equal(sent(), 2);

    way.next = [refusal(503), "lost answer"];
    assert.equal((await client.get(CONFIG_MAPS, object("retry-after").metadata)).metadata?.name, "retry-after");
    assert.equal(sent(), 3);
    way.next = [refusal(503), refusal(503), refusal(503)];
    await assert.rejects(client.get(CONFIG_MAPS, object("retry-after").metadata), /not now/);
    assert.equal(sent(), 3, "the first and two more");

    way.next = ["lost answer"];
    await assert.rejects(client.create(CONFIG_MAPS, object("arrived")), UnreachableError);
    assert.equal(sent(), 1, "a create may have arrived");
    assert.ok(await sure.find(CONFIG_MAPS, object("arrived").metadata), "and has");

    way.next = ["silence"];
    await assert.rejects(client.get(CONFIG_MAPS, object("arrived").metadata), /500 ms|0\.5 ?s|time/i);
    assert.equal(sent(), 1, "a timeout is not retried by the same call");
  },
);

clusterTest("a forbidden request names the missing rule", async (_client, namespace, as) => {
  const jane = as("jane");
  await assert.rejects(jane.apply(CONFIG_MAPS, { metadata: { namespace, name: "a" } }), (error: Error) => {
    assert.ok(error instanceof ForbiddenError, String(error));
    assert.equal(error.refusedBy, "authorization");
    assert.deepEqual(error.rule, { apiGroups: [""], resources: ["configmaps"], verbs: ["patch"] });
    return true;
  });
  assert.equal(await jane.can({ verb: "get", resource: CONFIG_MAPS, namespace }), false);
});

clusterTest("a refused Secret keeps its value to itself and names the field", async (client, namespace) => {
  const secret = { metadata: { namespace, name: "s" }, stringData: { "bad key!": "hunter2-hunter2" } };
  await assert.rejects(client.create(SECRETS, secret), (error: Error) => {
    assert.ok(error instanceof InvalidError, String(error));
    assert.match(error.message, /data\[bad key!\]/);
    assert.ok(!Deno.inspect(error).includes("hunter2"));
    return true;
  });
});

clusterTest("what the cluster serves can be found by kind", async (client) => {
  const resources = await discover(client);
  assert.equal(findResource(resources, "", "ConfigMap")?.plural, "configmaps");
  assert.ok(findResource(resources, "apps", "Deployment")?.subresources.includes("scale"));
  assert.equal((await serverVersion(client)).major, 1);
});
