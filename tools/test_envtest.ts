/**
 * Runs test suites against a real control plane: starts one from `KUBEBUILDER_ASSETS` or setup-envtest's store, points `PINTLE_TEST_KUBECONFIG` at it,
 * runs `deno test` over the paths given (by default every suite that asks tests/cluster.ts for its cluster), stops it again.
 *
 * ```sh
 * KUBEBUILDER_ASSETS=… deno task test:envtest [path or option of deno test]…
 * ```
 *
 * @module
 */
import { dirname } from "node:path";
import { describeError, SystemClock, UsageError } from "../lib/base/mod.ts";
import { EnvtestCluster, envtestFolders, locateEnvtest } from "../lib/harness/mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** What a suite imports that takes a real control plane where there is one; the last one starts control planes of its own. */
const HELPERS = [
  '/cluster.ts"',
  'served_cluster.ts"',
  'installed_cluster.ts"',
  '/world.ts"',
  'virtual_world.ts"',
  'kubectl.ts"',
  'conformance_case.ts"',
  '../harness/envtest_mirror.ts"',
];

/** Their programs have to be built first, and others' take long on a real server: they run where they are asked for. */
const ON_REQUEST = [`${ROOT}tests/clients`, `${ROOT}tests/binary`, `${ROOT}tests/kind`];

/** Test files that import tests/cluster.ts or a world that does: those whose cluster can be a real one. */
async function clusterSuites(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (ON_REQUEST.includes(path)) continue;
    if (entry.isDirectory) found.push(...await clusterSuites(path));
    else if (entry.name.endsWith("_test.ts")) {
      const text = await Deno.readTextFile(path);
      if (HELPERS.some((helper) => text.includes(helper))) found.push(path);
    }
  }
  return found.sort();
}

/** Runs the tests; the exit code is theirs, or 130 after an interruption. */
async function main(args: readonly string[]): Promise<number> {
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new Error("interrupted"));
  for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, interrupt);
  try {
    const env = Deno.env.toObject(), clock = new SystemClock(), { signal } = interrupted;
    const located = { assets: env.KUBEBUILDER_ASSETS, folders: envtestFolders(env), clock };
    const programs = await locateEnvtest(located, signal);
    await using cluster = await EnvtestCluster.start({ programs, clock, signal });
    const file = `${cluster.folder}/test.kubeconfig`;
    await Deno.writeTextFile(file, cluster.kubeconfig, { mode: 0o600 });
    const suites = args.some((arg) => !arg.startsWith("-")) ? [] : [
      ...await clusterSuites(`${ROOT}examples`),
      ...await clusterSuites(`${ROOT}tests`),
    ];
    if (args.length === 0 && suites.length === 0) throw new UsageError("no suite uses tests/cluster.ts yet");
    const tests = new Deno.Command(Deno.execPath(), {
      // One cluster for all: suites that ran at the same time would see each other's CRDs and namespaces.
      args: ["test", "-q", "-A", ...args, ...suites],
      cwd: ROOT,
      env: { PINTLE_TEST_KUBECONFIG: file, KUBEBUILDER_ASSETS: dirname(programs.etcd) },
      stdin: "null",
    }).spawn();
    const stop = () => {
      try {
        tests.kill("SIGKILL");
      } catch {
        // They ended in this very moment.
      }
    };
    signal.addEventListener("abort", stop);
    const { code } = await tests.status;
    return signal.aborted ? 130 : code;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    const hint = error instanceof UsageError && error.hint ? `\n  ${error.hint}` : "";
    Deno.stderr.writeSync(new TextEncoder().encode(`test:envtest: ${describeError(error)}${hint}\n`));
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
