import assert from "node:assert/strict";
import { Binary, type BinaryOptions, type Ended, runBinary } from "../cli/binary.ts";
import { SystemClock } from "../../lib/base/mod.ts";
import { openTransport } from "../../lib/client/mod.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { Namespace } from "../../lib/operator/mod.ts";
import { HttpsCluster } from "../cli/https_cluster.ts";
import { testWith } from "../outside_program.ts";
import { compiled, PACKAGED, pathWithout, ROOT } from "./build.ts";

/** One cache for all tests: each has a home of its own, and unpacking takes seconds. */
const caches = await Deno.makeTempDir({ prefix: "pintle-binary-" });
Deno.test.afterAll(() => Deno.remove(caches, { recursive: true }));

/** Whichever could be built. */
const PROGRAMS: Record<string, { path: string; missing?: string }> = {
  packaged: { path: PACKAGED },
  compiled: await compiled(caches),
};

/** Registers a test of each program, which runs in an empty folder that is also its home. */
function test(claim: string, act: (run: Run, start: Start) => Promise<void>): void {
  for (const [name, { path, missing }] of Object.entries(PROGRAMS)) {
    const options = (more: BinaryOptions = {}) => ({
      ...more,
      program: path,
      env: { ...(name === "packaged" ? { PINTLE_CACHE_HOME: caches } : {}), ...more.env },
    });
    testWith(
      missing,
      `${name}: ${claim}`,
      () => act((args, more) => runBinary(args, options(more)), (args, more) => Binary.start(args, options(more))),
    );
  }
}
type Run = (args: readonly string[], options?: BinaryOptions) => Promise<Ended>;
type Start = typeof Binary.start;

// FR-205
test("version prints version, commit and date of the build", async (run) => {
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { code, out, err } = await run(["version"]);
  assert.deepEqual([code, err], [0, ""]);
  const [, said, , date] = /^pintle (\S+) \(commit ([0-9a-f]{12})(?:-dirty)?, built (\S+)\)\n$/.exec(out) ?? [];
  assert.equal(said, version);
  assert.equal(new Date(date!).toISOString(), date);
});

test("help names every command, and each has its own", async (run) => {
  const { code, out } = await run(["help"]);
  assert.equal(code, 0);
  const commands = [...out.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
  for (const name of ["run", "demo", "test", "plan", "config", "install", "uninstall", "doctor", "manifests", "help"]) {
    assert.ok(commands.includes(name), name);
  }
  assert.match((await run(["help", "run"])).out, /--kubeconfig <FILE>/);
});

test("config shows the settings, those of test too, and the values of the environment", async (run) => {
  const { code, out } = await run(["config", "--output", "json"], { env: { PINTLE_WORKERS_MAX: "3" } });
  assert.equal(code, 0);
  const rows = JSON.parse(out) as { env: string; value: string; source: string }[];
  const workers = rows.find(({ env }) => env === "PINTLE_WORKERS_MAX")!;
  assert.deepEqual([workers.value, workers.source], ["3", "env"]);
  assert.ok(
    rows.some(({ env }) => env === "PINTLE_TEST_CLUSTER") &&
      rows.some(({ env }) => env === "PINTLE_PROTECTED_NAMESPACES"),
  );
});

// FR-205
test("demo --once converges, and leaves nothing where it was started", async (_, start) => {
  await using binary = await start(["demo", "--once"]);
  const { code, out, err } = await binary.ended();
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /\nconverged: ([1-9]\d*) of \1 copies\n$/);
  assert.deepEqual((await Array.fromAsync(Deno.readDir(binary.folder))).map(({ name }) => name), []);
});

// FR-205
test("an installation is made, looked after and taken away again", async (run) => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const env = { KUBECONFIG: await cluster.kubeconfig() };
  const steps: [string[], RegExp][] = [
    [["install"], /^rolebinding pintle-replicator applied$/m],
    [["doctor"], /^ok: rights: ServiceAccount pintle-system\/pintle-replicator may do all[\s\S]*\d ok, 1 warning\n$/m],
    [["plan"], /^0 objects checked: nothing to do; nothing was written\n$/],
    [["uninstall"], /^namespace pintle-system removed\npintle-replicator is uninstalled\n$/m],
  ];
  for (const [args, says] of steps) {
    const { code, out, err } = await run(args, { env });
    assert.deepEqual([code, err], [0, ""], `${args}: ${out}`);
    assert.match(out, says);
  }
});

// FR-205
test("test runs the whole suite on the embedded cluster and ends with what passed", async (run) => {
  const { code, out, err } = await run(["test"]);
  assert.deepEqual([code, err], [0, ""], out);
  const passed = Number(/\n(\d+) passed, 0 failed\n$/.exec(out)?.[1]);
  const listed = (await run(["test", "--list"])).out.trimEnd().split("\n").length;
  assert.ok(passed > 50 && passed === listed, `${passed} of ${listed}`);
});

test("test --junit writes a report of what it ran", async (_, start) => {
  await using binary = await start(["test", "replication", "--filter", "is copied", "--junit", "report.xml"]);
  const { code, out } = await binary.ended();
  assert.equal(code, 0);
  const [, passed] = /\n(\d+) passed, 0 failed\n$/.exec(out)!;
  const report = await Deno.readTextFile(`${binary.folder}/report.xml`);
  assert.ok(Number(passed) > 0);
  assert.match(
    report,
    new RegExp(`^<\\?xml[^>]*>\\s*<testsuites[^>]*>\\s*<testsuite [^>]*tests="${passed}" failures="0" errors="0"`),
  );
});

test("the manifests that it prints and the deploy/ of its project are the same", async (run) => {
  const { code, out } = await run(["manifests"]);
  assert.equal(code, 0);
  assert.match(out, /kind: CustomResourceDefinition[\s\S]*kind: ClusterRoleBinding/);
  const checked = await run(["manifests", "--check", `${ROOT}/deploy/base`]);
  assert.deepEqual([checked.code, checked.err], [0, ""]);
});

// FR-205
test("a kubeconfig is read: what is installed is in its cluster", async (run) => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const { code, err } = await run(["install", "--kubeconfig", await cluster.kubeconfig()]);
  assert.deepEqual([code, err], [0, ""]);
  assert.ok(await cluster.client.find(Namespace, { name: "pintle-system" }));
});

// FR-205
test("the API server of demo reads and writes YAML", async (_, start) => {
  await using binary = await start(["demo"]);
  const [, path] = await binary.until(/KUBECONFIG=(\S+)/);
  const { server, credentials } = await loadKubeconfig({ paths: [path!], clock: new SystemClock() });
  const transport = openTransport({ server, credentials });
  try {
    const created = await transport.fetch("/api/v1/namespaces", {
      method: "POST",
      headers: { "content-type": "application/yaml", accept: "application/yaml" },
      body: "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: yes-in-yaml\n",
    });
    assert.deepEqual([created.status, /^ {2}name: yes-in-yaml$/m.test(await created.text())], [201, true]);
  } finally {
    transport.close();
  }
});

test("run serves an embedded cluster until SIGTERM", async (_, start) => {
  await using binary = await start(["run", "--cluster", "embedded", "--http-port", "0", "--log-format", "json"]);
  await binary.until(/"operator runs"/);
  binary.kill("SIGTERM");
  assert.equal((await binary.ended()).code, 0);
});

// FR-205
test("Ctrl-C while scenarios run is 130, and the summary is there", async (_, start) => {
  await using binary = await start(["test"]);
  await binary.until(/✓|ok/);
  binary.kill("SIGINT");
  const { code, out } = await binary.ended();
  assert.equal(code, 130);
  assert.match(out, /\n\d+ passed, \d+ failed[^\n]*\n$/);
});

// FR-205
test("a reader that has seen enough is no error", async (_, start) => {
  await using binary = await start([], { wrapper: ["bash", "-c", 'set -o pipefail; "$0" manifests | head -n 1'] });
  assert.deepEqual(await binary.ended(), { code: 0, out: "apiVersion: apiextensions.k8s.io/v1\n", err: "" });
});

// FR-205
test("bad input is one line and its fix, with exit code 2 and nothing left behind", async (_, start) => {
  const few = await pathWithout(await Deno.makeTempDir({ dir: caches }), []);
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["rum"], {}, /unknown command 'rum'[\s\S]*Did you mean run\?/],
    [["run", "--kubeconfg", "x"], {}, /unknown option '--kubeconfg'/],
    [
      ["run"],
      { PINTLE_WORKERS_MX: "1" },
      /PINTLE_WORKERS_MX is not a setting; did you mean PINTLE_WORKERS_MAX\?\n {2}fix: /,
    ],
    [["test", "nothing"], {}, /there is no suite nothing\n {2}fix: the suites are /],
    [["test", "--filter", "/(/"], {}, /is not a regular expression/],
    [["test", "--cluster", "minikube"], {}, /"minikube" must be one of embedded, envtest, kind, current\n {2}fix: /],
    [["test", "--cluster", "kind"], { PATH: few }, /docker[^\n]*\n {2}fix: /],
    [["test", "--cluster", "envtest"], { KUBEBUILDER_ASSETS: "/nowhere" }, /\/nowhere[^\n]*\n {2}fix: /],
    [
      ["test", "--filter", "is copied", "--junit", "/proc/no/report.xml"],
      {},
      /cannot write \/proc\/no\/report.xml[^\n]*\n {2}fix: /,
    ],
    [["manifests", "--check", "nowhere"], {}, /cannot read nowhere[^\n]*\n {2}fix: /],
  ];
  for (const [args, env, expected] of cases) {
    await using binary = await start(args, { env });
    const { code, err } = await binary.ended();
    assert.equal(code, 2, `${args}: ${err}`);
    assert.match(err, expected);
    assert.ok(!/\n\s+at /.test(err) && err.split("\n").length <= 4, err);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(binary.folder))).map(({ name }) => name), [], args.join(" "));
  }
});
