import assert from "node:assert/strict";
import { applyMergePatch } from "../../lib/apimachinery/mod.ts";
import { formatPlan, parsePlan } from "../../lib/explore/mod.ts";
import { mergePatchOf } from "../../lib/explore/spec_transition.ts";

// FR-550
Deno.test("a plan of specs has a name that makes it again, whatever its values hold", () => {
  const steps = [{ size: 0 }, { text: 'a:b},{"c" é', none: null, list: [{ a: [] }] }];
  for (const place of [{ namespace: "home", name: "a.b" }, { namespace: "", name: "a" }]) {
    const plan = { kind: "specs", faults: [], transition: { kind: "Widget", ...place, steps } } as const;
    assert.deepEqual(parsePlan(formatPlan(plan)), plan);
  }
});

// FR-550
Deno.test("what is not the name of a plan of specs is none", () => {
  const wrong = ["spec:", "spec:Widget/home/a", "spec:Widget/home/a:", "spec:Widget/a:{}", "spec:Widget/home/a:{"];
  for (const text of [...wrong, "spec:Widget/home/a:{},1}", "spec:widget/home/a:{}", "spec:Widget/home/a:[{}]"]) {
    assert.equal(parsePlan(text), undefined, text);
  }
});

// FR-550
Deno.test("a step is the merge patch that makes its spec of the first one", () => {
  const first = { size: 1, labels: { a: "x", b: "y" }, list: [1, 2] };
  for (
    const wanted of [{ size: 2, labels: {} }, { labels: { b: "z" }, list: [] }, {}, { ...first, more: { deep: {} } }]
  ) {
    assert.deepEqual(applyMergePatch(first, mergePatchOf(first, wanted)), wanted);
  }
  assert.deepEqual(mergePatchOf(first, { ...first, size: 2 }), { size: 2 });
});
