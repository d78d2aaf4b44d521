import assert from "node:assert/strict";
import { EmbeddedApiServer, HttpsServer } from "../../lib/apiserver/mod.ts";
import { Binary, DEMO_PERMISSIONS, runBinary } from "./binary.ts";
import { endedAtHangingServer } from "./hanging_server.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";
import { onTerminal, terminalTest } from "./on_terminal.ts";

Deno.test("version, --version and help run answer and exit 0", async () => {
  assert.match((await runBinary(["version"])).out, /^pintle \d+\.\d+\.\d+\n$/);
  assert.match((await runBinary(["--version"])).out, /^\d+\.\d+\.\d+\n$/);
  const help = await runBinary(["help", "run"]);
  assert.equal(help.code, 0);
  assert.match(help.out, /PINTLE_HTTP_PORT/);
  assert.match(help.out, /8080/);
});

// FR-340
Deno.test("help lists a command's own flags before the settings", async () => {
  const cases = [["plan", "-n, --namespace"], ["install", "--dry-run"], ["test", "--filter"], ["demo", "--once"], [
    "run",
    "--dev",
  ]];
  for (const [command, own] of cases) {
    const { out } = await runBinary([command!, "--help"]), at = out.indexOf(own!);
    assert.ok(at > out.indexOf("Options:") && at < out.indexOf("\nSettings:\n"), `${command}:\n${out}`);
    assert.ok(out.indexOf("--log-level") > out.indexOf("\nSettings:\n"), out);
  }
});

// FR-61, FR-122
Deno.test("unknown commands, flags, variables and values exit 2 and name what was meant", async () => {
  const cases: [string[], Record<string, string>, RegExp][] = [
    [["rum"], {}, /^pintle: unknown command 'rum'\n.*Did you mean run\?.*\n {2}fix: add --help/],
    [["run", "--frobnicate", "x"], {}, /^pintle: unknown option '--frobnicate'\n {2}fix: add --help, which lists/],
    [["run", "--kubeconfg", "x"], {}, /unknown option '--kubeconfg'[\s\S]*Did you mean --kubeconfig\?/],
    [
      ["run"],
      { PINTLE_HTTP_PROT: "1", PINTLE_WORKERS_MAX: "0" },
      /PINTLE_HTTP_PROT is not a setting[\s\S]*WORKERS_MAX/,
    ],
    [["install", "--namespace", "A B"], {}, /--namespace "A B" is not a valid namespace name/],
    [["run", "--kubeconfig", "none"], {}, /^pintle: there is no kubeconfig at none\n {2}fix: .*\n$/],
  ];
  for (const [args, env, expected] of cases) {
    const { code, err, out } = await runBinary(args, { env });
    assert.equal(code, 2, `${args}: ${err}`);
    assert.match(err, expected);
    assert.doesNotMatch(err, /\n\s+at /);
    assert.equal(out, "");
  }
});

// FR-123
Deno.test("a server that refuses connections is exit 3", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const folder = await Deno.makeTempDir();
  const kubeconfig = `${folder}/config`;
  await Deno.writeTextFile(kubeconfig, kubeconfigText(`https://127.0.0.1:${port}`, "very-secret"));
  const { code, err, out } = await runBinary(["run", "--kubeconfig", kubeconfig, "--log-level", "debug"]);
  assert.equal(code, 3);
  assert.match(err, /refused/);
  assert.ok(!`${out}${err}`.includes("very-secret"));
  await Deno.remove(folder, { recursive: true });
});

// FR-77
Deno.test("SIGTERM while the server hangs at start ends run promptly with 0", async () => {
  const file = await Deno.makeTempFile();
  const { code, err } = await endedAtHangingServer(["run"], file, "SIGTERM");
  assert.deepEqual([code, err], [0, ""]);
  await Deno.remove(file);
});

/** Runs a line in a shell that finds Deno by its name. */
async function asTyped(line: string): Promise<{ code: number; err: string }> {
  const PATH = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
  const { code, stderr } = await new Deno.Command("sh", { args: ["-c", line], env: { PATH } }).output();
  return { code, err: new TextDecoder().decode(stderr) };
}

// FR-74, FR-75, FR-477
Deno.test("install, run and SIGTERM work against a server over HTTPS, with readiness and metrics", async () => {
  const api = new EmbeddedApiServer();
  await using https = await HttpsServer.start(api, { nowMs: Date.now() });
  const folder = await Deno.makeTempDir(), kubeconfig = `${folder}/config`;
  await https.writeKubeconfig(kubeconfig);
  const missing = await runBinary(["run", "--kubeconfig", kubeconfig, "--http-port", "0"]);
  assert.equal(missing.code, 1);
  const [, install] = /replications\.pintle\.dev[\s\S]*fix: run `(.+ install)` as an admin/.exec(missing.err) ?? [];
  const dry = await asTyped(`${install} --dry-run --kubeconfig '${kubeconfig}'`);
  assert.equal(dry.code, 0, dry.err);
  assert.equal(
    (await runBinary(["run", "--kubeconfig", kubeconfig, "--http-port", "0"])).code,
    1,
    "nothing was stored",
  );
  const applied = await runBinary(["install", "--kubeconfig", kubeconfig]);
  assert.equal(applied.code, 0, applied.err);
  {
    await using binary = await Binary.start(["run", "--kubeconfig", kubeconfig, "--http-port", "0"]);
    const [, port] = await binary.until(/health and metrics are served.* port=(\d+)/);
    await binary.until(/operator runs/);
    const ready = await fetch(`http://127.0.0.1:${port}/readyz?verbose`);
    assert.equal(ready.status, 200);
    assert.match(await ready.text(), /\[\+\]watches ok\n\[\+\]authentication ok\nreadyz check passed/);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    assert.match(metrics, /rest_client_requests_total\{code="200",method="watch"\} [1-9]/);
    assert.match(metrics, /workqueue_depth\{name="replications\.pintle\.dev"\} 0/);
    assert.match(metrics, /pintle_watch_staleness_seconds\{resource="replications\.pintle\.dev"\} \d/);
    binary.kill("SIGTERM");
    assert.equal((await binary.ended()).code, 0);
  }
  api.close();
  await Deno.remove(folder, { recursive: true });
});

// FR-1, FR-2, FR-3
Deno.test("demo --once converges and says so in its last line; its kubeconfig goes with it", async () => {
  const { code, out, err } = await runBinary(["demo", "--once"], { permissions: DEMO_PERMISSIONS });
  assert.equal(code, 0, err);
  const [, , begun, ...steps] = out.trimEnd().split("\n");
  assert.match(begun!, /^✓ five namespaces, a Secret and a Replication are created: 4 of 4 copies in \d/);
  assert.equal(steps.pop(), "converged: 5 of 5 copies");
  assert.deepEqual(steps.map((line) => line.replace(/ in [\d.]+m?s$/, "")), [
    "✓ a sixth namespace appears: team-ember: 5 of 5 copies",
    "✓ the source Secret changes: password rotated: 5 of 5 copies",
    "✓ the copy in team-beacon is deleted: 5 of 5 copies",
  ]);
  const path = /^kubeconfig: (\S+)$/m.exec(out)![1]!;
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

// FR-1, FR-112
Deno.test("demo stays up until SIGINT, with a kubeconfig that its owner alone can read", async () => {
  await using binary = await Binary.start(["demo"], { permissions: DEMO_PERMISSIONS });
  const [, path] = await binary.until(/export KUBECONFIG=(\S+)/);
  assert.equal((await Deno.stat(path!)).mode! & 0o777, 0o600);
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
  await assert.rejects(Deno.stat(path!), Deno.errors.NotFound);
});

// FR-513
Deno.test("demo names a command that explains an object of its operator, which acts with the operator's rights", async () => {
  await using demo = await Binary.start(["demo"], { permissions: DEMO_PERMISSIONS });
  const [, path] = await demo.until(/export KUBECONFIG=(\S+)/);
  const [, args] = await demo.until(
    /^ {2}\S.* (explain replication\/registry-credentials -n platform --http-port \d+)$/m,
  );
  const { code, out, err } = await runBinary(args!.split(" "), { env: { KUBECONFIG: path! } });
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^replication platform\/registry-credentials: reconciled, by http:\/\/127\.0\.0\.1:\d+\n/);
  assert.match(out, /\n {2}wrote {3}create secrets team-anchor\/registry-credentials/);
});

// FR-513
terminalTest("explain cuts off no line on a narrow terminal", async () => {
  await using demo = await Binary.start(["demo"], { permissions: DEMO_PERMISSIONS });
  const [, path] = await demo.until(/export KUBECONFIG=(\S+)/);
  const [, args] = await demo.until(/ (explain replication\/registry-credentials .*)$/m);
  const env = { KUBECONFIG: path!, NO_COLOR: "1" };
  await using explain = await onTerminal(30, args!.split(" "), { env });
  const { code, out } = await explain.ended();
  assert.equal(code, 0, out);
  assert.match(out, /\n {10}secrets by replication=platform\.registry-credentials: 0 objects in memory\r?\n/);
});

// FR-328
Deno.test("a program whose operator is made from its settings has the operator's name, and its namespace", async () => {
  const main = "tests/cli/made_operator.ts";
  const help = await runBinary(["--help"], { main });
  assert.match(help.out, /^Usage: gadgets /m);
  const doctor = await runBinary(["doctor", "--help"], { main });
  assert.match(doctor.out, /default:\s+"gadgets-system"/);
  const wrong = await runBinary(["config", "--size", "11"], { main });
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /^gadgets: --size: "11" must be a whole number from 1 to 10/);
});

Deno.test("an operator that cannot be made from its settings ends every command with a message", async () => {
  for (const args of [["--help"], ["config"]]) {
    const { code, err } = await runBinary(args, {
      main: "tests/cli/made_operator.ts",
      env: { GADGETS: "No\u001bname" },
    });
    assert.notEqual(code, 0);
    assert.match(err, /^pintle: .*name/);
    assert.doesNotMatch(err, /\n\s+at /);
    assert.ok(!err.includes("\u001b"));
  }
});
