import assert from "node:assert/strict";
import { batchesOf, countsOf, summaryOf, withFilesBefore } from "../../tools/test_lane.ts";

Deno.test("what a run has counted is read from its last line, and from no other", () => {
  assert.deepEqual(countsOf("ok | 12 passed | 0 failed (2s)"), { passed: 12, failed: 0, ignored: 0 });
  assert.deepEqual(countsOf("ok | 12 passed (3 steps) | 0 failed | 2 ignored (1m2s)"), {
    passed: 12,
    failed: 0,
    ignored: 2,
  });
  assert.deepEqual(countsOf("FAILED | 1 passed | 3 failed (2 steps) | 1 ignored (2s)"), {
    passed: 1,
    failed: 3,
    ignored: 1,
  });
  for (const line of ["a test that says ok | 1 passed | 0 failed ... ok (1s)", "running 3 tests from a_test.ts", ""]) {
    assert.equal(countsOf(line), undefined, line);
  }
});

Deno.test("files are split so that none is left out or runs twice, and no batch is empty", () => {
  assert.deepEqual(batchesOf(["a", "b", "c", "d", "e"], 2), [["a", "b"], ["c", "d"], ["e"]]);
  assert.deepEqual(batchesOf(["a", "b"], 2), [["a", "b"]]);
  assert.deepEqual(batchesOf([], 2), []);
});

Deno.test("a failed batch names the files that its control plane had run before, so that the order can be repeated", () => {
  const failed = { code: 1, counts: { passed: 0, failed: 1, ignored: 0 }, reports: [" ERRORS "] };
  assert.deepEqual(withFilesBefore(failed, ["a_test.ts", "b_test.ts"]).reports, [
    " ERRORS ",
    "before it, its control plane had run: a_test.ts b_test.ts",
  ]);
  assert.deepEqual(withFilesBefore(failed, []), failed);
});

Deno.test("lanes are one run: their reports, and a line that adds up and fails where one has", () => {
  const counts = { passed: 3, failed: 0, ignored: 0 }, good = { code: 0, counts, reports: [] };
  assert.deepEqual(summaryOf([good, good], 90_000), ["ok | 6 passed | 0 failed (1m30s)"]);
  const bad = { code: 1, counts: { passed: 1, failed: 1, ignored: 2 }, reports: [" ERRORS ", "it broke"] };
  assert.deepEqual(summaryOf([bad, good], 1_000), [
    " ERRORS ",
    "it broke",
    "FAILED | 4 passed | 1 failed | 2 ignored (1s)",
  ]);
  const died = { code: 137, counts: { passed: 0, failed: 0, ignored: 0 }, reports: [] };
  assert.match(summaryOf([died, good], 1_000).at(-1)!, /^FAILED \| 3 passed \| 0 failed/);
});
