import assert from "node:assert/strict";
import fc from "fast-check";
import type { ConfigMapObject } from "../../lib/operator/mod.ts";
import { type CrateObject, type CrateState, crateState } from "./crate_model.ts";
import { CRATE_LABEL, PARCEL_LABEL } from "./operators/crates.ts";
import { placeOf, UsersObjects } from "./users_objects.ts";

function child(name: string, uid: string, parcel: string, text = "hello"): ConfigMapObject {
  const labels = { [CRATE_LABEL]: uid, [PARCEL_LABEL]: parcel };
  const owner = { apiVersion: "chaos.test.pintle.dev/v1", kind: "Crate", name: "c", uid, controller: true };
  return { metadata: { namespace: "home", name, labels, ownerReferences: [owner] }, data: { text } };
}

function crate(metadata: object = {}): CrateObject {
  const ready = { type: "Ready", status: "True", observedGeneration: 4 };
  return {
    metadata: { namespace: "home", name: "c", uid: "u", generation: 4, ...metadata },
    spec: { parcels: ["a", "b"], text: "hello" },
    status: { observedGeneration: 4, conditions: [ready] },
  } as unknown as CrateObject;
}

function right(): CrateState & { crates: CrateObject[]; children: ConfigMapObject[] } {
  const users = new UsersObjects(), own = { namespace: "home", name: "own" };
  users.created(placeOf("ConfigMap", own), "1", "mine");
  const mine = { metadata: { ...own, uid: "1" }, data: { value: "mine" } };
  const children = [child("c-1", "u", "a"), child("c-2", "u", "b"), mine];
  return { namespaces: [{ metadata: { name: "home" } }], crates: [crate()], children, users };
}

// FR-371
Deno.test("a crate with one child for each parcel has no problem", () => {
  assert.deepEqual(crateState(right()), { problems: [], ending: [] });
});

const MUTATIONS: readonly [string, RegExp, (state: ReturnType<typeof right>, nth: number) => void][] = [
  ["a child is missing", /parcel [ab] has 0 children/, ({ children }, nth) => void children.splice(nth % 2, 1)],
  ["a parcel has two children", /parcel [ab] has 2 children/, ({ children }, nth) => {
    children.push(child("c-3", "u", nth % 2 === 0 ? "a" : "b"));
  }],
  [
    "a child has another text",
    /has another text/,
    ({ children }, nth) => Object.assign(children[nth % 2]!.data!, { text: "x" }),
  ],
  [
    "nothing asks for a child",
    /nothing asks for child c-3/,
    ({ children }) => void children.push(child("c-3", "u", "z")),
  ],
  [
    "a child has no owner",
    /has no owner/,
    ({ children }, nth) => void delete children[nth % 2]!.metadata!.ownerReferences,
  ],
  [
    "a child outlived its crate",
    /a crate that is gone/,
    ({ children }) => void children.push(child("d-1", "gone", "a")),
  ],
  ["a deleted crate stays", /still there: finalizers x\/y/, ({ crates }) => {
    crates[0] = crate({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["x/y"] });
  }],
  [
    "the status is about a former generation",
    /generation 4 of 5/,
    ({ crates }) => void (crates[0] = crate({ generation: 5 })),
  ],
  ["a user's object is gone", /a user's object is gone/, ({ children }) => void children.pop()],
];

for (const [what, problem, mutate] of MUTATIONS) {
  Deno.test(`it is found that ${what}`, () => {
    fc.assert(fc.property(fc.nat(100), (nth) => {
      const state = right();
      mutate(state, nth);
      const { problems, ending } = crateState(state);
      assert.match([...problems, ...ending].join("; "), problem);
    }));
  });
}

Deno.test("a crate whose namespace is gone can have no children, and is ignored", () => {
  const state = right();
  state.users.namespaceGoes("home");
  assert.deepEqual(crateState({ ...state, namespaces: [], children: [] }), { problems: [], ending: [] });
});
