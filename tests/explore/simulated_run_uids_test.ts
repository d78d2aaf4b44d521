import assert from "node:assert/strict";
import { prepare, runSimulated } from "../../lib/explore/simulated_run.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { CORRECT } from "./corpus.ts";

// FR-500
Deno.test("no object of a run has the uid of an object that was there before", async () => {
  const planned = planRun([CORRECT[0]!])[0]!;
  const run = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal };
  const { settled } = await runSimulated(planned, { ...run, prepared: await prepare(planned, run) });
  const uids = [...settled.tables.values()].flatMap((table) =>
    [...table.values()].map(({ object }) => object.metadata?.uid)
  );
  assert.equal(new Set(uids).size, uids.length);
});
