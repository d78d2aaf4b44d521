import assert from "node:assert/strict";
import { type Case, conformance } from "./conformance_case.ts";
import { crdOf } from "../crd.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A CRD of a group of its own, established; gone when the case ends. */
async function widgets(
  test: Case,
  more: { readonly required?: readonly string[]; readonly properties?: Readonly<Record<string, object>> } = {},
): Promise<AsyncDisposable & { group: string; path: string; crd: string }> {
  const group = `${test.namespace}.example.com`, crd = `${CRDS}/widgets.${group}`;
  const spec = {
    type: "object",
    required: ["size", ...more.required ?? []],
    properties: {
      size: { type: "integer", minimum: 1 },
      mode: { type: "string", enum: ["a", "b"], default: "a" },
      replicas: { type: "integer" },
      ...more.properties,
    },
    "x-kubernetes-validations": [{ rule: "self.size < 100", message: "too big" }],
  };
  const status = { type: "object", properties: { phase: { type: "string" }, replicas: { type: "integer" } } };
  const made = await test.post(
    CRDS,
    crdOf({ group, kind: "Widget", plural: "widgets" }, {
      subresources: {
        status: {},
        scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" },
      },
      additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
      selectableFields: [{ jsonPath: ".spec.mode" }],
      schema: { openAPIV3Schema: { type: "object", properties: { spec, status } } },
    }),
  );
  assert.equal(made.code, 201, JSON.stringify(made.body));
  assert.equal(made.body.spec.names.singular, "widget");
  await test.until(crd, (object) => {
    const { conditions } = (object?.status ?? {}) as { conditions?: { type: string; status: string }[] | null };
    return conditions?.some(({ type, status }) => type === "Established" && status === "True") === true;
  });
  const path = test.in(`${group}/v1`, "widgets");
  // A real server serves a new kind some moments after it calls it established.
  for (let asked = 0; (await test.get(path)).code === 404 && asked < 1_000; asked++);
  return {
    group,
    path,
    crd,
    [Symbol.asyncDispose]: async () => {
      await test.delete(crd);
      await test.until(crd, (object) => object === undefined);
    },
  };
}

function widget(group: string, name: string, rest: Record<string, unknown>) {
  return { apiVersion: `${group}/v1`, kind: "Widget", metadata: { name }, ...rest };
}

// FR-87
conformance("a custom resource is pruned, defaulted and validated by its schema", async (test) => {
  await using made = await widgets(test);
  const { group, path } = made;
  const one = await test.post(path, widget(group, "w", { spec: { size: 3, extra: 1 }, status: { phase: "x" } }));
  assert.equal(one.code, 201);
  assert.deepEqual(one.body.spec, { size: 3, mode: "a" });
  assert.equal(one.body.status, undefined);
  assert.equal(one.body.metadata.generation, 1);
  assert.equal(one.headers.get("warning"), '299 - "unknown field \\"spec.extra\\""');
  const causes = async (spec: unknown) => {
    const { code, body } = await test.post(path, widget(group, "bad", { spec }));
    assert.equal(code, 422);
    return body.details.causes.map((cause: { field: string; reason: string }) => `${cause.reason} ${cause.field}`);
  };
  // Rules are not run on what has the wrong shape, and that is said.
  assert.deepEqual(await causes({}), ["FieldValueRequired spec.size", "FieldValueInvalid <nil>"]);
  assert.deepEqual(await causes({ size: 0 }), ["FieldValueInvalid spec.size"]);
  assert.deepEqual(await causes({ size: 1, mode: "z" }), [
    "FieldValueNotSupported spec.mode",
    "FieldValueInvalid <nil>",
  ]);
  assert.deepEqual(await causes({ size: 100 }), ["FieldValueInvalid spec"]);
  const missing = await test.get(`${path}/none`);
  assert.equal(missing.body.message, `widgets.${group} "none" not found`);
  const kindless = await test.post(path, { metadata: { name: "k" }, spec: { size: 1 } });
  assert.equal(kindless.code, 400);
});

// FR-286
conformance(
  "fields whose names objects of JavaScript inherit are required, defaulted, pruned and keys as all others are",
  async (test) => {
    const list = {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["valueOf"],
      items: { type: "object", required: ["valueOf"], properties: { valueOf: { type: "string" } } },
    };
    await using made = await widgets(test, {
      required: ["constructor"],
      properties: { constructor: { type: "string" }, toString: { type: "string", default: "d" }, list },
    });
    const { group, path } = made;
    const refused = await test.post(path, widget(group, "a", { spec: { size: 1 } }));
    assert.equal(refused.code, 422, JSON.stringify(refused.body));
    assert.equal(refused.body.details.causes[0].field, "spec.constructor");
    const spec = { size: 1, constructor: "c", hasOwnProperty: "x", list: [{ valueOf: "a" }, { valueOf: "b" }] };
    const stored = await test.post(path, widget(group, "a", { spec }));
    assert.equal(stored.code, 201, JSON.stringify(stored.body));
    const { hasOwnProperty: _, ...known } = spec;
    assert.deepEqual(stored.body.spec, { ...known, mode: "a", toString: "d" });
    const twice = { ...known, list: [{ valueOf: "a" }, { valueOf: "a" }] };
    assert.equal((await test.post(path, widget(group, "b", { spec: twice }))).code, 422);
  },
);

// FR-286
conformance(
  "a map list whose key is no property of its items is refused, whatever objects of JavaScript inherit",
  async (test) => {
    const group = `${test.namespace}.example.com`, items = { type: "object", properties: { name: { type: "string" } } };
    const list = {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["constructor"],
      items,
    };
    const { code, body } = await test.post(
      CRDS,
      crdOf({ group, kind: "Widget", plural: "widgets" }, {
        schema: { openAPIV3Schema: { type: "object", properties: { list } } },
      }),
    );
    assert.equal(code, 422, JSON.stringify(body));
    assert.match(body.message, /x-kubernetes-list-map-keys\S*: Invalid value: \S*"constructor"/);
  },
);

// FR-286
conformance(
  "labels and annotations whose names objects of JavaScript inherit are kept, changed and selected",
  async (test) => {
    const maps = test.core("configmaps"), names = { constructor: "a", toString: "b" };
    const metadata = { name: "c", labels: names, annotations: names };
    const made = await test.post(maps, { apiVersion: "v1", kind: "ConfigMap", metadata, data: names });
    assert.equal(made.code, 201, JSON.stringify(made.body));
    assert.deepEqual([made.body.metadata.labels, made.body.metadata.annotations, made.body.data], [
      names,
      names,
      names,
    ]);
    const found = async (selector: string) =>
      (await test.get(`${maps}?labelSelector=${encodeURIComponent(selector)}`)).body.items.length;
    assert.equal(await found("constructor=a,toString"), 1);
    assert.equal(await found("valueOf"), 0);
    assert.equal(await found("!hasOwnProperty,constructor"), 1);
  },
);

// FR-85
conformance("spec and status of a custom resource have their own doors and generations", async (test) => {
  await using made = await widgets(test);
  const { group, path } = made;
  await test.post(path, widget(group, "w", { spec: { size: 3 } }));
  const one = `${path}/w`;
  const status = await test.patch(`${one}/status`, "merge", {
    metadata: { labels: { no: "1" }, finalizers: ["example.com/no"] },
    spec: { size: 9 },
    status: { phase: "Ready" },
  });
  assert.equal(status.code, 200);
  assert.deepEqual(status.body.status, { phase: "Ready" });
  assert.equal(status.body.spec.size, 3);
  assert.equal(status.body.metadata.labels, undefined);
  assert.equal(status.body.metadata.finalizers, undefined);
  assert.equal(status.body.metadata.generation, 1);
  const entry = status.body.metadata.managedFields.at(-1);
  assert.equal(entry.subresource, "status");
  const spec = await test.patch(one, "merge", { spec: { size: 4 }, status: { phase: "No" } });
  assert.deepEqual(spec.body.status, { phase: "Ready" });
  assert.equal(spec.body.metadata.generation, 2);
  assert.equal((await test.patch(one, "merge", { metadata: { labels: { a: "b" } } })).body.metadata.generation, 2);
  const blind = await test.put(one, widget(group, "w", { spec: { size: 5 } }));
  assert.equal(blind.code, 422);
  assert.match(blind.body.message, /metadata.resourceVersion: Invalid value: 0: must be specified for an update/);
  assert.equal((await test.patch(one, "strategic", {})).code, 415);
  const applied = await test.patch(
    `${one}/status?fieldManager=op`,
    "apply",
    widget(group, "w", { spec: { size: 50 }, status: { replicas: 2 } }),
  );
  assert.equal(applied.code, 200, JSON.stringify(applied.body));
  assert.deepEqual(applied.body.status, { phase: "Ready", replicas: 2 });
  assert.equal(applied.body.spec.size, 4);
  assert.deepEqual(
    applied.body.metadata.managedFields.find((one: { manager: string }) => one.manager === "op").fieldsV1,
    {
      "f:status": { "f:replicas": {} },
    },
  );
  const scale = await test.patch(`${one}/scale`, "merge", { spec: { replicas: 7 } });
  assert.equal(scale.body.spec.replicas, 7);
  assert.equal((await test.get(one)).body.metadata.generation, 3);
});

conformance("columns and selectable fields of a CRD are served", async (test) => {
  await using made = await widgets(test);
  const { group, path } = made;
  await test.post(path, widget(group, "w", { spec: { size: 3 } }));
  await test.post(path, widget(group, "v", { spec: { size: 4, mode: "b" } }));
  const table = await test.get(path, { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" });
  assert.deepEqual(table.body.columnDefinitions.map((column: { name: string }) => column.name), ["Name", "Size"]);
  assert.deepEqual(table.body.rows.map((row: { cells: unknown[] }) => row.cells), [["v", 4], ["w", 3]]);
  const chosen = await test.get(`${path}?fieldSelector=spec.mode%3Db`);
  assert.deepEqual(chosen.body.items.map((item: { metadata: { name: string } }) => item.metadata.name), ["v"]);
  assert.equal(chosen.body.items[0].kind, "Widget");
});

conformance("a CRD takes its instances with it", async (test) => {
  await using made = await widgets(test);
  const held = widget(made.group, "w", { spec: { size: 3 } });
  await test.post(made.path, { ...held, metadata: { name: "w", finalizers: ["example.com/hold"] } });
  const marked = await test.delete(made.crd);
  assert.equal(marked.code, 200);
  assert.deepEqual(marked.body.metadata.finalizers, ["customresourcecleanup.apiextensions.k8s.io"]);
  await test.until(`${made.path}/w`, (object) => object?.metadata?.deletionTimestamp !== undefined);
  await test.patch(`${made.path}/w`, "merge", { metadata: { finalizers: null } });
  await test.until(made.crd, (object) => object === undefined);
  for (let asked = 0; (await test.get(made.path)).code === 200 && asked < 1_000; asked++);
  assert.equal((await test.get(made.path)).code, 404);
});

// FR-87
conformance("a CRD whose name or schema cannot be is refused", async (test) => {
  const group = `${test.namespace}.example.com`;
  const version = { name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } };
  const spec = { group, scope: "Namespaced", names: { kind: "Widget", plural: "widgets" }, versions: [version] };
  const misnamed = await test.post(CRDS, { metadata: { name: "things.example.com" }, spec });
  assert.equal(misnamed.code, 422);
  const untyped = { ...version, schema: { openAPIV3Schema: { properties: { spec: {} } } } };
  const loose = await test.post(CRDS, {
    metadata: { name: `widgets.${group}` },
    spec: { ...spec, versions: [untyped] },
  });
  assert.equal(loose.code, 422);
});

// FR-34
conformance("an apply guards the status of a custom resource by resourceVersion, and not by uid", async (test) => {
  await using made = await widgets(test);
  const { group, path } = made, one = `${path}/w`, other = "11111111-1111-1111-1111-111111111111";
  const created = await test.post(path, widget(group, "w", { spec: { size: 3 } }));
  const apply = (door: string, metadata: object, rest: Record<string, unknown>) => {
    const body = widget(group, "w", rest);
    return test.patch(`${door}?fieldManager=op&force=true`, "apply", {
      ...body,
      metadata: { ...body.metadata, ...metadata },
    });
  };
  const { resourceVersion, uid } = created.body.metadata;
  const blind = await apply(`${one}/status`, { uid: other }, { status: { phase: "a" } });
  assert.deepEqual([blind.code, blind.body.metadata.uid, blind.body.status], [200, uid, { phase: "a" }]);
  const late = await apply(`${one}/status`, { uid, resourceVersion }, { status: { phase: "b" } });
  assert.deepEqual([late.code, late.body.reason], [409, "Conflict"]);
  assert.match(late.body.message, /the object has been modified/);
  const current = { resourceVersion: blind.body.metadata.resourceVersion };
  const timely = await apply(`${one}/status`, current, { status: { phase: "b" } });
  assert.deepEqual([timely.code, timely.body.status], [200, { phase: "b" }]);
  const patched = await test.patch(`${one}/status`, "merge", { metadata: { uid: other }, status: { phase: "c" } });
  assert.deepEqual([patched.code, patched.body.metadata.uid], [200, uid]);
  for (
    const refused of [
      await apply(one, { uid: other }, { spec: { size: 4 } }),
      await test.patch(one, "merge", { metadata: { uid: other } }),
    ]
  ) {
    assert.equal(refused.code, 422);
    assert.match(refused.body.message, new RegExp(`metadata.uid: Invalid value: "${other}": field is immutable`));
  }
  const replaced = await test.put(`${one}/status`, {
    ...patched.body,
    metadata: { ...patched.body.metadata, uid: other },
  });
  assert.deepEqual([replaced.code, replaced.body.reason], [409, "Conflict"]);
});

// FR-332
conformance("the watches of a kind end when its CRD is gone", async (test) => {
  const kind = await widgets(test);
  const made = await test.post(kind.path, {
    apiVersion: `${kind.group}/v1`,
    kind: "Widget",
    metadata: { name: "w" },
    spec: { size: 1 },
  });
  const from = made.body.metadata.resourceVersion;
  await using watch = await test.watch(`${kind.path}?watch=1&resourceVersion=${from}&timeoutSeconds=120`);
  await kind[Symbol.asyncDispose]();
  const types: string[] = [];
  for (let event = await watch.next(); event; event = await watch.next()) types.push(event.type);
  assert.equal(types.at(-1), "DELETED", "its objects are deleted before that");
});
