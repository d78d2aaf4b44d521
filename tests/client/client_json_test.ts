import assert from "node:assert/strict";
import fc from "fast-check";
import type { ApiResource, KubeObject } from "../../lib/apimachinery/mod.ts";
import { formatJson, type JsonValue } from "../../lib/base/mod.ts";
import { Client, NotFoundError } from "../../lib/client/mod.ts";
import { openCluster } from "../cluster.ts";

const CONFIG_MAPS = { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
const SECRETS = { group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true };
const NAMESPACES = { group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };
const CRDS = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
/** Any object of these tests. */
type Counter = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown>; data?: unknown };

const MANAGER = { fieldManager: "json-test" };

function clusterTest(name: string, test: (client: Client, namespace: string) => Promise<void>): void {
  Deno.test(name, async () => {
    await using cluster = await openCluster();
    const client = new Client(cluster.transport(), MANAGER);
    const { metadata } = await client.create<Counter>(NAMESPACES, { metadata: { generateName: "json-" } });
    try {
      await test(client, metadata!.name!);
    } finally {
      await client.delete(NAMESPACES, { name: metadata!.name! });
    }
  });
}

/** A kind with an int64 in its schema, and one in a field without a schema. */
async function withCounters(client: Client, test: (counters: ApiResource) => Promise<void>): Promise<void> {
  const group = `g${crypto.randomUUID().slice(0, 8)}.test.pintle.dev`, plural = "counters", kind = "Counter";
  const int64 = { type: "integer", format: "int64" },
    free = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const part = { type: "object", properties: { count: int64, free } };
  const openAPIV3Schema = { type: "object", properties: { spec: part, status: part } };
  const version = {
    name: "v1",
    served: true,
    storage: true,
    schema: { openAPIV3Schema },
    subresources: { status: {} },
  };
  await client.create<Counter>(CRDS, {
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: "Namespaced", names: { kind, plural, listKind: "CounterList" }, versions: [version] },
  });
  const counters: ApiResource = { group, version: "v1", kind, plural, namespaced: true };
  try {
    while (!await served(client, counters)); // each check is a request: the server decides when it serves the kind
    await test(counters);
  } finally {
    await client.delete(CRDS, { name: `${plural}.${group}` });
  }
}

async function served(client: Client, counters: ApiResource): Promise<boolean> {
  try {
    await client.list(counters, { namespace: "default" });
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

const LARGE = 9_007_199_254_740_993n, LARGEST = 2n ** 63n - 1n, SMALLEST = -(2n ** 63n);

// FR-290
clusterTest("an int64 beyond 2^53 is stored, read, patched and applied as it is", async (client, namespace) => {
  await withCounters(client, async (counters) => {
    const key = { namespace, name: "a" }, free = { deep: [{ n: SMALLEST }], f: 0.1 };
    const stored = async () => {
      const text = formatJson(await client.get(counters, key));
      return /"spec":(\{.*?\}\}|\{.*?\})(?=,"status"|\}$)/.exec(text)?.[1] ?? text;
    };
    await client.create<Counter>(counters, { metadata: key, spec: { count: LARGE, free } });
    assert.equal(await stored(), '{"count":9007199254740993,"free":{"deep":[{"n":-9223372036854775808}],"f":0.1}}');

    await client.patch(counters, key, { type: "merge", body: { spec: { count: LARGEST } } });
    assert.equal((await client.get<Counter>(counters, key)).spec?.count, LARGEST);
    const operations: JsonValue = [
      { op: "test", path: "/spec/count", value: LARGEST },
      { op: "replace", path: "/spec/count", value: LARGE },
    ];
    await client.patch(counters, key, { type: "json", body: operations });
    assert.equal((await client.get<Counter>(counters, key)).spec?.count, LARGE);
    await client.apply<Counter>(counters, { metadata: key, spec: { count: LARGE + 2n, free } });
    await client.apply(counters, { metadata: key, status: { count: SMALLEST } } as Counter, {
      subresource: "status",
    });
    const { items } = await client.list<Counter>(counters, { namespace });
    assert.deepEqual(items.map(({ spec, status }) => [spec?.count, status?.count]), [[LARGE + 2n, SMALLEST]]);

    const read = await client.get<Counter>(counters, key);
    const { metadata } = await client.replace<Counter>(counters, read);
    assert.equal(
      metadata!.resourceVersion,
      read.metadata!.resourceVersion,
      "what is written back unchanged changes nothing",
    );
    const end = new AbortController();
    for await (const { type, object } of client.watch<Counter>(counters, { namespace, signal: end.signal })) {
      if (type === "BOOKMARK") continue;
      assert.equal(object.spec?.count, LARGE + 2n);
      end.abort();
    }
  });
});

// FR-290
clusterTest("__proto__ is a key of data like any other", async (client, namespace) => {
  const data = JSON.parse('{"__proto__":"x","constructor":"y"}'), secret = JSON.parse('{"__proto__":"eA=="}');
  for (const name of ["created", "applied"] as const) {
    const object = (data: unknown): Counter => ({ metadata: { namespace, name }, data });
    if (name === "created") {
      await client.create(CONFIG_MAPS, object(data));
      await client.create(SECRETS, object(secret));
    } else {
      await client.apply(CONFIG_MAPS, object(data));
      await client.apply(SECRETS, object(secret));
    }
    const read = async (resource: ApiResource) =>
      (await client.get<Counter>(resource, { namespace, name })).data as Record<string, string>;
    assert.deepEqual(Object.entries(await read(CONFIG_MAPS)).sort(), [["__proto__", "x"], ["constructor", "y"]]);
    assert.deepEqual(Object.entries(await read(SECRETS)), [["__proto__", "eA=="]]);
    await client.patch(CONFIG_MAPS, { namespace, name }, {
      type: "merge",
      body: { data: JSON.parse('{"__proto__":null}') },
    });
    assert.deepEqual(Object.entries(await read(CONFIG_MAPS)), [["constructor", "y"]]);
  }
});

/** Code points that YAML refuses, folds or reads as something else, and all others. */
const codePoint = fc.oneof(
  fc.constantFrom(
    "\0",
    "\t",
    "\n",
    "\r",
    "\x7f",
    "\x80",
    "\x85",
    "\x9f",
    "\xa0",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\ufffe",
  ),
  fc.constantFrom(
    "\uffff",
    "\ud800",
    "\udfff",
    "\u{1fffe}",
    "\u{1ffff}",
    "\u{10ffff}",
    "\u{1f600}",
    '"',
    "\\",
    "<<",
    ": ",
  ),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
);

// FR-291
clusterTest("any text that is applied is read again as it was", async (client, namespace) => {
  const key = { namespace, name: "texts" };
  await fc.assert(
    fc.asyncProperty(fc.array(codePoint, { maxLength: 40 }), async (letters) => {
      const text = letters.join(""), metadata = { ...key, annotations: { text } };
      await client.apply<Counter>(CONFIG_MAPS, { metadata, data: { text, again: `${text}\n ${text}` } });
      const { data, metadata: { annotations } = {} } = await client.get<Counter>(CONFIG_MAPS, key);
      const expected = text.toWellFormed();
      assert.deepEqual(data, { text: expected, again: `${expected}\n ${expected}`.toWellFormed() });
      assert.equal(annotations?.text, expected);
    }),
    { numRuns: 100 },
  );
});

// FR-291
clusterTest(
  "the same letters unescaped are refused, or folded: the server reads JSON as YAML",
  async (client, namespace) => {
    const path = `/api/v1/namespaces/${namespace}/configmaps/raw?fieldManager=json-test`;
    const apply = async (letter: string) => {
      const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "raw" }, data: { a: `x${letter}y` } };
      const headers = { "content-type": "application/apply-patch+yaml" };
      const answer = await client.transport.fetch(path, { method: "PATCH", headers, body: JSON.stringify(object) });
      const { data } = await answer.json();
      return [answer.status, data?.a];
    };
    for (const letter of ["\x7f", "\x80", "\x9f", "\ufffe", "\uffff"]) {
      assert.deepEqual(await apply(letter), [400, undefined], JSON.stringify(letter));
    }
    assert.deepEqual(await apply("\x85"), [201, "x y"]);
    for (const letter of ["\xa0", "\u2028", "\ufeff"]) assert.deepEqual(await apply(letter), [200, `x${letter}y`]);
  },
);

// FR-291
clusterTest("any key of a custom resource is applied as it is", async (client, namespace) => {
  await withCounters(client, async (counters) => {
    const keys = ["<<", "yes", "1", "null", "~", "a: b", "\x7f\x85\ufeff", "?", "- a", "k".repeat(1_000), "\u{1f600}"];
    const free = Object.fromEntries(keys.map((key) => [key, key]));
    await client.apply<Counter>(counters, { metadata: { namespace, name: "a" }, spec: { free } });
    assert.deepEqual((await client.get<Counter>(counters, { namespace, name: "a" })).spec?.free, free);
  });
});

clusterTest("an int64 beyond 2^53 is the same in YAML, both ways", async (client, namespace) => {
  await withCounters(client, async ({ group, plural }) => {
    const path = `/apis/${group}/v1/namespaces/${namespace}/${plural}/a`;
    const body =
      `apiVersion: ${group}/v1\nkind: Counter\nmetadata: {name: a}\nspec: {count: ${LARGE}, free: {low: ${SMALLEST}}}\n`;
    const headers = { "content-type": "application/apply-patch+yaml", accept: "application/yaml" };
    const applied = await client.transport.fetch(`${path}?fieldManager=yaml`, { method: "PATCH", headers, body });
    assert.equal(applied.status, 201);
    const text = await applied.text();
    assert.match(text, /\n {2}count: 9007199254740993\n/);
    assert.match(text, /\n {4}low: -9223372036854775808\n/);
  });
});
