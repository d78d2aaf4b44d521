import assert from "node:assert/strict";
import { ConfigMap } from "../../lib/operator/mod.ts";
import { inventory } from "../harness/rig.ts";
import { Binary, type BinaryOptions, DEMO_PERMISSIONS, type Ended } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";
import { onTerminal, terminalTest } from "./on_terminal.ts";
import { Screen } from "./screen.ts";

const MAIN = "tests/cli/suites_program.ts", TERM = { TERM: "xterm-256color" };

/** How a run ended, and which files it left where it ran. */
interface Run extends Ended {
  readonly files: readonly string[];
  readonly lines: readonly string[];
}

/** Runs `test` in an empty folder; it must leave nothing in its temporary folder. */
async function test(args: readonly string[], options: BinaryOptions = {}): Promise<Run> {
  const temporary = await Deno.makeTempDir({ prefix: "pintle-test-tmp-" });
  try {
    const env = { TMPDIR: temporary, ...options.env };
    await using binary = await Binary.start(["test", ...args], {
      main: MAIN,
      permissions: DEMO_PERMISSIONS,
      ...options,
      env,
    });
    const ended = await binary.ended();
    assert.doesNotMatch(ended.err, /\n\s+at /, "no stack trace");
    assert.deepEqual(await names(temporary), [], "left in the temporary folder");
    return { ...ended, files: await names(binary.folder), lines: ended.out.trimEnd().split("\n") };
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).filter((name) => !name.startsWith("."))
    .sort();
}

/** A folder that goes with the test. */
async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "pintle-test-files-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A kubeconfig for a server that need not exist. */
async function kubeconfig(folder: string, server: string): Promise<string> {
  const path = `${folder}/config`;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "far",
    contexts: [{ name: "far", context: { cluster: "far", user: "me" } }],
    clusters: [{ name: "far", cluster: { server } }],
    users: [{ name: "me", user: { token: "none" } }],
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return path;
}

// FR-178
Deno.test("--list prints suites and scenarios in their order, and runs nothing", async () => {
  const all = ["failing: it breaks", "passing: it passes", "hanging: it hangs", "stubborn: it cannot be cleared"];
  assert.deepEqual((await test(["--list"])).lines, all);
  assert.deepEqual((await test(["--list", "hanging", "failing", "failing"])).lines, [all[0], all[2]]);
  assert.deepEqual((await test(["--list", "--filter", "ing: it b"])).lines, [all[0]]);
  assert.deepEqual((await test(["--list", "--filter", "/^(pass|hang)ing: /"])).lines, [all[1], all[2]]);
});

// FR-403
Deno.test("a process that ends before a command has a result exits 1 and says so, and one with a result keeps its code", async () => {
  const main = "tests/cli/unsettled_program.ts";
  const { code, err } = await test([], { main });
  assert.equal(code, 1);
  assert.equal(
    err,
    "unsettled: the process ended before the command had a result: a promise that it awaits never settles\n",
  );
  await using version = await Binary.start(["version"], { main });
  assert.deepEqual([(await version.ended()).code, version.err], [0, ""]);
});

// FR-178, FR-571
Deno.test("a suite that is not there, a filter that is none, and one that leaves nothing are exit 2 and say what there is", async () => {
  const cases: [string[], RegExp][] = [
    [["pasing"], /there is no suite pasing\n {2}fix: the suites are failing, passing, hanging, stubborn\n$/],
    [["--filter", "/(/"], /--filter \/\(\/ is not a regular expression/],
    [["passing", "--filter", "breaks"], /no scenario matches\n {2}fix: `test --list` shows all of them\n$/],
    [["--parallel", "0"], /--parallel: "0" must be a whole number from 1 to 64/],
    [["--deployed"], /--deployed needs nodes, and a cluster "embedded" has none\n {2}fix: use --cluster kind\n$/],
    [
      ["--keep"],
      /--keep leaves nothing to inspect: the cluster "embedded" is deleted with the run\n {2}fix: use --cluster current/,
    ],
    [["--keep", "--cluster", "kind"], /a kind cluster is deleted with the run/],
    [["--plans-max", "5"], /--plans-max would have no effect on this run\n {2}fix: add --explore or --specs/],
    [["--plan", "write:1:late", "--plans-max", "5"], /--plans-max would have no effect .*\n {2}fix: leave it out/],
    [["--explore", "--keep"], /--keep would have no effect on this run\n {2}fix: leave it out/],
    [["--reuse"], /--reuse would have no effect on this run\n {2}fix: add --cluster kind/],
    [["--keep-cluster", "--cluster", "envtest"], /--keep-cluster would have no effect on this run/],
    [["--download", "--cluster", "kind"], /--download would have no effect .*\n {2}fix: add --cluster envtest/],
    [["--cluster", "kind", "--node-image", "a", "--kubernetes-version", "1.37.0"], /exclude each other/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await test(args);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, message);
  }
  const { code, err } = await test([], { env: { PINTLE_TEST_CLUSTER: "minikube" } });
  assert.equal(code, 2);
  assert.match(err, /PINTLE_TEST_CLUSTER: "minikube" must be one of embedded, envtest, kind, current/);
  assert.match(err, /\n {2}fix: `test --help` lists every setting and its default\n$/);
  const flag = await test(["--log-level", "loud"]);
  assert.match(flag.err, /\n {2}fix: `test --help` lists every setting and its default\n$/);
});

// FR-178
Deno.test("the last line is the count, and the exit code says whether all passed", async () => {
  const good = await test(["passing"]);
  assert.deepEqual([good.code, good.err, good.lines.at(-1)], [0, "", "1 passed, 0 failed"]);
  assert.match(good.lines[0]!, /^1 scenario on embedded, seed \d+$/);
  assert.match(good.lines[1]!, /^✓ passing: it passes \(\w+\)$/);
  assert.equal(good.lines.length, 5, good.out);
  const bad = await test(["passing", "failing"]);
  assert.deepEqual([bad.code, bad.err, bad.lines.at(-1)], [1, "", "1 passed, 1 failed"]);
  assert.match(
    bad.out,
    /✗ failing: it breaks \(\w+\)\n {4}✓ given something\n {4}✗ when it breaks\n[^]* {4}it broke\n/,
  );
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(good.out + bad.out, /[\x00-\x09\x0b-\x1f]/, "no color and no picture where no terminal is");
});

// FR-178
Deno.test("a report that cannot be written is exit 2 before anything runs, and one that is there stays as it is", async () => {
  await using files = await folder();
  const there = `${files.path}/results.xml`;
  await Deno.writeTextFile(there, "of the last run");
  const cases: [string[], RegExp][] = [
    [["--junit", `${files.path}/missing/a.xml`], /cannot write .*\/missing\/a\.xml: .*\n {2}fix: give --junit a file/],
    [["--junit", there, "--report", files.path], /cannot write .*\n {2}fix: give --report a file/],
    [["--junit", there, "--report", `${files.path}/./results.xml`], /--junit and --report name one file/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await test(["failing", ...args]);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
    assert.match(err, message);
  }
  assert.deepEqual(await names(files.path), ["results.xml"]);
  assert.equal(await Deno.readTextFile(there), "of the last run");
});

Deno.test("reports are written where they were asked for, of a run that failed too, and the run says where", async () => {
  const { code, files, lines, out } = await test(["failing", "--junit", "a.xml", "--report", "a.html"]);
  assert.deepEqual([code, files, lines.at(-1)], [1, ["a.html", "a.xml"], "0 passed, 1 failed"]);
  assert.match(out, /\nreport: a\.xml\nreport: a\.html\n/);
});

// FR-178
Deno.test("a disk that is full at the end of a run is a failure of it", async () => {
  const { code, out, lines } = await test(["passing", "--junit", "/dev/full"], { permissions: ["--allow-all"] });
  assert.deepEqual([code, lines.at(-1)], [1, "1 passed, 1 failed"]);
  assert.match(out, /✗ cannot write \/dev\/full: No space left on device/);
});

Deno.test("a run prints its seed, another one takes another, and --seed takes that one", async () => {
  const seed = ({ out }: Run) => /, seed (\d+)$/m.exec(out)?.[1];
  const [first, second] = [await test(["passing"]), await test(["passing"])];
  assert.ok(Number(seed(first)) > 0 && seed(first) !== seed(second), `${seed(first)} ${seed(second)}`);
  assert.equal(seed(await test(["passing", "--seed", "7"])), "7");
});

// FR-178
Deno.test("the command that the report gives for a scenario runs that scenario again, with the same seed", async () => {
  await using files = await folder();
  const path = `${files.path}/report.html`;
  const { out } = await test(["failing", "passing", "--report", path]);
  const [, seed] = /, seed (\d+)$/m.exec(out)!;
  const commands = [...(await Deno.readTextFile(path)).matchAll(/<code>(.*?)<\/code>/g)].map(([, code]) =>
    code!.replaceAll(/&#(\d+);/g, (_, letter) => String.fromCharCode(Number(letter)))
  );
  const [again] = commands.filter((command) => command.includes("breaks"));
  assert.match(again!, /^deno run -A \S+suites_program\.ts test /);
  assert.ok(again!.endsWith(` test --cluster embedded --seed ${seed} --filter 'failing: it breaks'`), again!);
  const words = [...again!.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word!);
  const repeated = await test(words.slice(words.indexOf("test") + 1));
  assert.equal(repeated.lines.at(-1), "0 passed, 1 failed");
  assert.ok(repeated.out.includes(`seed ${seed}`));
});

// FR-178
Deno.test("envtest without its programs is exit 2, one line and the way out", async () => {
  await using empty = await folder();
  const { code, err, lines } = await test(["passing", "--cluster", "envtest", "--assets", empty.path]);
  assert.equal(code, 2);
  assert.match(err, /^suites: there is no etcd in .*\n {2}fix: point KUBEBUILDER_ASSETS at a folder .*\n$/);
  assert.deepEqual(lines.slice(1), ["… starting a control plane"]);
});

// FR-178
Deno.test("a cluster that cannot be reached is exit 3, and the server is named", async () => {
  await using files = await folder();
  // A port that was free a moment ago, without a listener.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }), { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const path = await kubeconfig(files.path, `https://127.0.0.1:${port}`);
  const { code, err, out } = await test(["passing", "--cluster", "current", "--kubeconfig", path]);
  assert.equal(code, 3);
  assert.match(err, new RegExp(`the API server https://127\\.0\\.0\\.1:${port} cannot be reached`));
  assert.doesNotMatch(out, /passed/, "what never ran has no count");
});

// FR-178
Deno.test("a context that is not on this machine is not touched without consent, and --yes is one", async () => {
  await using files = await folder();
  const far = [
    "passing",
    "--cluster",
    "current",
    "--kubeconfig",
    await kubeconfig(files.path, "https://pintle.invalid"),
  ];
  const refused = await test(far);
  assert.deepEqual([refused.code, refused.out], [2, ""]);
  assert.match(
    refused.err,
    /context far is at https:\/\/pintle\.invalid, which is not this machine\n {2}fix: agree with --yes/,
  );
  const agreed = await test([...far, "--yes"]);
  assert.equal(agreed.code, 3, "it is tried");
  assert.match(agreed.err, /https:\/\/pintle\.invalid cannot be reached/);
});

for (const [answer, code] of [["n", 2], ["y", 3]] as const) {
  // FR-178
  terminalTest(`on a terminal a person is asked first, before anything moves: ${answer} is exit ${code}`, async () => {
    await using files = await folder();
    const far = [
      "passing",
      "--cluster",
      "current",
      "--kubeconfig",
      await kubeconfig(files.path, "https://pintle.invalid"),
    ];
    await using binary = await onTerminal(100, ["test", ...far], { env: TERM, main: MAIN });
    await binary.until(/run the scenarios on far at https:\/\/pintle\.invalid\? \[y\/N\]/);
    assert.doesNotMatch(binary.out, /running/, "no picture moves under the question");
    await binary.send(
      `type ${[...`${answer}\r`].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")).join("")}`,
    );
    const ended = await binary.ended();
    assert.equal(ended.code, code, ended.out);
    const { text } = new Screen(100).write(ended.out);
    assert.match(text, code === 2 ? /which is not this machine/ : /cannot be reached/);
  });
}

// FR-178
Deno.test("on a cluster of a kubeconfig nothing is left of a run that passed, nor of one that failed", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const before = await inventory(cluster.client), path = await cluster.kubeconfig();
  const { code, lines } = await test(["passing", "failing", "--cluster", "current", "--kubeconfig", path]);
  assert.deepEqual([code, lines.at(-1)], [1, "1 passed, 1 failed"]);
  assert.match(lines.at(-2)!, /on current v1\.37\.2/);
  assert.deepEqual(await inventory(cluster.client), before);
});

// FR-178
Deno.test("--keep leaves the namespaces of a scenario that failed, and names them", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const before = await inventory(cluster.client), path = await cluster.kubeconfig();
  const { out } = await test(["failing", "passing", "--keep", "--cluster", "current", "--kubeconfig", path]);
  const [, kept] = /✓ teardown kept: (\S+)/.exec(out)!;
  const left = (await inventory(cluster.client)).filter((each) => !before.includes(each));
  assert.ok(left.includes(`Namespace /${kept}`), left.join("\n"));
  assert.deepEqual(left.filter((each) => !each.includes(kept!)), [], "nothing else stays");
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // FR-178
  Deno.test(`${signal} in the middle of a story is exit 130: delete what it created, reports are written, the count is last`, async () => {
    await using cluster = await HttpsCluster.open({ bare: true });
    const before = await inventory(cluster.client), path = await cluster.kubeconfig();
    const args = [
      "test",
      "passing",
      "hanging",
      "stubborn",
      "--cluster",
      "current",
      "--kubeconfig",
      path,
      "--junit",
      "a.xml",
    ];
    await using binary = await Binary.start(args, { main: MAIN, permissions: DEMO_PERMISSIONS });
    await cluster.untilThere(ConfigMap, "all-is-there");
    binary.kill(signal);
    const { code, out, err } = await binary.ended();
    assert.deepEqual([code, err], [130, ""]);
    assert.match(
      out,
      /✓ passing: it passes .*\ninterrupted: cleaning up\n! hanging: it hangs did not finish\n/,
    );
    assert.match(out, /\n2 did not finish\n1 passed, 0 failed\n$/);
    assert.deepEqual(await inventory(cluster.client), before);
    assert.match(await Deno.readTextFile(`${binary.folder}/a.xml`), /<error message="it did not finish">/);
  });
}

// FR-178
Deno.test("a second SIGINT ends a run at once, though its clearing hangs", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const args = ["test", "stubborn", "--cluster", "current", "--kubeconfig", await cluster.kubeconfig()];
  await using binary = await Binary.start(args, { main: MAIN, permissions: DEMO_PERMISSIONS });
  await cluster.untilThere(ConfigMap, "all-is-there");
  binary.kill("SIGINT");
  await binary.until(/interrupted: cleaning up/);
  binary.kill("SIGINT");
  assert.deepEqual((await binary.ended()).code, 130);
});

// FR-178
Deno.test("a reader that goes after the first line ends no run, and no trace is written", async () => {
  const script = '"$@" | { read -r line; echo "$line"; exec <&-; }; exit "${PIPESTATUS[0]}"';
  const { code, err, lines } = await test(["passing", "failing", "--parallel", "1"], {
    wrapper: ["bash", "-c", script, "bash"],
  });
  assert.deepEqual([code, err, lines.length], [1, "", 1]);
});
