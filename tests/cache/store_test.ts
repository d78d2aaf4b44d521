import { WritableStore } from "../../lib/cache/store.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { compareResourceVersions, type KubeObject } from "../../lib/apimachinery/mod.ts";

function object(name: string, version: number, uid = "u", labels: Record<string, string> = {}): KubeObject {
  return { metadata: { name, namespace: "shop", uid, resourceVersion: String(version), labels } };
}

const types = (changes: readonly { type: string }[]) => changes.map((change) => change.type);

Deno.test("an older version, or the same again, changes nothing", () => {
  const store = new WritableStore<KubeObject>();
  assert.deepEqual(types(store.put(object("a", 10))), ["added"]);
  assert.deepEqual(store.put(object("a", 10)), []);
  assert.deepEqual(store.put(object("a", 9)), [], "9 is older than 10, though its text is larger");
  assert.deepEqual(types(store.put(object("a", 11))), ["modified"]);
  assert.equal(store.get("shop/a")?.metadata?.resourceVersion, "11");
});

Deno.test("a late deletion of an earlier object leaves its successor", () => {
  const store = new WritableStore<KubeObject>();
  store.put(object("a", 20, "second"));
  assert.deepEqual(store.remove(object("a", 15, "first")), []);
  assert.equal(store.size, 1);
  assert.deepEqual(types(store.remove(object("a", 21, "second"))), ["deleted"]);
  assert.deepEqual(store.remove(object("a", 21, "second")), []);
});

Deno.test("a list is compared with the store: deletions, then additions and changes", () => {
  const store = new WritableStore<KubeObject>();
  for (const name of ["gone", "same", "changed", "again"]) store.put(object(name, 5));
  const changes = store.replace([
    object("same", 5),
    object("changed", 8),
    object("again", 9, "new"),
    object("fresh", 7),
  ]);
  assert.deepEqual(changes.map(({ type, object }) => `${type} ${object.metadata?.name} ${object.metadata?.uid}`), [
    "deleted gone u",
    "modified changed u",
    "deleted again u",
    "added again new",
    "added fresh u",
  ]);
  assert.equal(changes[1]!.old?.metadata?.resourceVersion, "5");
});

Deno.test("an older list never takes a newer object back, unless the server's history went back", () => {
  const store = new WritableStore<KubeObject>();
  store.put(object("a", 50));
  assert.deepEqual(store.replace([object("a", 40)]), []);
  assert.deepEqual(types(store.replace([object("a", 40)], true)), ["modified"]);
});

Deno.test("an index follows every write, and includes earlier objects", () => {
  const store = new WritableStore<KubeObject>();
  store.put(object("a", 1, "u", { team: "x" }));
  store.addIndex("team", (one) => one.metadata?.labels?.team ? [one.metadata.labels.team] : []);
  const names = (team: string) => store.byIndex("team", team).map((one) => one.metadata?.name);
  store.put(object("b", 2, "u", { team: "x" }));
  assert.deepEqual(names("x"), ["a", "b"]);
  store.put(object("a", 3, "u", { team: "y" }));
  assert.deepEqual([names("x"), names("y")], [["b"], ["a"]]);
  store.remove(object("b", 4));
  assert.deepEqual([...store.indexValues("team")], ["y"], "an empty bucket is gone");
  assert.deepEqual(names("__proto__"), []);
  assert.throws(() => store.addIndex("team", () => []), RangeError);
  assert.throws(() => store.byIndex("absent", "x"), RangeError);
});

Deno.test("an index function that throws is reported and costs only its own object's entry", () => {
  const reported: string[] = [];
  const store = new WritableStore<KubeObject>({ onIndexError: (index) => reported.push(index) });
  store.addIndex("strict", (one) => {
    if (one.metadata?.name === "bad") throw new Error("bad object");
    return ["all"];
  });
  store.put(object("bad", 1));
  store.put(object("good", 2));
  assert.deepEqual(store.byIndex("strict", "all").map((one) => one.metadata?.name), ["good"]);
  assert.equal(store.size, 2);
  assert.deepEqual(reported, ["strict"]);
});

Deno.test("versions of an object never go back, in any order of writes", () => {
  const write = fc.record({
    name: fc.constantFrom("a", "b", "c"),
    version: fc.integer({ min: 1, max: 120 }),
    uid: fc.constantFrom("u", "v"),
    removed: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
    const store = new WritableStore<KubeObject>(), mirror = new Map<string, KubeObject>();
    for (const { name, version, uid, removed } of writes) {
      const before = store.get(`shop/${name}`);
      const next = object(name, version, uid);
      for (const change of removed ? store.remove(next) : store.put(next)) {
        const key = change.object.metadata!.name!;
        if (change.type === "added") assert.ok(!mirror.has(key), "added twice");
        else assert.ok(mirror.has(key), `${change.type} without an object`);
        if (change.type === "deleted") mirror.delete(key);
        else mirror.set(key, change.object);
      }
      const after = store.get(`shop/${name}`);
      if (before && after) {
        assert.ok(compareResourceVersions(after.metadata!.resourceVersion!, before.metadata!.resourceVersion!) >= 0);
      }
    }
    assert.deepEqual([...store.values()].map((one) => one.metadata?.name).sort(), [...mirror.keys()].sort());
  }));
});
