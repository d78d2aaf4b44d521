import assert from "node:assert/strict";
import { conformance } from "./conformance_case.ts";

// FR-80
conformance("a created object has name, uid, time, resourceVersion and its manager", async (test) => {
  const { code, body } = await test.post(test.core("configmaps"), { metadata: { name: "a" }, data: { k: "v" } });
  assert.equal(code, 201);
  assert.equal(body.kind, "ConfigMap");
  assert.equal(body.metadata.namespace, test.namespace);
  assert.match(body.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.match(body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.match(body.metadata.resourceVersion, /^\d+$/);
  assert.equal(body.metadata.generation, undefined);
  const { time: _time, ...entry } = body.metadata.managedFields[0];
  assert.deepEqual(entry, {
    manager: "case",
    operation: "Update",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { ".": {}, "f:k": {} } },
  });
});

conformance("generateName appends five letters, and names are unique", async (test) => {
  const { body } = await test.post(test.core("configmaps"), { metadata: { generateName: "gen-" } });
  assert.match(body.metadata.name, /^gen-[a-z0-9]{5}$/);
  await test.configMap("a");
  const again = await test.post(test.core("configmaps"), { metadata: { name: "a" } });
  assert.equal(again.code, 409);
  assert.equal(again.body.reason, "AlreadyExists");
  assert.equal(again.body.message, 'configmaps "a" already exists');
  assert.deepEqual(again.body.details, { name: "a", kind: "configmaps" });
});

conformance("names, labels and namespaces that cannot be are refused with their field", async (test) => {
  const bad = await test.post(test.core("configmaps"), { metadata: { name: "Not_A_Name", labels: { "a b": "c" } } });
  assert.equal(bad.code, 422);
  assert.equal(bad.body.reason, "Invalid");
  const fields = bad.body.details.causes.map((cause: { field: string }) => cause.field);
  assert.deepEqual(fields, ["metadata.name", "metadata.labels"]);
  const nameless = await test.post(test.core("configmaps"), {});
  assert.equal(nameless.code, 422);
  const elsewhere = await test.post(test.core("configmaps"), { metadata: { name: "a", namespace: "other" } });
  assert.equal(elsewhere.code, 400);
  const lost = await test.post("/api/v1/namespaces/no-such-namespace/configmaps", { metadata: { name: "a" } });
  assert.equal(lost.code, 404);
  assert.equal(lost.body.message, 'namespaces "no-such-namespace" not found');
  const wrongKind = await test.post(test.core("configmaps"), {
    kind: "Secret",
    apiVersion: "v1",
    metadata: { name: "a" },
  });
  assert.equal(wrongKind.code, 400);
});

// FR-80
conformance("an update with an old resourceVersion is a conflict, one without is not", async (test) => {
  const made = await test.configMap("a", { data: { k: "1" } });
  const path = test.core("configmaps", "a");
  const second = await test.put(path, { ...made, data: { k: "2" } });
  assert.equal(second.code, 200);
  const stale = await test.put(path, { ...made, data: { k: "3" } });
  assert.equal(stale.code, 409);
  assert.equal(
    stale.body.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; ' +
      "please apply your changes to the latest version and try again",
  );
  const blind = await test.put(path, { metadata: { name: "a" }, data: { k: "4" } });
  assert.equal(blind.code, 200);
  assert.deepEqual(blind.body.data, { k: "4" });
  assert.equal(blind.body.metadata.uid, made.metadata!.uid);
});

conformance("a write that changes nothing keeps the resourceVersion", async (test) => {
  const made = await test.configMap("a", { data: { k: "1" } });
  const path = test.core("configmaps", "a");
  for (
    const answer of [
      await test.put(path, made),
      await test.patch(path, "merge", { data: { k: "1" } }),
      await test.patch(path, "strategic", { data: { k: "1" } }),
    ]
  ) assert.equal(answer.body.metadata.resourceVersion, made.metadata!.resourceVersion);
});

conformance("an update for another uid is a conflict", async (test) => {
  const made = await test.configMap("a");
  const other = { ...made, metadata: { ...made.metadata, uid: "00000000-0000-0000-0000-000000000000" } };
  const { code, body } = await test.put(test.core("configmaps", "a"), other);
  assert.equal(code, 409);
  assert.match(body.message, /Precondition failed: UID in precondition: 0+-0+-0+-0+-0+, UID in object meta: /);
});

// FR-80
conformance("each kind of patch does what its media type says", async (test) => {
  await test.configMap("a", { data: { k: "1", l: "2" } });
  const path = test.core("configmaps", "a");
  assert.deepEqual((await test.patch(path, "merge", { data: { k: null, m: "3" } })).body.data, { l: "2", m: "3" });
  const steps = [{ op: "test", path: "/data/l", value: "2" }, { op: "replace", path: "/data/l", value: "4" }];
  assert.deepEqual((await test.patch(path, "json", steps)).body.data, { l: "4", m: "3" });
  assert.deepEqual((await test.patch(path, "strategic", { data: { m: null } })).body.data, { l: "4" });
  const failed = await test.patch(path, "json", steps);
  assert.equal(failed.code, 422);
  assert.equal(failed.body.reason, "Invalid");
  const unknown = await test.call("PATCH", path, "{}", { "content-type": "text/plain" });
  assert.equal(unknown.code, 415);
  assert.equal(unknown.body.reason, "UnsupportedMediaType");
  const missing = await test.patch(test.core("configmaps", "none"), "merge", {});
  assert.equal(missing.code, 404);
  assert.equal(missing.body.message, 'configmaps "none" not found');
});

conformance("a patch that names an old resourceVersion is a conflict", async (test) => {
  const made = await test.configMap("a", { data: { k: "1" } });
  const path = test.core("configmaps", "a");
  await test.patch(path, "merge", { data: { k: "2" } });
  const stale = await test.patch(path, "merge", {
    metadata: { resourceVersion: made.metadata!.resourceVersion },
    data: { k: "3" },
  });
  assert.equal(stale.code, 409);
  assert.equal(stale.body.reason, "Conflict");
});

// FR-80
conformance("dryRun answers as if, and stores nothing", async (test) => {
  const made = await test.post(`${test.core("configmaps")}?dryRun=All`, { metadata: { name: "a" } });
  assert.equal(made.code, 201);
  assert(made.body.metadata.uid);
  assert.equal((await test.get(test.core("configmaps", "a"))).code, 404);
  await test.configMap("b", { data: { k: "1" } });
  const path = test.core("configmaps", "b");
  assert.equal((await test.patch(`${path}?dryRun=All`, "merge", { data: { k: "2" } })).body.data.k, "2");
  assert.equal((await test.delete(`${path}?dryRun=All`)).code, 200);
  assert.equal((await test.get(path)).body.data.k, "1");
  const wrong = await test.post(`${test.core("configmaps")}?dryRun=yes`, { metadata: { name: "a" } });
  assert.equal(wrong.code, 422);
});

// FR-80
conformance("unknown fields are refused, warned about or ignored as fieldValidation says", async (test) => {
  const body = { metadata: { name: "a" }, dta: { k: "v" } };
  const strict = await test.post(`${test.core("configmaps")}?fieldValidation=Strict`, body);
  assert.equal(strict.code, 400);
  assert.equal(
    strict.body.message,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dta"',
  );
  const warned = await test.post(test.core("configmaps"), body);
  assert.equal(warned.code, 201);
  assert.equal(warned.headers.get("warning"), '299 - "unknown field \\"dta\\""');
  assert.equal(warned.body.dta, undefined);
  const ignored = await test.put(`${test.core("configmaps", "a")}?fieldValidation=Ignore`, body);
  assert.equal(ignored.headers.get("warning"), null);
});

conformance("a Secret encodes stringData, and refuses what it may not become", async (test) => {
  const made = await test.post(test.core("secrets"), {
    metadata: { name: "s" },
    stringData: { k: "v" },
    data: { l: "bA==" },
  });
  assert.equal(made.code, 201);
  assert.deepEqual(made.body.data, { k: "dg==", l: "bA==" });
  assert.equal(made.body.type, "Opaque");
  assert.equal(made.body.stringData, undefined);
  const path = test.core("secrets", "s");
  const type = await test.patch(path, "merge", { type: "other" });
  assert.equal(type.code, 422);
  assert.equal(type.body.details.causes[0].field, "type");
  const notBase64 = await test.post(test.core("secrets"), { metadata: { name: "t" }, data: { k: "%%" } });
  assert.equal(notBase64.code, 400);
  assert.equal((await test.patch(path, "merge", { immutable: true })).code, 200);
  const changed = await test.patch(path, "merge", { data: { k: "eA==" } });
  assert.equal(changed.code, 422);
  assert.equal(changed.body.details.causes[0].field, "data");
  assert.equal((await test.patch(path, "merge", { metadata: { labels: { a: "b" } } })).code, 200);
  const incomplete = await test.post(test.core("secrets"), { metadata: { name: "t" }, type: "kubernetes.io/tls" });
  assert.equal(incomplete.code, 422);
});

conformance("a ConfigMap refuses keys that are no file names, and changes once it is immutable", async (test) => {
  const bad = await test.post(test.core("configmaps"), { metadata: { name: "a" }, data: { "a b": "c" } });
  assert.equal(bad.code, 422);
  assert.equal(bad.body.details.causes[0].field, "data[a b]");
  await test.configMap("b", { immutable: true, data: { k: "v" } });
  const changed = await test.patch(test.core("configmaps", "b"), "merge", { data: { k: "w" } });
  assert.equal(changed.code, 422);
});

// FR-85
conformance("a Deployment counts generations of its spec, and status has its own door", async (test) => {
  const path = test.in("apps/v1", "deployments");
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  const made = await test.post(path, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { selector: { matchLabels: { a: "b" } }, template },
    status: { replicas: 7 },
  });
  assert.equal(made.code, 201, JSON.stringify(made.body));
  assert.equal(made.body.metadata.generation, 1);
  assert.equal(made.body.status.replicas, undefined);
  const one = `${path}/d`;
  assert.equal((await test.patch(one, "merge", { metadata: { labels: { x: "y" } } })).body.metadata.generation, 1);
  assert.equal((await test.patch(one, "merge", { spec: { replicas: 2 } })).body.metadata.generation, 2);
  assert.equal((await test.patch(one, "merge", { status: { replicas: 2 } })).body.status.replicas, undefined);
  const status = await test.patch(`${one}/status`, "merge", { status: { replicas: 2 }, spec: { replicas: 9 } });
  assert.equal(status.code, 200);
  assert.equal(status.body.status.replicas, 2);
  assert.equal(status.body.spec.replicas, 2);
  assert.equal(status.body.metadata.generation, 2);
  const containers = [{ name: "c", image: "j" }, { name: "e", image: "k" }];
  const merged = await test.patch(one, "strategic", { spec: { template: { spec: { containers } } } });
  assert.deepEqual(
    merged.body.spec.template.spec.containers.map((c: { name: string; image: string }) => `${c.name} ${c.image}`)
      .sort(),
    ["c j", "e k"],
  );
  const selector = await test.patch(one, "merge", { spec: { selector: { matchLabels: { z: "b" } } } });
  assert.equal(selector.code, 422);
});

// FR-85
conformance("scale reads and writes replicas", async (test) => {
  const path = test.in("apps/v1", "deployments");
  const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
  await test.post(path, { metadata: { name: "d" }, spec: { selector: { matchLabels: { a: "b" } }, template } });
  const scale = await test.get(`${path}/d/scale`);
  assert.equal(scale.body.kind, "Scale");
  assert.deepEqual(scale.body.spec, { replicas: 1 });
  assert.equal(scale.body.status.selector, "a=b");
  const written = await test.put(`${path}/d/scale`, { ...scale.body, spec: { replicas: 5 } });
  assert.equal(written.code, 200, JSON.stringify(written.body));
  assert.equal((await test.get(`${path}/d`)).body.spec.replicas, 5);
  assert.equal((await test.patch(`${path}/d/scale`, "merge", { spec: { replicas: 3 } })).body.spec.replicas, 3);
});

// FR-89
conformance("what is not served answers 404 and 405", async (test) => {
  assert.equal((await test.get("/apis/no.such.group/v1/things")).code, 404);
  assert.equal((await test.get(test.core("nothings"))).code, 404);
  assert.equal((await test.get(`${test.core("configmaps", "a")}/status`)).code, 404);
  assert.equal((await test.put(test.core("configmaps"), {})).code, 405);
});

conformance("a body may be YAML, and must be a size that fits", async (test) => {
  const yaml = (name: string) =>
    test.call(
      "POST",
      test.core("configmaps"),
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {k: "1"}\n`,
      {
        "content-type": "application/yaml",
      },
    );
  const made = await yaml("doc");
  assert.equal(made.code, 201);
  assert.deepEqual(made.body.data, { k: "1" });
  // YAML 1.1: a bare y is true, and true is no name.
  assert.equal((await yaml("y")).code, 400);
  const large = await test.post(test.core("configmaps"), {
    metadata: { name: "l" },
    data: { k: "x".repeat(3_200_000) },
  });
  assert.equal(large.code, 413);
  const tooLong = await test.post(test.core("configmaps"), {
    metadata: { name: "l" },
    data: { k: "x".repeat(1_100_000) },
  });
  assert.equal(tooLong.code, 422);
});

conformance("a JSON patch whose copies add more than three mebibytes is refused", async (test) => {
  const path = test.core("configmaps", "big");
  await test.post(test.core("configmaps"), { metadata: { name: "big" }, data: { k0: "x".repeat(100_000) } });
  const copies = (count: number) =>
    Array.from({ length: count }, (_, nth) => ({ op: "copy", from: "/data/k0", path: `/data/k${nth + 1}` }));
  const refused = await test.patch(path, "json", copies(40));
  assert.equal(refused.code, 422);
  assert.equal(refused.body.message, "the server rejected our request due to an error in our request");
  const doubling = Array.from({ length: 40 }, () => ({ op: "copy", from: "/data", path: "/data/again" }));
  assert.equal((await test.patch(path, "json", doubling)).code, 422);
  assert.equal((await test.patch(path, "json", copies(5))).code, 200);
});
