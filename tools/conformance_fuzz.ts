/**
 * `deno task conformance:fuzz --seconds N`: generates scripts, runs each on the embedded server and on a real
 * kube-apiserver from `KUBEBUILDER_ASSETS`, and prints the shortest script of each new difference. `--seed` repeats a
 * run, `--only` names a generator.
 *
 * @module
 */
import { parseArgs } from "node:util";
import fc from "fast-check";
import { SystemClock } from "../lib/base/mod.ts";
import { EmbeddedCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { EnvtestCluster } from "../lib/harness/envtest.ts";
import { type Difference, differenceOf } from "../tests/conformance/agreement.ts";
import { type Generator, GENERATORS, scriptOf } from "../tests/conformance/fuzz/generators.ts";
import { describeDifference } from "../tests/conformance/report.ts";
import type { Step } from "../tests/conformance/script.ts";
import { ScriptRun } from "../tests/conformance/script_run.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1) },
    only: { type: "string" },
  },
});
const env = Deno.env.toObject(), clock = new SystemClock();
if (!env.KUBEBUILDER_ASSETS) {
  say("conformance:fuzz needs a real control plane: set KUBEBUILDER_ASSETS");
  Deno.exit(2);
}
const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
const programs = await locateEnvtest(located, new AbortController().signal);
await using real = await EnvtestCluster.start({ programs, clock, serverArgs: ["--allow-privileged=true"] });
await using embedded = new EmbeddedCluster();
const generators = GENERATORS.filter(({ name }) => values.only === undefined || values.only === name);
for (const { setup } of generators) {
  await ScriptRun.setUp(real, setup);
  await ScriptRun.setUp(embedded, setup);
}
const endMs = clock.now() + Number(values.seconds) * 1_000, seed = Number(values.seed);
const seen = new Set<string>();
let count = 0;
say(`seed ${seed}`);
for (let round = 0; clock.now() < endMs; round++) await search(generators[round % generators.length]!, seed + round);
say(`scripts: ${count}, differences: ${seen.size}, seed: ${seed}`);
if (seen.size > 0) Deno.exitCode = 1;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** What is the same fault in another object. */
function signatureOf({ kind, path, real, embedded }: Difference): string {
  const general = (value: unknown) => JSON.stringify(value)?.replaceAll(/"[^"]*"|\d+/g, "_").slice(0, 40);
  return `${kind} ${path.replaceAll(/\[\d+\]/g, "[]")} ${general(real)} ${general(embedded)}`;
}

async function differenceFor(generator: Generator, steps: readonly Step[]): Promise<Difference | undefined> {
  const script = scriptOf(generator, steps), namespace = `fuzz-${seed}-${count++}`;
  const [wanted, answered] = await Promise.all([
    ScriptRun.run(real, namespace, script),
    ScriptRun.run(embedded, namespace, script),
  ]);
  return differenceOf(wanted, answered);
}

/** A few scripts of one generator; a difference that is known is none. */
async function search(generator: Generator, roundSeed: number): Promise<void> {
  const SCRIPTS = 40;
  const property = fc.asyncProperty(generator.steps, async (steps) => {
    const difference = await differenceFor(generator, steps);
    return difference === undefined || seen.has(signatureOf(difference));
  });
  const limits = { interruptAfterTimeLimit: Math.max(1, endMs - clock.now()), markInterruptAsFailure: false };
  const result = await fc.check(property, { seed: roundSeed, numRuns: SCRIPTS, ...limits });
  if (!result.failed || !result.counterexample) return;
  const [steps] = result.counterexample, difference = await differenceFor(generator, steps);
  if (!difference) return;
  seen.add(signatureOf(difference));
  const compared = { area: generator.name, script: scriptOf(generator, steps), difference };
  say(`${describeDifference(compared)}\n  steps:    ${JSON.stringify(steps)}\n`);
}
