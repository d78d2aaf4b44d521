import assert from "node:assert/strict";
import { EmbeddedCluster } from "../../lib/harness/mod.ts";
import { AREAS } from "./cases/mod.ts";
import { answersOf, compared, recordedAnswers } from "./comparison.ts";
import { describeDifference } from "./report.ts";

for (const area of AREAS) {
  // FR-81, FR-630, FR-631, FR-633, FR-635
  // FR-650, FR-651, FR-652, FR-653, FR-654, FR-655
  Deno.test(`${area.name}: the answers are those of a real kube-apiserver`, async () => {
    await using cluster = new EmbeddedCluster();
    const real = await recordedAnswers(area, area.scripts);
    const seen = await answersOf(cluster, area, area.scripts);
    const results = area.scripts.map((script, index) => compared(area, script, real[index]!, seen[index]!));
    const wrong = results.filter(({ difference, accepted }) => difference && !accepted);
    assert.deepEqual(wrong.map(describeDifference), []);
    const stale = results.filter(({ difference, accepted }) => accepted && !difference);
    assert.deepEqual(stale.map(({ script }) => script.name), [], "they agree: `deno task conformance --write-open`");
  });

  Deno.test(`${area.name}: each script has a name of its own`, () => {
    assert.equal(new Set(area.scripts.map(({ name }) => name)).size, area.scripts.length);
  });
}
