import assert from "node:assert/strict";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import {
  ABSENT,
  allOf,
  anyOf,
  changeOf,
  digestsOnly,
  fieldChangeOf,
  HANDLED,
  matchesFilter,
  noneOf,
  not,
  type ObjectFilter,
  planChange,
  PRESENT,
  snapshotOf,
} from "../../lib/handling/mod.ts";

const ONE = snapshotOf({ spec: { size: 1, note: "a" } }), TWO = snapshotOf({ spec: { size: 2, note: "a" } });
const seen = { deleting: false, resumed: true };

Deno.test("an object that was never handled is created, one that differs is updated, and an equal one is left alone", () => {
  assert.deepEqual(planChange({}, { snapshot: ONE, ...seen }), {
    pendingChange: { kind: "create", target: ONE, progress: {} },
    resumes: false,
  });
  assert.deepEqual(planChange({ lastHandled: ONE }, { snapshot: ONE, ...seen }), { resumes: false });
  assert.equal(planChange({ lastHandled: ONE }, { snapshot: TWO, ...seen }).pendingChange?.kind, "update");
});

Deno.test("resume is for what was handled and this process has not seen, beside an update too, never beside a creation", () => {
  const fresh = { deleting: false, resumed: false };
  assert.equal(planChange({}, { snapshot: ONE, ...fresh }).resumes, false);
  assert.deepEqual(planChange({ lastHandled: ONE }, { snapshot: ONE, ...fresh }), { resumes: true });
  const both = planChange({ lastHandled: ONE }, { snapshot: TWO, ...fresh });
  assert.deepEqual([both.resumes, both.pendingChange?.kind], [true, "update"]);
});

// FR-231
Deno.test("a change under way keeps its target and its progress, whatever the object becomes meanwhile", () => {
  const pendingChange = {
    kind: "create",
    target: ONE,
    progress: { a: { startedMs: 1, retries: 0, outcome: "succeeded" } },
  } as const;
  assert.deepEqual(planChange({ pendingChange }, { snapshot: TWO, ...seen }), { pendingChange, resumes: false });
});

Deno.test("a deletion ends every other change, and calls again handlers that wait for the object to change", () => {
  const busy = { kind: "create", target: ONE, progress: { a: { startedMs: 1, retries: 4 } } } as const;
  const begun = planChange({ pendingChange: busy }, { snapshot: ONE, deleting: true, resumed: true }).pendingChange!;
  assert.deepEqual([begun.kind, begun.progress], ["delete", {}]);
  const progress = {
    done: { startedMs: 1, retries: 0, outcome: "succeeded" },
    waits: { startedMs: 1, retries: 0, outcome: "failed" },
  } as const;
  const same = planChange({ pendingChange: { ...begun, progress } }, { snapshot: ONE, deleting: true, resumed: true });
  assert.deepEqual(same.pendingChange?.progress, progress);
  const changed = planChange({ pendingChange: { ...begun, progress } }, {
    snapshot: TWO,
    deleting: true,
    resumed: true,
  });
  assert.deepEqual(Object.keys(changed.pendingChange!.progress), ["done"]);
});

Deno.test("an operator that begins to compare contents starts with the present ones", () => {
  assert.deepEqual(planChange({ lastHandled: HANDLED }, { snapshot: TWO, ...seen }), { adopted: TWO, resumes: false });
  assert.deepEqual(planChange({ lastHandled: TWO }, { snapshot: HANDLED, ...seen }), { resumes: false });
});

Deno.test("without its content a change has no diff, and its fields are compared by digests", () => {
  const paths = ["spec.size", "spec.note"], slim = digestsOnly(ONE, paths);
  const update = { kind: "update", target: TWO, progress: {} } as const;
  assert.deepEqual(changeOf(ONE, update).diff, [{ operation: "change", path: ["spec", "size"], old: 1, next: 2 }]);
  assert.deepEqual(changeOf(slim, update).diff, []);
  for (const target of [TWO, digestsOnly(TWO, paths)]) {
    assert.equal(fieldChangeOf(slim, { ...update, target }, ["spec", "size"]).changed, true);
    assert.equal(fieldChangeOf(slim, { ...update, target }, ["spec", "note"]).changed, false);
  }
  assert.equal(
    fieldChangeOf(slim, update, ["spec", "new"]).changed,
    true,
    "its former value is unknown: it may have changed",
  );
});

// FR-233
Deno.test("filters take values, presence, absence and functions; prototypes are no labels", () => {
  const object = { metadata: { labels: { tier: "gold" }, annotations: { a: "1" } }, spec: { size: 0, none: null } };
  const holds = (filter: ObjectFilter<DynamicObject>) => matchesFilter(filter, object as DynamicObject);
  assert.ok(holds({}));
  assert.ok(holds({ labels: { tier: "gold", other: ABSENT }, annotations: { a: PRESENT } }));
  assert.ok(!holds({ labels: { tier: "lead" } }) && !holds({ labels: { toString: PRESENT } as never }));
  assert.ok(holds({ labels: { tier: (tier) => tier === "gold" }, when: allOf() }));
  assert.ok(holds({ field: "spec.size", value: 0 }) && !holds({ field: "spec.size", value: 1 }));
  assert.ok(holds({ field: "spec.none" }) && holds({ field: ["spec", "none"], value: null }), "null is a value");
  assert.ok(holds({ field: "spec.toString", value: ABSENT }) && !holds({ field: "spec.size.deeper" }));
  const yes = () => true, no = () => false;
  assert.ok(holds({ when: allOf(yes, not(no)) }) && holds({ when: anyOf(no, yes) }) && holds({ when: noneOf(no, no) }));
  assert.ok(!holds({ when: anyOf() }) && holds({ when: noneOf() }) && !holds({ when: noneOf(no, yes) }));
});
