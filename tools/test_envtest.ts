// FR-142
/**
 * Runs test suites against real control planes: starts them from `KUBEBUILDER_ASSETS` or setup-envtest's store, points
 * `PINTLE_TEST_KUBECONFIG` at it, runs `deno test` over the paths given (by default every suite that asks
 * tests/cluster.ts for its cluster), stops it again.
 *
 * ```sh
 * KUBEBUILDER_ASSETS=… deno task test:envtest [path or option of deno test]…
 * ```
 *
 * @module
 */
import { describeError, SystemClock, UsageError } from "../lib/base/mod.ts";
import { envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";
import { batchesOf, runLane, summaryOf } from "./test_lane.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** Imports of a suite that takes a real control plane where there is one; the last one starts planes of its own. */
const ON_REAL =
  /^(?:import|\}) .*(?:\/cluster|served_cluster|installed_cluster|\/world|virtual_world|kubectl|conformance_case|\/harness\/envtest_mirror)\.ts";$/m;

/** As many control planes at the same time, which share the suites: most of a test's time is waiting. */
const LANES = 3;
/** Files of a batch: each batch costs the start of a process, and the last ones keep only one lane busy. */
const BATCH_FILES_MAX = 3;

/** Their programs have to be built first, and others' take long on a real server: they run where they are asked for. */
const ON_REQUEST = [`${ROOT}tests/clients`, `${ROOT}tests/binary`, `${ROOT}tests/kind`];

/** Whether a test file of this text is one whose cluster can be a real one. */
export function runsOnReal(text: string): boolean {
  return ON_REAL.test(text);
}

/** Test files that import tests/cluster.ts or a world that does: those whose cluster can be a real one. */
async function clusterSuites(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (ON_REQUEST.includes(path)) continue;
    if (entry.isDirectory) found.push(...await clusterSuites(path));
    else if (entry.name.endsWith("_test.ts")) {
      if (runsOnReal(await Deno.readTextFile(path))) found.push(path);
    }
  }
  return found.sort();
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

/** Runs the tests; the exit code is theirs, or 130 after an interruption. */
async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupt);
  try {
    const env = Deno.env.toObject(), clock = new SystemClock(), { signal } = interrupted, startMs = clock.now();
    const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
    const programs = await locateEnvtest(located, signal);
    const asked = args.some((arg) => !arg.startsWith("-"));
    const suites = asked ? [] : [...await clusterSuites(`${ROOT}examples`), ...await clusterSuites(`${ROOT}tests`)];
    const batches = asked ? [[...args]] : batchesOf(suites, BATCH_FILES_MAX).map((files) => [...args, ...files]);
    const lanes = Array.from({ length: Math.min(LANES, batches.length) });
    const results = await Promise.all(lanes.map(() => runLane(batches, { programs, clock, signal, say })));
    if (signal.aborted) return 130;
    summaryOf(results, clock.now() - startMs).forEach(say);
    return Math.max(...results.map(({ code }) => code));
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    const hint = error instanceof UsageError && error.hint ? `\n  ${error.hint}` : "";
    Deno.stderr.writeSync(new TextEncoder().encode(`test:envtest: ${describeError(error)}${hint}\n`));
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
