import type { NamespaceObject } from "../../lib/operator/builtin_kinds.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReplicationObject } from "../../lib/replicator/mod.ts";
import { type DataObject, replicationProblems, type ReplicationState } from "./replication_model.ts";
import { placeOf, UsersObjects } from "./users_objects.ts";

const TARGETS = ["t-0", "t-1", "t-2"], SLOTS = [0, 1, 2];

function namespace(name: string, more: Partial<NamespaceObject["metadata"]> = {}): NamespaceObject {
  const annotations = { "pintle.dev/accept-from": "s-1" };
  return { metadata: { name, labels: { tier: name === "t-0" ? "a" : "b" }, annotations, ...more } };
}

function data(key: { namespace: string; name: string }, value: string, metadata: object = {}): DataObject {
  return { kind: "ConfigMap", metadata: { ...key, uid: `${key.namespace}/${key.name}`, ...metadata }, data: { value } };
}

function copy(slot: number, target: string): DataObject {
  const key = { namespace: target, name: `copy-${slot}` };
  const annotations = { "pintle.dev/claim": `uid-${slot} ${target}/copy-${slot}` };
  return data(key, `value-${slot}`, { labels: { "pintle.dev/replication": "r" }, annotations });
}

function replication(slot: number, more: object = {}): ReplicationObject {
  const metadata = { namespace: "s-1", name: `copies-${slot}`, uid: `uid-${slot}`, generation: 2, ...more };
  const spec = {
    source: { kind: "ConfigMap", name: `source-${slot}` },
    targets: { namespaces: ["t-*"], name: `copy-${slot}` },
  };
  const ready = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "",
    observedGeneration: 2,
    lastTransitionTime: "",
  };
  return { metadata, spec, status: { observedGeneration: 2, conditions: [ready] } } as unknown as ReplicationObject;
}

/** Three Replications whose sources are copied to three namespaces, and a user's object in each. */
function right(): ReplicationState & {
  objects: DataObject[];
  namespaces: NamespaceObject[];
  replications: ReplicationObject[];
} {
  const users = new UsersObjects(), objects: DataObject[] = [];
  const own = (key: { namespace: string; name: string }, value: string) => {
    objects.push(data(key, value));
    users.created(placeOf("ConfigMap", key), `${key.namespace}/${key.name}`, value);
  };
  for (const slot of SLOTS) own({ namespace: "s-1", name: `source-${slot}` }, `value-${slot}`);
  for (const target of TARGETS) own({ namespace: target, name: "own" }, "mine");
  for (const slot of SLOTS) objects.push(...TARGETS.map((target) => copy(slot, target)));
  const namespaces = [namespace("s-1"), ...TARGETS.map((name) => namespace(name))];
  return { namespaces, replications: SLOTS.map((slot) => replication(slot)), objects, users, trusted: new Set() };
}

/** Sets the condition Ready of a Replication. */
function saysReady(replication: ReplicationObject, status: "True" | "False"): void {
  (replication.status as { conditions: { status: string }[] }).conditions[0]!.status = status;
}

const isCopy = ({ metadata }: DataObject) => metadata?.name?.startsWith("copy-");

// FR-371
Deno.test("a state that matches the Replications has no problem", () => {
  assert.deepEqual(replicationProblems(right()), []);
});

const MUTATIONS: Readonly<Record<string, (state: ReturnType<typeof right>, nth: number) => void>> = {
  "a copy is missing": ({ objects }, nth) => {
    objects.splice(objects.indexOf(objects.filter(isCopy)[nth % 9]!), 1);
  },
  "a copy shows something else": ({ objects }, nth) => {
    Object.assign(objects.filter(isCopy)[nth % 9]!, { data: { value: "edited" } });
  },
  "a copy has more than the source": ({ objects }, nth) => {
    const found = objects.filter(isCopy)[nth % 9]!;
    Object.assign(found, { data: { ...found.data, more: "x" } });
  },
  "a copy has another Replication's claim": ({ objects }, nth) => {
    Object.assign(objects.filter(isCopy)[nth % 9]!.metadata!.annotations!, { "pintle.dev/claim": "uid-9 x/y" });
  },
  "a copy stands where nothing asks for it": ({ objects }, nth) => {
    objects.push({ ...copy(nth % 3, TARGETS[nth % 3]!), metadata: { ...copy(0, "t-0").metadata, name: "copy-9" } });
  },
  "an object was made by no user": ({ objects }, nth) =>
    void objects.push(data({ namespace: TARGETS[nth % 3]!, name: "x" }, "y")),
  "a user's object is gone": ({ objects }, nth) => {
    objects.splice(objects.findIndex(({ metadata }) => metadata?.uid === `${TARGETS[nth % 3]}/own`), 1);
  },
  "a user's object was replaced": ({ objects }, nth) => {
    objects.find(({ metadata }) => metadata?.uid === `${TARGETS[nth % 3]}/own`)!.metadata!.uid = "other";
  },
  "a Replication stays though it is deleted": ({ replications }, nth) => {
    replications[nth % 3] = replication(nth % 3, { deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["x/y"] });
  },
  "the status is about a former generation": ({ replications }, nth) => {
    replications[nth % 3] = replication(nth % 3, { generation: 3 });
  },
  "Ready is False for no reason": ({ replications }, nth) => saysReady(replications[nth % 3]!, "False"),
};

for (const [what, mutate] of Object.entries(MUTATIONS)) {
  // FR-371
  Deno.test(`it is found that ${what}`, () => {
    fc.assert(fc.property(fc.nat(1_000), (nth) => {
      const state = right();
      mutate(state, nth);
      assert.notDeepEqual(replicationProblems(state), []);
    }));
  });
}

Deno.test("without its source a Replication has no copy and is not Ready", () => {
  const state = right();
  state.objects.splice(0, 1);
  state.users.gone(placeOf("ConfigMap", { namespace: "s-1", name: "source-0" }));
  saysReady(state.replications[0]!, "False");
  const left = TARGETS.map((target) => `ConfigMap ${target}/copy-0 is a copy that no Replication wants`);
  assert.deepEqual(replicationProblems(state), left);
  const objects = state.objects.filter(({ metadata }) => metadata?.name !== "copy-0");
  assert.deepEqual(replicationProblems({ ...state, objects }), []);
});

Deno.test("a user's object that has a copy's name stays, and is a conflict", () => {
  const state = right(), key = { namespace: "t-1", name: "copy-0" };
  const objects = state.objects.map((each) =>
    each.metadata?.name === "copy-0" && each.metadata.namespace === "t-1" ? data(key, "mine") : each
  );
  state.users.created(placeOf("ConfigMap", key), "t-1/copy-0", "mine");
  assert.match(replicationProblems({ ...state, objects }).join(), /^Replication s-1\/copies-0: Ready is True/);
  saysReady(state.replications[0]!, "False");
  assert.deepEqual(replicationProblems({ ...state, objects }), []);
});

Deno.test("what was copied into a namespace before it took its trust back may stay, and its Replication is not Ready", () => {
  const state = right();
  state.namespaces[1] = namespace("t-0", { annotations: {} });
  for (const replication of state.replications) saysReady(replication, "False");
  assert.deepEqual(replicationProblems(state), []);
  const objects = state.objects.filter(({ metadata }) => !(metadata?.namespace === "t-0" && metadata.name !== "own"));
  assert.deepEqual(replicationProblems({ ...state, objects }), []);
  assert.deepEqual(replicationProblems({ ...state, trusted: new Set(["s-1"]) }).length, 3);
});

Deno.test("globs, exclusions and labels choose the namespaces, and objects in a terminating one are ignored", () => {
  const state = right(),
    [first, second, third] = state.replications as [ReplicationObject, ReplicationObject, ReplicationObject];
  first.spec.targets.namespaces = ["t-*", "!t-2"];
  second.spec.targets.selector = { matchLabels: { tier: "a" } };
  third.spec.targets.namespaces = ["t-1"];
  const wanted = new Set(["copy-0 t-0", "copy-0 t-1", "copy-1 t-0", "copy-2 t-1"]);
  const keeps = ({ metadata }: DataObject) => wanted.has(`${metadata?.name} ${metadata?.namespace}`);
  const objects = state.objects.filter((each) => !isCopy(each) || keeps(each));
  assert.deepEqual(replicationProblems({ ...state, objects }), []);
  const namespaces = state.namespaces.map((each) =>
    each.metadata?.name === "t-0" ? namespace("t-0", { deletionTimestamp: "2026-01-01T00:00:00Z" }) : each
  );
  state.users.namespaceGoes("t-0");
  assert.deepEqual(replicationProblems({ ...state, objects, namespaces }), []);
});
