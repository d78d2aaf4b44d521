import assert from "node:assert/strict";
import { type Case, conformance } from "./conformance_case.ts";
import { ConversionServer, type Json, MODE } from "./conversion_server.ts";
import { patch, WebhookServer } from "./webhook_server.ts";

const TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1";
const METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/** Registers a case about doors that a webhook converts. */
function conversion(claim: string, run: (doors: ConversionServer, test: Case) => Promise<void>): void {
  conformance(claim, async (test) => {
    await using doors = await ConversionServer.open(test);
    await run(doors, test);
  });
}

/** Who owns what, as text; a real server sorts by seconds first. */
function owners(door: Json): string[] {
  return door.metadata.managedFields.map(({ manager, operation, apiVersion, fieldsV1 }: Json) =>
    `${manager} ${operation} ${apiVersion.split("/")[1]} ${Object.keys(fieldsV1["f:spec"] ?? {}).sort().join(" ")}`
  ).sort();
}

// FR-92
conversion("what is written in one version is read in the other, whichever is stored", async (doors) => {
  const second = await doors.make("v2", "a", { address: "h:1" });
  assert.deepEqual(second.spec, { address: "h:1", mode: "open" });
  const first = await doors.read("v1", "a");
  assert.deepEqual([first.apiVersion, first.spec], [`${doors.group}/v1`, { host: "h", port: 1 }]);
  assert.deepEqual(first.metadata.annotations, { [MODE]: "open" }, "annotations are the webhook's to change");
  for (const field of ["uid", "resourceVersion", "creationTimestamp", "generation"]) {
    assert.equal(first.metadata[field], second.metadata[field], field);
  }
  await doors.make("v1", "b", { host: "x", port: 2 });
  assert.deepEqual((await doors.read("v2", "b")).spec, { address: "x:2" }, "defaults are those of the stored version");
});

// FR-92
conversion("a version's own schema validates, defaults and prunes what is written by it", async (doors, test) => {
  const wrong = await test.post(doors.path("v2"), doors.door("v2", "a", { address: "nowhere" }));
  assert.deepEqual([wrong.code, wrong.body.details.causes[0].field], [422, "spec.address"]);
  const negative = await test.post(doors.path("v1"), doors.door("v1", "a", { host: "h", port: -1 }));
  assert.deepEqual([negative.code, negative.body.details.causes[0].field], [422, "spec.port"]);
  const foreign = await test.post(doors.path("v2"), doors.door("v2", "a", { address: "h:1", host: "x" }));
  assert.deepEqual([foreign.code, foreign.body.spec], [201, { address: "h:1", mode: "open" }]);
  assert.equal(foreign.headers.get("warning"), '299 - "unknown field \\"spec.host\\""');
  const other = await test.post(doors.path("v2"), doors.door("v1", "c", { host: "h" }));
  assert.equal(other.code, 400, "the version in the body is the one of the path");
});

// FR-92
conversion("what has the version already concerns no webhook", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  await doors.stop();
  assert.equal((await test.get(doors.path("v1", "a"))).code, 200);
  assert.equal((await test.get(doors.path("v1"))).body.items.length, 1);
  assert.equal((await test.patch(doors.path("v1", "a"), "merge", { spec: { port: 2 } })).code, 200);
  assert.equal((await doors.apply("v1", "a", "m", { replicas: 1 })).code, 200);
  assert.equal((await test.patch(`${doors.path("v1", "a")}/status`, "merge", { status: { phase: "x" } })).code, 200);
  assert.equal((await test.delete(doors.path("v1", "a"))).code, 200);
  doors.start();
});

// FR-92
conversion("update, patches and status by either version change the one object", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  const read = await doors.read("v2", "a");
  const put = await test.put(doors.path("v2", "a"), { ...read, spec: { address: "h:2", mode: "shut" } });
  assert.deepEqual([put.code, put.body.spec, put.body.metadata.generation], [200, { address: "h:2", mode: "shut" }, 2]);
  const merged = await test.patch(doors.path("v1", "a"), "merge", { spec: { port: 3 } });
  assert.deepEqual([merged.body.spec, merged.body.metadata.annotations], [{ host: "h", port: 3 }, { [MODE]: "shut" }]);
  const operations = [{ op: "test", path: "/spec/address", value: "h:3" }, { op: "remove", path: "/spec/mode" }];
  const patched = await test.patch(doors.path("v2", "a"), "json", operations);
  assert.deepEqual([patched.code, patched.body.spec], [200, { address: "h:3", mode: "open" }]);
  const status = await test.patch(`${doors.path("v2", "a")}/status`, "merge", {
    status: { state: "ajar", count: 2 },
    spec: { address: "no:1" },
  });
  assert.deepEqual([status.body.status, status.body.spec.address], [{ state: "ajar", count: 2 }, "h:3"]);
  assert.deepEqual((await doors.read("v1", "a")).status, { phase: "ajar", replicas: 2 });
  const stale = await test.put(doors.path("v2", "a"), { ...read, spec: { address: "h:9" } });
  assert.equal(stale.code, 409);
  const same = await test.patch(doors.path("v2", "a"), "merge", { spec: { address: "h:3" } });
  assert.equal(same.body.metadata.resourceVersion, status.body.metadata.resourceVersion, "nothing changed");
});

conversion("a dry run is converted and kept nowhere", async (doors, test) => {
  const tried = await test.post(`${doors.path("v2")}?dryRun=All`, doors.door("v2", "a", { address: "h:1" }));
  assert.deepEqual([tried.code, tried.body.spec], [201, { address: "h:1", mode: "open" }]);
  assert.equal((await test.get(doors.path("v2", "a"))).code, 404);
  await doors.make("v1", "b", { host: "h", port: 1 });
  const changed = await test.patch(`${doors.path("v2", "b")}?dryRun=All`, "merge", { spec: { address: "h:7" } });
  assert.equal(changed.body.spec.address, "h:7");
  assert.deepEqual((await doors.read("v1", "b")).spec, { host: "h", port: 1 });
});

conversion("scale reads and writes the path of the version asked for", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1, replicas: 2 });
  const scale = await test.get(`${doors.path("v2", "a")}/scale`);
  assert.deepEqual([scale.code, scale.body.kind, scale.body.spec], [200, "Scale", { replicas: 2 }]);
  const patched = await test.patch(`${doors.path("v2", "a")}/scale`, "merge", { spec: { replicas: 5 } });
  assert.deepEqual([patched.code, patched.body.spec.replicas], [200, 5]);
  assert.deepEqual((await doors.read("v1", "a")).spec, { host: "h", port: 1, replicas: 5 });
  assert.deepEqual((await doors.read("v2", "a")).spec.scale, { count: 5 });
});

// FR-92
conversion("lists, tables and metadata show the version asked for, and selectors look at it", async (doors, test) => {
  for (const [name, port] of [["a", 1], ["b", 2], ["c", 3]] as const) {
    await doors.make("v1", name, { host: "h", port }, { labels: { odd: String(port % 2) } });
  }
  const addresses = ({ body }: { body: Json }) => body.items.map(({ spec }: Json) => spec.address);
  const all = await test.get(doors.path("v2"));
  assert.deepEqual([all.body.kind, all.body.items[0].apiVersion], ["DoorList", `${doors.group}/v2`]);
  assert.deepEqual(addresses(all), ["h:1", "h:2", "h:3"]);
  const page = await test.get(`${doors.path("v2")}?limit=2`);
  assert.deepEqual(addresses(page), ["h:1", "h:2"]);
  assert.equal(page.body.metadata.remainingItemCount, 1);
  const rest = await test.get(`${doors.path("v2")}?limit=2&continue=${page.body.metadata.continue}`);
  assert.deepEqual(addresses(rest), ["h:3"]);
  assert.deepEqual(addresses(await test.get(`${doors.path("v2")}?labelSelector=odd%3D1`)), ["h:1", "h:3"]);
  assert.deepEqual(addresses(await test.get(`${doors.path("v2")}?fieldSelector=spec.address%3Dh:2`)), ["h:2"]);
  assert.equal((await test.get(`${doors.path("v1")}?fieldSelector=spec.host%3Dh`)).body.items.length, 3);
  const unknown = await test.get(`${doors.path("v2")}?fieldSelector=spec.host%3Dh`);
  assert.deepEqual([unknown.code, unknown.body.message], [400, "field label not supported: spec.host"]);
  const table = (await test.get(doors.path("v2"), { accept: TABLE })).body;
  assert.deepEqual(table.columnDefinitions.map(({ name }: Json) => name), ["Name", "address"]);
  assert.deepEqual(table.rows.map(({ cells }: Json) => cells), [["a", "h:1"], ["b", "h:2"], ["c", "h:3"]]);
  const { kind, items } = (await test.get(doors.path("v2"), { accept: METADATA })).body;
  assert.deepEqual([kind, items.length, items[0].spec], ["PartialObjectMetadataList", 3, undefined]);
});

conversion("labels that the webhook sets are the ones that are selected by", async (doors, test) => {
  doors.lie = ({ desiredAPIVersion }, truth) => {
    for (const door of truth.response.convertedObjects) {
      door.metadata.labels = { seen: desiredAPIVersion.split("/")[1] };
    }
    return truth;
  };
  const made = await doors.make("v2", "a", { address: "h:1" }, { labels: { mine: "1" } });
  assert.deepEqual(made.metadata.labels, { seen: "v2" });
  const found = async (version: string, label: string) =>
    (await test.get(`${doors.path(version)}?labelSelector=seen%3D${label}`)).body.items.length;
  assert.deepEqual([await found("v1", "v1"), await found("v1", "v2")], [1, 0]);
  assert.deepEqual([await found("v2", "v2"), await found("v2", "v1")], [1, 0]);
});

// FR-92
conversion("a watch shows every change in its version, in order, and what leaves its selector", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  const { body } = await test.get(doors.path("v2"));
  const from = `watch=1&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=60`;
  await using all = await test.watch(`${doors.path("v2")}?${from}`);
  await using some = await test.watch(`${doors.path("v2")}?${from}&fieldSelector=spec.address%3Dh:1`);
  await doors.make("v1", "b", { host: "h", port: 2 });
  await test.patch(doors.path("v1", "a"), "merge", { spec: { port: 3 } });
  await doors.make("v2", "c", { address: "h:1" });
  await test.delete(doors.path("v1", "b"));
  const seen = async (watch: typeof all, count: number) => {
    const events: string[] = [];
    for (let index = 0; index < count; index++) {
      const event = await watch.next();
      events.push(`${event!.type} ${event!.object.metadata.name} ${event!.object.spec.address}`);
      assert.equal(event!.object.apiVersion, `${doors.group}/v2`);
    }
    return events;
  };
  assert.deepEqual(await seen(all, 4), ["ADDED b h:2", "MODIFIED a h:3", "ADDED c h:1", "DELETED b h:2"]);
  assert.deepEqual(await seen(some, 2), ["DELETED a h:1", "ADDED c h:1"]);
});

conversion("a streaming list is converted, and ends with its bookmark", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  await doors.make("v2", "b", { address: "h:2" });
  const query =
    "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=60";
  await using watch = await test.watch(`${doors.path("v2")}?${query}`);
  assert.deepEqual(await watch.take(2), ["ADDED a", "ADDED b"]);
  const end = await watch.next();
  assert.deepEqual([end!.type, end!.object.apiVersion], ["BOOKMARK", `${doors.group}/v2`]);
  assert.equal(end!.object.metadata.annotations["k8s.io/initial-events-end"], "true");
});

conversion("deletions answer in the version asked for, one by one and all at once", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 }, { finalizers: ["doors.example.com/hold"] });
  const held = await test.delete(doors.path("v2", "a"));
  assert.deepEqual([held.code, held.body.apiVersion, held.body.spec], [200, `${doors.group}/v2`, { address: "h:1" }]);
  assert.ok(held.body.metadata.deletionTimestamp);
  await test.patch(doors.path("v2", "a"), "merge", { metadata: { finalizers: null } });
  assert.equal((await test.get(doors.path("v1", "a"))).code, 404);
  for (const port of [1, 2, 3]) {
    await doors.make("v1", `d${port}`, { host: "h", port }, { labels: port < 3 ? { gone: "1" } : {} });
  }
  const gone = await test.delete(`${doors.path("v2")}?labelSelector=gone%3D1`);
  assert.deepEqual(gone.body.items.map(({ spec }: Json) => spec.address), ["h:1", "h:2"]);
  assert.deepEqual((await test.get(doors.path("v1"))).body.items.map(({ metadata }: Json) => metadata.name), ["d3"]);
});

conversion("a generated name is there before the object is converted", async (doors, test) => {
  const door = { ...doors.door("v2", "", { address: "h:1" }), metadata: { generateName: "g-" } };
  const made = await test.post(doors.path("v2"), door);
  assert.match(made.body.metadata.name, /^g-.{5}$/);
  assert.equal(doors.reviews[0]!.objects[0].metadata.name, made.body.metadata.name);
  const again = await test.post(doors.path("v2"), doors.door("v2", made.body.metadata.name, { address: "h:2" }));
  assert.deepEqual([again.code, again.body.reason], [409, "AlreadyExists"]);
});

// FR-92
conversion(
  "managers of both versions own their own fields, and conflict where one changes the other's",
  async (doors) => {
    const first = await doors.apply("v1", "a", "one", { host: "h", port: 1 });
    assert.deepEqual([first.code, owners(first.body)], [201, ["one Apply v1 f:host f:port"]]);
    const second = await doors.apply("v2", "a", "two", { mode: "shut" });
    assert.deepEqual(second.body.spec, { address: "h:1", mode: "shut" });
    assert.deepEqual(owners(second.body), ["one Apply v1 f:host f:port", "two Apply v2 f:mode"]);
    const refused = await doors.apply("v2", "a", "two", { address: "k:1", mode: "shut" });
    assert.equal(refused.code, 409);
    assert.equal(refused.body.message, 'Apply failed with 1 conflict: conflict with "one": .spec.host');
    const forced = await doors.apply("v2", "a", "two", { address: "k:1", mode: "shut" }, "&force=true");
    assert.deepEqual(owners(forced.body), ["one Apply v1 f:port", "two Apply v2 f:address f:mode"]);
    const back = await doors.apply("v1", "a", "one", { host: "h", port: 1 });
    assert.equal(back.body.message, 'Apply failed with 1 conflict: conflict with "two": .spec.address');
    const same = await doors.apply("v2", "a", "two", { address: "k:1", mode: "shut" });
    assert.equal(same.body.metadata.resourceVersion, forced.body.metadata.resourceVersion);
    const less = await doors.apply("v2", "a", "two", { address: "k:1" });
    assert.deepEqual([less.body.spec, owners(less.body)], [
      { address: "k:1", mode: "open" },
      ["one Apply v1 f:port", "two Apply v2 f:address"],
    ]);
    const moved = await doors.apply("v1", "a", "two", { host: "k", port: 1 });
    assert.deepEqual([moved.body.spec, owners(moved.body)], [
      { host: "k", port: 1 },
      ["one Apply v1 f:port", "two Apply v1 f:host f:port"],
    ]);
  },
);

conversion("items of a list that one manager gives up go, across versions, and others' stay", async (doors, test) => {
  const items = (...names: string[]) => names.map((name) => ({ name }));
  await doors.apply("v1", "a", "one", { host: "k", port: 1, items: items("x", "y") });
  const both = await doors.apply("v2", "a", "two", { items: items("z") });
  assert.deepEqual(both.body.spec.items, items("x", "y", "z"));
  const fewer = await doors.apply("v2", "a", "one", { address: "k:1", items: items("x") });
  assert.deepEqual(fewer.body.spec, { address: "k:1", mode: "open", items: items("x", "z") });
  assert.deepEqual(owners(fewer.body), ["one Apply v2 f:address f:items", "two Apply v2 f:items"]);
  const { body } = await test.patch(doors.path("v1", "a"), "merge", { spec: { items: items("w") } });
  assert.deepEqual(owners(body), ["case Update v1 f:items", "one Apply v2 f:address"]);
});

conversion("an update by one version takes fields from a manager of the other", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  const read = await doors.read("v2", "a");
  const { body } = await test.put(doors.path("v2", "a"), { ...read, spec: { address: "h:9" } });
  assert.deepEqual(owners(body), ["case Update v1 . f:host", "case Update v2 f:address f:mode"]);
  const { body: next } = await test.patch(doors.path("v1", "a"), "merge", { spec: { port: 11 } });
  assert.deepEqual(owners(next), ["case Update v1 . f:host f:port", "case Update v2 f:mode"]);
});

// FR-92
conversion("a stored object keeps its version until it is written, be it with no change", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  await doors.make("v1", "b", { host: "h", port: 2 });
  await doors.make("v1", "c", { host: "h", port: 3 }, { finalizers: ["doors.example.com/hold"] });
  await doors.change((spec) => {
    spec.versions[0].storage = false;
    spec.versions[1].storage = true;
  });
  await test.until(doors.crd, (crd) => (crd?.status as Json).storedVersions.join() === "v1,v2");
  const before = await doors.read("v2", "a");
  assert.deepEqual(before.spec, { address: "h:1" });
  const written = await test.patch(doors.path("v2", "a"), "merge", {});
  assert.notEqual(written.body.metadata.resourceVersion, before.metadata.resourceVersion, "it is stored again");
  const again = await test.patch(doors.path("v2", "a"), "merge", {});
  assert.equal(again.body.metadata.resourceVersion, written.body.metadata.resourceVersion, "now nothing changes");
  const { body: crd } = await test.get(doors.crd);
  const early = await test.put(doors.crd, { ...crd, spec: { ...crd.spec, versions: [crd.spec.versions[1]] } });
  assert.deepEqual([early.code, early.body.details.causes[0].field], [422, "status.storedVersions[0]"]);
  assert.match(early.body.message, /missing from spec.versions; v1 was previously a storage version, and must remain/);
  assert.equal((await test.delete(doors.path("v1", "c"))).code, 200);
  await doors.stop();
  assert.equal((await test.get(doors.path("v2", "a"))).code, 200, "it is stored in v2");
  assert.equal((await test.get(doors.path("v2", "c"))).code, 200, "a deletion that has to wait is a write, too");
  assert.equal((await test.get(doors.path("v2", "b"))).code, 500, "it is stored in v1 still");
  assert.equal((await test.delete(doors.path("v1", "b"))).code, 500, "its last state is written in v2");
  doors.start();
  await test.patch(doors.path("v2", "c"), "merge", { metadata: { finalizers: null } });
});

conversion("a stored version need not be served", async (doors, test) => {
  await doors.make("v1", "a", { host: "h", port: 1 });
  await doors.change((spec) => spec.versions[0].served = false);
  assert.equal((await test.get(doors.path("v1", "a"))).code, 404);
  assert.deepEqual((await doors.read("v2", "a")).spec, { address: "h:1" });
  await doors.make("v2", "b", { address: "h:2" });
  assert.deepEqual((await test.get(doors.path("v2"))).body.items.map(({ spec }: Json) => spec.address), ["h:1", "h:2"]);
});

conversion("without a webhook a version leaves out what it does not know", async (doors, test) => {
  await doors.change((spec) => spec.conversion = { strategy: "None" });
  const items = [{ name: "x" }];
  const made = await doors.make("v2", "a", { address: "h:1", items });
  assert.deepEqual(made.spec, { items }, "it is stored as v1");
  await doors.make("v1", "b", { host: "h", port: 1, items });
  assert.deepEqual((await doors.read("v2", "b")).spec, { items });
  assert.deepEqual((await doors.read("v1", "b")).spec, { host: "h", port: 1, items });
  assert.deepEqual((await test.get(doors.path("v2"))).body.items.map(({ spec }: Json) => spec), [{ items }, { items }]);
  await test.patch(doors.path("v2", "b"), "merge", { metadata: { labels: { a: "b" } } });
  assert.deepEqual((await doors.read("v1", "b")).spec, { items }, "a write by v2 knows no more of it");
});

conversion(
  "an admission webhook for one version is asked about writes by the other in its own",
  async (doors, test) => {
    await using hooks = new WebhookServer(test);
    const rules = [{ apiGroups: [doors.group], apiVersions: ["v1"], operations: ["*"], resources: ["doors"] }];
    const hook = hooks.webhook("port", ({ operation, object }) => {
      return operation === "DELETE"
        ? undefined
        : patch({ op: "replace", path: "/spec/port", value: object.spec.port + 1 });
    }, { rules });
    const until = async () => {
      await test.post(`${doors.path("v2")}?dryRun=All`, doors.door("v2", "probe", { address: "h:1" }));
      await test.post(`${doors.path("v2")}?dryRun=All`, doors.door("v2", "real", { address: "h:1" }));
      return hooks.seen.length > 0;
    };
    await hooks.install("mutating", [hook], { until });
    hooks.seen.length = 0;
    const made = await doors.make("v2", "a", { address: "h:1" });
    assert.equal(made.spec.address, "h:2");
    const changed = await test.patch(doors.path("v2", "a"), "merge", { spec: { address: "k:5" } });
    assert.equal(changed.body.spec.address, "k:6");
    await test.delete(doors.path("v2", "a"));
    const seen = hooks.seen.map(({ request: { operation, kind, requestKind, object, oldObject } }) =>
      [operation, kind.version, requestKind.version, object?.spec.port, oldObject?.spec.port].join(" ")
    );
    assert.deepEqual(seen, ["CREATE v1 v2 1 ", "UPDATE v1 v2 5 2", "DELETE v1 v2  6"]);
  },
);

conversion("a webhook may speak v1beta1, in which no uid is looked at", async (doors, test) => {
  await doors.change((spec) => spec.conversion = doors.conversion(["v9", "v1beta1", "v1"]));
  doors.lie = (_request, truth) => ({ ...truth, response: { ...truth.response, uid: "another" } });
  const made = await test.post(doors.path("v2"), doors.door("v2", "a", { address: "h:1" }));
  assert.equal(made.code, 201);
  assert.equal(doors.reviews.at(-1)!.apiVersion, "apiextensions.k8s.io/v1beta1");
});
