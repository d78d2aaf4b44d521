import assert from "node:assert/strict";
import fc from "fast-check";
import { EmbeddedCluster } from "../../../lib/harness/mod.ts";
import { ScriptRun } from "../script_run.ts";
import { GENERATORS, scriptOf } from "./generators.ts";

const SEED = 7, SCRIPTS = 60, SERVER_FAULT = 500;

for (const generator of GENERATORS) {
  // FR-671
  Deno.test(`generated scripts of ${generator.name} never make the embedded server fail, seed ${SEED}`, async () => {
    await using cluster = new EmbeddedCluster();
    await ScriptRun.setUp(cluster, generator.setup);
    for (const [index, steps] of fc.sample(generator.steps, { seed: SEED, numRuns: SCRIPTS }).entries()) {
      const answers = await ScriptRun.run(cluster, `fuzz-${index}`, scriptOf(generator, steps));
      for (const [step, { code, body }] of answers.entries()) {
        // An applied object that cannot be read is a 500 of kube-apiserver too.
        const isTyped = /failed to (?:create typed patch|convert new) object/.test(JSON.stringify(body ?? ""));
        assert(code === undefined || code < SERVER_FAULT || isTyped, JSON.stringify({ steps, step, code, body }));
      }
    }
  });
}
