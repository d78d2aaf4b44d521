import { InClusterCredentials } from "../../lib/client/in_cluster.ts";
import assert from "node:assert/strict";
import { SystemClock, UsageError, VirtualClock } from "../../lib/base/mod.ts";
import { ExecCredentials, type ExecPlugin } from "../../lib/client/exec_credentials.ts";

const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

// FR-70
Deno.test("a pod's token is read again after a minute; a renewed authority means new TLS settings", async () => {
  const clock = new VirtualClock(), account = { token: "one", ca: CA };
  const readFile = (path: string) => Promise.resolve(path.endsWith("token") ? `${account.token}\n` : account.ca);
  const credentials = await InClusterCredentials.load({ host: "h", port: "1", clock, readFile });
  const { tls } = credentials;
  account.token = "two";
  await clock.advance(59_000);
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer one" });
  await clock.advance(1_000);
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer two" });
  assert.equal(credentials.tls, tls, "the same authority keeps its connections");
  account.ca = CA.replace("AAAA", "BBBB");
  credentials.invalidate();
  await credentials.headers();
  assert.notEqual(credentials.tls, tls);
});

Deno.test("a token that is unreadable for a short time stays in use", async () => {
  const clock = new VirtualClock();
  let broken = false;
  const readFile = () => broken ? Promise.reject(new Deno.errors.NotFound()) : Promise.resolve("good");
  const credentials = await InClusterCredentials.load({ host: "h", port: "1", clock, readFile });
  broken = true;
  await clock.advance(61_000);
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer good" });
});

/** A plugin that is a shell script. */
function plugin(script: string, more: Partial<ExecPlugin> = {}): ExecPlugin {
  return { apiVersion: "client.authentication.k8s.io/v1", command: "/bin/sh", args: ["-c", script], ...more };
}

function exec(one: ExecPlugin, clock = new VirtualClock()): ExecCredentials {
  const tls = { caCerts: [CA] };
  return new ExecCredentials(one, { tls, server: "https://10.0.0.1", clock, directory: "/" });
}

const reply = (status: unknown) =>
  `echo '${JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status })}'`;

// FR-71
Deno.test("a plugin is run once for concurrent callers, and again when its token expires", async () => {
  const folder = await Deno.makeTempDir(), clock = new VirtualClock();
  try {
    const expirationTimestamp = new Date(clock.now() + 60_000).toISOString();
    const credentials = exec(
      plugin(`echo run >> ${folder}/runs; ${reply({ token: "t", expirationTimestamp })}`),
      clock,
    );
    const runs = async () => (await Deno.readTextFile(`${folder}/runs`)).trim().split("\n").length;
    const [first] = await Promise.all([credentials.headers(), credentials.headers()]);
    assert.deepEqual(first, { authorization: "Bearer t" });
    assert.equal(await runs(), 1);
    await clock.advance(40_000);
    await credentials.headers();
    assert.equal(await runs(), 1);
    await clock.advance(15_000);
    await credentials.headers();
    assert.equal(await runs(), 2, "it is renewed before it expires");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("credentials that are refused at once do not run the plugin with every request", async () => {
  const folder = await Deno.makeTempDir(), clock = new VirtualClock();
  try {
    const credentials = exec(plugin(`echo run >> ${folder}/runs; ${reply({ token: "t" })}`), clock);
    for (let i = 0; i < 5; i++) {
      await credentials.headers();
      credentials.invalidate();
    }
    assert.equal((await Deno.readTextFile(`${folder}/runs`)).trim(), "run");
    await clock.advance(10_000);
    credentials.invalidate();
    await credentials.headers();
    assert.equal((await Deno.readTextFile(`${folder}/runs`)).trim(), "run\nrun");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a plugin gets its environment and the cluster, and may return a certificate", async () => {
  const script = `case "$KUBERNETES_EXEC_INFO" in *10.0.0.1*) ;; *) exit 3;; esac; [ "$REGION" = north ] || exit 4; ${
    reply({ clientCertificateData: "CERT", clientKeyData: "KEY" })
  }`;
  const credentials = exec(plugin(script, { env: [{ name: "REGION", value: "north" }], provideClusterInfo: true }));
  assert.deepEqual(await credentials.headers(), {});
  assert.deepEqual(credentials.tls, { caCerts: [CA], cert: "CERT", key: "KEY" });
});

Deno.test("each failure of a plugin is one line with its fix", async () => {
  const cases: [ExecPlugin, RegExp][] = [
    [
      plugin("", { command: "no-such-plugin-anywhere", installHint: "install\n it" }),
      /"no-such-plugin-anywhere" is not installed/,
    ],
    [plugin("echo session expired >&2; exit 7"), /failed with exit code 7: session expired/],
    [plugin("echo s3cret"), /responded with no JSON/],
    [plugin("echo '{}'"), /responded without a status/],
    [plugin(reply({})), /without a token and without a client certificate/],
  ];
  for (const [one, message] of cases) {
    await assert.rejects(exec(one).headers(), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.ok(error.hint && !error.hint.includes("\n"));
      assert.ok(!Deno.inspect(error).includes("s3cret"), "its output may be a token");
      return true;
    });
  }
});

Deno.test("a plugin that hangs is ended after its time limit", async () => {
  const options = { tls: {}, server: "https://10.0.0.1", clock: new SystemClock(), directory: "/", timeoutMs: 50 };
  await assert.rejects(
    new ExecCredentials(plugin("exec sleep 600"), options).headers(),
    /did not respond within 0.05 s/,
  );
});
