import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import type { StorageSnapshot } from "../../lib/apiserver/mod.ts";
import { describeDifference, endState, ReferenceState } from "../../lib/explore/end_state.ts";
import type { ExploreExceptions } from "../../lib/harness/mod.ts";

const NOTHING: StorageSnapshot = { revision: 1, tables: new Map() };

function snapshot(...objects: DynamicObject[]): StorageSnapshot {
  const table = new Map(objects.map((object, index) => [
    `${object.metadata?.namespace}/${object.metadata?.name}`,
    { object, revision: index, members: "" },
  ]));
  return { revision: 9, tables: new Map([["objects", table]]) } as unknown as StorageSnapshot;
}

function object(kind: string, name: string, content: object = {}, metadata: object = {}): DynamicObject {
  return { apiVersion: "v1", kind, metadata: { namespace: "a", name, ...metadata }, ...content } as DynamicObject;
}

function differences(references: DynamicObject[][], ended: DynamicObject[], exceptions?: ExploreExceptions): string[] {
  const state = (objects: DynamicObject[]) => endState(NOTHING, snapshot(...objects));
  return new ReferenceState(references.map(state), exceptions).differences(state(ended)).map((
    { object, path, ...values },
  ) => [object, path, JSON.stringify(values)].filter(Boolean).join(" "));
}

const config = (data: object) => object("ConfigMap", "c", { data });

// FR-502
Deno.test("an object that is missing, too many or different is a difference; what the server numbers is none", () => {
  const reference = [
    object("ConfigMap", "c", { data: { size: "1" } }, { uid: "u", resourceVersion: "7", generation: 1 }),
  ];
  assert.deepEqual(differences([reference], []), ['ConfigMap a/c {"expected":"exists"}']);
  assert.deepEqual(differences([reference], [...reference, object("Secret", "s")]), ['Secret a/s {"actual":"exists"}']);
  const ended = [object("ConfigMap", "c", { data: { size: "2" } }, { uid: "v", resourceVersion: "9", generation: 3 })];
  assert.deepEqual(differences([reference], ended), ['ConfigMap a/c data.size {"expected":"1","actual":"2"}']);
});

// FR-502
Deno.test("conditions, finalizers, annotations and a stale observedGeneration are compared", () => {
  const widget = (observed: number, reason: string, metadata: object) =>
    object("Widget", "w", { status: { observedGeneration: observed, conditions: [{ type: "Ready", reason }] } }, {
      generation: 2,
      ...metadata,
    });
  const found = differences([[widget(2, "Reconciled", { finalizers: ["f"] })]], [
    widget(1, "Failed", { annotations: { a: "b" } }),
  ]);
  assert.deepEqual(found.map((each) => each.split(" ")[2]), [
    "metadata.annotations.a",
    "metadata.finalizers[0]",
    "status.conditions[Ready].reason",
    "status.observedGeneration",
  ]);
});

// FR-504
Deno.test("annotations of which none is left are no difference to none", () => {
  const emptied = { annotations: {}, labels: {}, finalizers: [], ownerReferences: [] };
  assert.deepEqual(differences([[object("Widget", "w")]], [object("Widget", "w", {}, emptied)]), []);
  assert.deepEqual(differences([[object("Widget", "w", {}, emptied)]], [object("Widget", "w")]), []);
});

// FR-504
Deno.test("a field on which the references disagree may have any value, but may not be missing", () => {
  const references = [[config({ password: "x", size: "1" })], [config({ password: "y", size: "1" })]];
  assert.deepEqual(differences(references, [config({ password: "z", size: "1" })]), []);
  assert.deepEqual(differences(references, [config({ size: "1" })]), [
    'ConfigMap a/c data.password {"expected":"x"}',
  ]);
});

// FR-504
Deno.test("objects with other names in each reference are counted", () => {
  const pods = (...names: string[]) => names.map((name) => object("Pod", name));
  const references = [pods("w-1", "w-2"), pods("w-3", "w-4")];
  assert.deepEqual(differences(references, pods("w-5", "w-6")), []);
  assert.deepEqual(differences(references, pods("w-5")), ['Pod a {"expected":"2","actual":"1"}']);
});

// FR-604
Deno.test("a history in a status may have other entries, but may not be missing; other lists are compared", () => {
  const widget = (status: object) => [object("Widget", "w", { status })];
  const reference = [widget({ history: [{ size: 1 }, { size: 3 }], sizes: [1, 3] })];
  assert.deepEqual(differences(reference, widget({ history: [{ size: 3 }], sizes: [1, 3] })), []);
  assert.deepEqual(differences([widget({ scaleHistory: [1] })], widget({ scaleHistory: [1, 2, 3] })), []);
  assert.deepEqual(differences(reference, widget({ sizes: [1, 3] })).length, 2);
  assert.deepEqual(differences(reference, widget({ history: [], sizes: [1, 3] })).length, 3);
  assert.deepEqual(differences(reference, widget({ history: [{ size: 3 }], sizes: [3] })).length, 2);
});

// FR-504
Deno.test("declared exceptions are not compared", () => {
  const exceptions = { ignore: ["ConfigMap.data.stamp"], countsMayDiffer: ["Job"] };
  const ended = [config({ stamp: "2", size: "1" }), object("Job", "extra")];
  assert.deepEqual(differences([[config({ stamp: "1", size: "1" }), object("Job", "j")]], ended, exceptions), []);
});

// FR-559
Deno.test("a difference of a Secret's data names no value", () => {
  const object = "Secret a/b", path = "data.password";
  assert.deepEqual(
    [{ expected: "b25l", actual: "dHdv" }, { expected: "b25l" }, { actual: "dHdv" }].map((values) =>
      describeDifference({ object, path, ...values })
    ),
    [
      "Secret a/b data.password: another value instead of the expected one",
      "Secret a/b data.password: nothing instead of the expected one",
      "Secret a/b data.password: a value instead of nothing",
    ],
  );
  assert.equal(
    describeDifference({ object: "Secret a/b", path: "type", expected: "x" }),
    'Secret a/b type: nothing instead of "x"',
  );
});
