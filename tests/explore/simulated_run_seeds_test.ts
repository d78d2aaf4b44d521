import assert from "node:assert/strict";
import { planRun, type Suite } from "../../lib/harness/mod.ts";
import { prepare, runSimulated } from "../../lib/explore/simulated_run.ts";
import { replication } from "../replicator/replication_scenarios.ts";
import { BUGS, CORRECT } from "./corpus.ts";

/** Each of five operators gets its share. `EXPLORE_SEEDS=1000` is a minute of work. */
const SEEDS = Number(Deno.env.get("EXPLORE_SEEDS") ?? 20);
const WAIT = { waitMsMax: 600_000, signal: new AbortController().signal };

const OPERATORS: readonly Suite[] = [
  replication,
  ...CORRECT.filter(({ name }) => ["random_passwords", "job_per_attempt"].includes(name)),
  ...BUGS.filter(({ name }) => ["namesake_claim", "account_opened_twice"].includes(name)).map(({ fixed }) => fixed),
];

for (const suite of OPERATORS) {
  // FR-500
  Deno.test(`two runs of ${suite.name} with the same seed send the same requests at the same times`, async () => {
    const planned = planRun([suite])[0]!, digests = new Set<string>(), share = SEEDS / OPERATORS.length;
    const prepared = await prepare(planned, { ...WAIT, seed: 1 });
    for (let seed = 1; seed <= share; seed++) {
      const [first, second] = [
        await runSimulated(planned, { ...WAIT, seed, prepared }),
        await runSimulated(planned, { ...WAIT, seed, prepared }),
      ];
      assert.equal(first.outcome.kind, "passed");
      assert.equal(first.trace.digest(), second.trace.digest(), `seed ${seed}`);
      digests.add(first.trace.digest());
    }
    assert.equal(digests.size, share, "another seed is another order");
  });
}
