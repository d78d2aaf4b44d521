import assert from "node:assert/strict";
import type { Suite } from "@pintle/pintle/testing";
import { prepare, runSimulated } from "../../lib/explore/simulated_run.ts";
import { BUGS, CORRECT } from "./corpus.ts";

/** Runs the suite's one scenario without a fault. */
async function passes(suite: Suite): Promise<void> {
  assert.equal(suite.scenarios.length, 1);
  const planned = { suite, scenario: suite.scenarios[0]! };
  const options = { seed: 1, waitMsMax: 60_000, signal: new AbortController().signal };
  const prepared = await prepare(planned, options);
  const { result, isSettled, warnings } = await runSimulated(planned, { ...options, prepared });
  assert.deepEqual(result.outcome, { kind: "passed" });
  assert.equal(isSettled, true, "the operator comes to rest");
  assert.deepEqual(warnings, []);
}

for (const { name, buggy, fixed } of BUGS) {
  Deno.test(`without a fault the planted bug ${name} does not show`, () => passes(buggy));
  Deno.test(`without a fault ${name} passes when it is fixed`, () => passes(fixed));
}

for (const suite of CORRECT) {
  Deno.test(`without a fault the correct operator ${suite.name} passes`, () => passes(suite));
}

Deno.test("names in the corpus are those of its suites, and each is there once", () => {
  for (const { name, buggy, fixed } of BUGS) assert.deepEqual([buggy.name, fixed.name], [name, name]);
  const names = [...BUGS, ...CORRECT].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.ok(BUGS.length >= 24 && CORRECT.length >= 6);
});
