import assert from "node:assert/strict";
import { conformance } from "./conformance_case.ts";

conformance("a list tells its resourceVersion, and its items no kind", async (test) => {
  await test.configMap("a");
  const { body } = await test.get(test.core("configmaps"));
  assert.equal(body.kind, "ConfigMapList");
  assert.match(body.metadata.resourceVersion, /^\d+$/);
  const own = body.items.filter((item: { metadata: { name: string } }) => item.metadata.name === "a");
  assert.equal(own.length, 1);
  assert.equal(own[0].kind, undefined);
});

// FR-84
conformance("pages of a list show one moment, whatever is written between them", async (test) => {
  for (const name of ["a", "b", "c", "d"]) await test.configMap(name, { metadata: { labels: { page: "1" } } });
  const path = `${test.core("configmaps")}?limit=2`;
  const first = (await test.get(path)).body;
  assert.equal(first.items.length, 2);
  assert.equal(first.metadata.remainingItemCount > 0, true);
  await test.configMap("bb");
  await test.delete(test.core("configmaps", "d"));
  await test.patch(test.core("configmaps", "c"), "merge", { data: { late: "1" } });
  const names: string[] = first.items.map((item: { metadata: { name: string } }) => item.metadata.name);
  let token = first.metadata.continue;
  while (token) {
    const page = (await test.get(`${path}&continue=${encodeURIComponent(token)}`)).body;
    assert.equal(page.metadata.resourceVersion, first.metadata.resourceVersion);
    for (const item of page.items) {
      names.push(item.metadata.name);
      if (item.metadata.name === "c") assert.equal(item.data, undefined);
    }
    token = page.metadata.continue;
  }
  assert.deepEqual(names.filter((name) => name.length < 3), ["a", "b", "c", "d"]);
});

// FR-84
conformance("label and field selectors choose", async (test) => {
  await test.configMap("a", { metadata: { labels: { tier: "web", x: "1" } } });
  await test.configMap("b", { metadata: { labels: { tier: "db" } } });
  const names = async (query: string) =>
    (await test.get(`${test.core("configmaps")}?${query}`)).body.items
      .map((item: { metadata: { name: string } }) => item.metadata.name);
  assert.deepEqual(await names("labelSelector=tier%3Dweb"), ["a"]);
  assert.deepEqual(await names("labelSelector=tier%20in%20(web,db),!x"), ["b"]);
  assert.deepEqual(await names("fieldSelector=metadata.name%3Db"), ["b"]);
  const bad = await test.get(`${test.core("configmaps")}?fieldSelector=data.k%3Db`);
  assert.equal(bad.code, 400);
});

conformance("a watch without resourceVersion begins with what is there", async (test) => {
  await test.configMap("a", { metadata: { labels: { own: "1" } } });
  await using watch = await test.watch(`${test.core("configmaps")}?watch=1&labelSelector=own`);
  assert.deepEqual(await watch.take(1), ["ADDED a"]);
  await test.patch(test.core("configmaps", "a"), "merge", { data: { k: "v" } });
  await test.delete(test.core("configmaps", "a"));
  assert.deepEqual(await watch.take(2), ["MODIFIED a", "DELETED a"]);
});

// FR-83
conformance("a watch from a resourceVersion tells exactly what came after", async (test) => {
  const made = await test.configMap("a", { metadata: { labels: { own: "1" } } });
  await test.patch(test.core("configmaps", "a"), "merge", { data: { k: "1" } });
  await test.patch(test.core("configmaps", "a"), "merge", { data: { k: "2" } });
  const from = made.metadata!.resourceVersion;
  const path = `${test.core("configmaps")}?watch=1&labelSelector=own&resourceVersion=${from}`;
  await using watch = await test.watch(path);
  const seen = [await watch.next(), await watch.next()].map((event) => event?.object.data.k);
  assert.deepEqual(seen, ["1", "2"]);
});

// FR-83
conformance("an object that begins or ceases to match a selector is added or deleted", async (test) => {
  const list = (await test.get(test.core("configmaps"))).body.metadata.resourceVersion;
  const path = `${test.core("configmaps")}?watch=1&labelSelector=on&resourceVersion=${list}`;
  await using watch = await test.watch(path);
  await test.configMap("a");
  await test.patch(test.core("configmaps", "a"), "merge", { metadata: { labels: { on: "1" } } });
  await test.patch(test.core("configmaps", "a"), "merge", { data: { k: "v" } });
  const last = await test.patch(test.core("configmaps", "a"), "merge", { metadata: { labels: { on: null } } });
  assert.deepEqual(await watch.take(2), ["ADDED a", "MODIFIED a"]);
  const gone = await watch.next();
  assert.equal(gone?.type, "DELETED");
  assert.equal(gone?.object.metadata.resourceVersion, last.body.metadata.resourceVersion);
  assert.deepEqual(gone?.object.metadata.labels, { on: "1" });
});

conformance("a deletion is told with a resourceVersion of its own", async (test) => {
  const made = await test.configMap("a");
  const from = made.metadata!.resourceVersion!;
  await test.delete(test.core("configmaps", "a"));
  await using watch = await test.watch(
    `${test.core("configmaps")}?watch=1&fieldSelector=metadata.name%3Da&resourceVersion=${from}`,
  );
  const event = await watch.next();
  assert.equal(event?.type, "DELETED");
  assert.equal(Number(event?.object.metadata.resourceVersion) > Number(from), true);
});

conformance("a streaming list ends its initial events with an annotated bookmark", async (test) => {
  await test.configMap("a", { metadata: { labels: { own: "1" } } });
  const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  await using watch = await test.watch(`${test.core("configmaps")}?${query}&labelSelector=own`);
  assert.deepEqual(await watch.take(1), ["ADDED a"]);
  const bookmark = await watch.next();
  assert.equal(bookmark?.type, "BOOKMARK");
  assert.equal(bookmark?.object.kind, "ConfigMap");
  assert.deepEqual(bookmark?.object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
  assert.match(bookmark?.object.metadata.resourceVersion, /^\d+$/);
});

// FR-83
conformance("bookmarks have the shape that the watch asked for", async (test) => {
  await test.configMap("a", { metadata: { labels: { own: "1" } } });
  const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const path = `${test.core("configmaps")}?${query}&labelSelector=own`;
  const initialEvents = { "k8s.io/initial-events-end": "true" };
  await using metadata = await test.watch(path, "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
  assert.deepEqual(await metadata.take(1), ["ADDED a"]);
  const partial = await metadata.next();
  assert.deepEqual([partial?.type, partial?.object.kind], ["BOOKMARK", "PartialObjectMetadata"]);
  assert.equal(partial?.object.apiVersion, "meta.k8s.io/v1");
  assert.deepEqual(partial?.object.metadata.annotations, initialEvents);
  await using table = await test.watch(path, "application/json;as=Table;g=meta.k8s.io;v=v1");
  assert.equal((await table.next())?.object.columnDefinitions.length, 3);
  const row = await table.next();
  assert.deepEqual([row?.type, row?.object.kind], ["BOOKMARK", "Table"]);
  assert.deepEqual(row?.object.rows[0].object.metadata.annotations, initialEvents);
  assert.equal(row?.object.metadata.resourceVersion, row?.object.rows[0].object.metadata.resourceVersion);
});

// FR-84
conformance("Events are selected by the field names of the group that is asked", async (test) => {
  const involvedObject = { kind: "ConfigMap", apiVersion: "v1", namespace: test.namespace, name: "a" };
  const event = { metadata: { name: "e" }, involvedObject, reason: "Tested", type: "Normal", message: "so" };
  assert.equal((await test.post(test.core("events"), event)).code, 201);
  const count = async (path: string, selector: string) => {
    const { code, body } = await test.get(`${path}?fieldSelector=${encodeURIComponent(selector)}`);
    return code === 200 ? body.items.length : code;
  };
  const modern = test.in("events.k8s.io/v1", "events");
  assert.equal(await count(modern, "regarding.name=a,reason=Tested,type=Normal"), 1);
  assert.equal(await count(modern, "regarding.name=b"), 0);
  assert.equal(await count(modern, "involvedObject.name=a"), 400);
  assert.equal(await count(test.core("events"), "involvedObject.name=a,reason=Tested"), 1);
  assert.equal(await count(test.core("events"), "regarding.name=a"), 400);
});

// FR-83
conformance("timeoutSeconds ends a watch without an error", async (test) => {
  const now = (await test.get(test.core("configmaps"))).body.metadata.resourceVersion;
  await using watch = await test.watch(
    `${test.core("configmaps")}?watch=1&timeoutSeconds=1&labelSelector=none&resourceVersion=${now}`,
  );
  assert.equal(await watch.next(), undefined);
});

// FR-5
conformance("metadata alone, and tables, are answered where they are asked for", async (test) => {
  await test.configMap("a", { data: { k: "v" } });
  const metadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
  const one = await test.get(test.core("configmaps", "a"), { accept: metadata });
  assert.equal(one.body.kind, "PartialObjectMetadata");
  assert.equal(one.body.data, undefined);
  const list = await test.get(test.core("configmaps"), { accept: metadata.replace("Metadata;", "MetadataList;") });
  assert.equal(list.body.kind, "PartialObjectMetadataList");
  assert.equal(list.body.apiVersion, "meta.k8s.io/v1");
  const table = await test.get(test.core("configmaps", "a"), {
    accept: "application/json;as=Table;g=meta.k8s.io;v=v1",
  });
  assert.equal(table.body.kind, "Table");
  assert.deepEqual(table.body.columnDefinitions.map((column: { name: string }) => column.name), [
    "Name",
    "Data",
    "Age",
  ]);
  assert.deepEqual(table.body.rows[0].cells.slice(0, 2), ["a", 1]);
  assert.equal(table.body.rows[0].object.kind, "PartialObjectMetadata");
  const refused = await test.get(test.core("configmaps", "a"), { accept: "text/html" });
  assert.equal(refused.code, 406);
});

conformance("a bad continue token, limit or resourceVersionMatch is a bad request", async (test) => {
  const path = test.core("configmaps");
  assert.equal((await test.get(`${path}?limit=1&continue=nonsense`)).code, 400);
  assert.equal((await test.get(`${path}?resourceVersionMatch=Exact`)).code, 422);
  assert.equal((await test.get(`${path}?resourceVersion=x`)).code, 400);
  assert.equal((await test.get(`${path}?labelSelector=a%20b`)).code, 400);
});

conformance("a watch finds what it asks for behind hundreds of changes that it does not", async (test) => {
  const first = await test.configMap("first");
  for (let count = 0; count < 250; count++) {
    await test.patch(test.core("configmaps", "first"), "merge", { data: { count: String(count) } });
  }
  await test.configMap("wanted", { metadata: { labels: { wanted: "1" } } });
  const query = `watch=1&resourceVersion=${first.metadata!.resourceVersion}&labelSelector=wanted%3D1&timeoutSeconds=30`;
  await using watch = await test.watch(`${test.core("configmaps")}?${query}`);
  assert.deepEqual(await watch.take(1), ["ADDED wanted"]);
});
