import { StatusDraft } from "../../lib/controller/status_draft.ts";
import assert from "node:assert/strict";

Deno.test("a status is drafted as it is sent: dates as text, deep inside as well", () => {
  const draft = new StatusDraft<{ renewedAt?: unknown; rounds?: unknown }>({}, 1, 0);
  draft.set({ renewedAt: new Date(0), rounds: [{ at: new Date(1) }] });
  assert.deepEqual(draft.own, { renewedAt: "1970-01-01T00:00:00.000Z", rounds: [{ at: "1970-01-01T00:00:00.001Z" }] });
});

Deno.test("what a draft could not write another one restores, and what was not set stays unset", () => {
  const first = new StatusDraft<{ phase?: string; size?: number }>({ phase: "Old", size: 1 }, 1, 0);
  first.set({ phase: "Made", size: undefined });
  first.condition({ type: "Big", status: true, reason: "Size" });
  const second = new StatusDraft<{ phase?: string; size?: number }>({ phase: "Old", size: 1 }, 2, 5);
  second.restore(first.edits);
  const { phase, size, conditions } = second.current;
  assert.deepEqual([phase, size], ["Made", undefined]);
  assert.deepEqual(conditions?.map(({ type, status, observedGeneration }) => [type, status, observedGeneration]), [[
    "Big",
    "True",
    1,
  ]]);
  assert.ok(second.hasSet("Big") && !second.hasSet("Ready"));
});

// FR-430
Deno.test("a condition that the API conventions have no place for fails for good, and the part is named", () => {
  const draft = new StatusDraft(undefined, 1, 0), set = draft.condition.bind(draft) as (condition: unknown) => void;
  const good = { type: "Ready", status: true, reason: "Applied" };
  const cases = [
    [{ ...good, type: "a b" }, /"a b" is no type: .*CamelCase/],
    [{ ...good, status: "true" }, /"true" is no status/],
    [{ type: "Ready", reason: "Applied" }, /there is no status/],
    [{ ...good, reason: "not camel" }, /"not camel" is no reason/],
    [{ ...good, reason: "" }, /"" is no reason/],
    ["Ready", /there is no type/],
  ] as const;
  for (const [condition, message] of cases) {
    assert.throws(() => set(condition), { name: "PermanentError", message }, JSON.stringify(condition));
  }
  set({ ...good, type: "shop.example.com/Paid" });
});

// FR-430
Deno.test("a condition's status is a boolean or the API's own word, and its message may be left out", () => {
  const draft = new StatusDraft({}, 1, 0);
  draft.condition({ type: "Up", status: false, reason: "Down", message: "it is down" });
  draft.condition({ type: "Known", status: "False", reason: "Refused" });
  draft.condition({ type: "Seen", status: "Unknown", reason: "NotAsked" });
  assert.deepEqual(draft.conditions.map(({ type, status, message }) => [type, status, message]), [
    ["Up", "False", "it is down"],
    ["Known", "False", ""],
    ["Seen", "Unknown", ""],
  ]);
});
