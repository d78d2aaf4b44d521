import assert from "node:assert/strict";
import { CertificateAuthority } from "../../lib/apiserver/mod.ts";
import { installNamespace } from "../../lib/operator/installation.ts";
import { ServiceAccount } from "../../lib/operator/mod.ts";
import { Binary, type Ended, RUN_PERMISSIONS, runBinary } from "./binary.ts";
import { HttpsCluster, INSTALLATION, type KubeconfigParts } from "./https_cluster.ts";

const SECRET = "tok-very-secret";
const PLUGINS = [...RUN_PERMISSIONS, "--allow-run"];

/** What `run` says with a kubeconfig that cannot work: one problem, its fix, no stack trace, no secret. */
async function refusal(cluster: HttpsCluster, parts: KubeconfigParts, permissions = RUN_PERMISSIONS): Promise<Ended> {
  const args = ["run", "--http-port", "0", "--kubeconfig", await cluster.kubeconfig(parts)];
  const ended = await runBinary(args, { permissions });
  const { err, out } = ended;
  assert.match(err, /^pintle: .+\n {2}fix: .+\n$/);
  assert.doesNotMatch(err, /\n\s+at /);
  const debug = await runBinary([...args, "--log-level", "debug"], { permissions });
  assert.match(debug.err, /\n\s+at /, "a stack trace is shown on request");
  assert.equal(debug.code, ended.code);
  for (const secret of [SECRET, btoa(SECRET)]) assert.ok(![out, err, debug.out, debug.err].join().includes(secret));
  return ended;
}

/** Runs the operator with these credentials until it runs, and stops it. */
async function accepted(kubeconfig: string, permissions = RUN_PERMISSIONS): Promise<void> {
  await using binary = await Binary.start(["run", "--kubeconfig", kubeconfig, "--http-port", "0"], { permissions });
  await binary.until(/operator runs/);
  binary.kill("SIGINT");
  const { code, err } = await binary.ended();
  assert.deepEqual([code, err], [0, ""]);
}

/** An executable that prints `answer`, and a user of a kubeconfig who is authenticated by it. */
async function plugin(cluster: HttpsCluster, answer: string, exitCode = 0): Promise<KubeconfigParts> {
  const script =
    `#!/bin/sh\ncat <<'END'\n${answer}\nEND\necho 'your session has ended, log in' >&2\nexit ${exitCode}\n`;
  return execUser(await cluster.file("plugin", script, 0o700));
}

function execUser(command: string): KubeconfigParts {
  return { user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never" } } };
}

function execCredential(token: string): string {
  return JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token } });
}

// FR-71
Deno.test("a token, a token file, a client certificate and a plugin each let run in", async () => {
  await using cluster = await HttpsCluster.open();
  const token = await cluster.token();
  await accepted(await cluster.kubeconfig({ user: { token } }));
  await cluster.file("token", `${token}\n`);
  await accepted(await cluster.kubeconfig({ user: { tokenFile: "token" } }));
  await accepted(await cluster.kubeconfig());
  await accepted(await cluster.kubeconfig(await plugin(cluster, execCredential(token))), PLUGINS);
});

// FR-353
Deno.test("an authority and a client certificate that are renewed in their files are taken by the process that runs", async () => {
  await using cluster = await HttpsCluster.open();
  const renew = async () => {
    const { certificate, key } = cluster.door.issueClient({ name: "root", groups: ["system:masters"] });
    await cluster.file("ca.crt", cluster.door.authority);
    await cluster.file("client.crt", certificate);
    await cluster.file("client.key", key);
  };
  await renew();
  const kubeconfig = await cluster.kubeconfig({
    cluster: { "certificate-authority": "ca.crt", "certificate-authority-data": undefined },
    user: { "client-certificate": "client.crt", "client-key": "client.key" },
  });
  await using binary = await Binary.start(["run", "--kubeconfig", kubeconfig, "--http-port", "0"], {
    permissions: RUN_PERMISSIONS,
  });
  await binary.until(/operator runs/);
  const { port } = cluster;
  await cluster.closeDoor();
  await cluster.openDoor(port, new CertificateAuthority(Date.now()));
  await binary.until(/TLS handshake failed/);
  await renew();
  for (const namespace of ["from", "to"]) await cluster.namespace(namespace);
  await cluster.replicate("from", "copied", "renewed", ["to"]);
  await cluster.untilCopied("to", "copied", "renewed");
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
});

// FR-122
Deno.test("credentials that cannot be had are exit 2: the plugin, file or certificate is named with what to do", async () => {
  await using cluster = await HttpsCluster.open();
  const cases: [string, KubeconfigParts, RegExp, RegExp][] = [
    ["no plugin", execUser("no-such-plugin"), /"no-such-plugin" is not installed/, /install "no-such-plugin"/],
    [
      "a plugin that fails",
      await plugin(cluster, SECRET, 7),
      /plugin "\/.*" failed with exit code 7: your session has ended, log in/,
      /run it by hand, or log in again/,
    ],
  ];
  for (const [what, parts, problem, fix] of cases) {
    const { code, err } = await refusal(cluster, parts, PLUGINS);
    assert.equal(code, 2, `${what}: ${err}`);
    assert.match(err, problem);
    assert.match(err.split("fix: ")[1]!, fix);
  }
  for (
    const answer of [`${SECRET} {`, `{"status":"${SECRET}"}`, `{"kind":"ExecCredential","status":{"tokn":"${SECRET}"}}`]
  ) {
    const { code, err } = await refusal(cluster, await plugin(cluster, answer), PLUGINS);
    assert.equal(code, 2, err);
    assert.match(err, /plugin ".*" responded with/);
  }
  const forbidden = await refusal(cluster, await plugin(cluster, execCredential(SECRET)));
  assert.equal(forbidden.code, 2);
  assert.match(forbidden.err, /has no permission to run the credential plugin[\s\S]*--allow-run/);
  const missing = await refusal(cluster, { user: { tokenFile: "none" } });
  assert.equal(missing.code, 2);
  assert.match(missing.err, /cannot read the token file \/.*\/none[\s\S]*fix: log in again/);
});

// FR-122
Deno.test("certificates of a kubeconfig that are none are exit 2 and named", async () => {
  await using cluster = await HttpsCluster.open();
  const { users } = JSON.parse(cluster.door.kubeconfig);
  const { "client-certificate-data": cert, "client-key-data": key } = users[0].user;
  const pem = (label: string, content: string) =>
    btoa(`-----BEGIN ${label}-----\n${content}\n-----END ${label}-----\n`);
  const other = cluster.door.issueClient({ name: "other", groups: [] });
  const cases: [KubeconfigParts, RegExp][] = [
    [{ cluster: { "certificate-authority-data": "%%%" } }, /certificate-authority-data of ".*" .* is not base64/],
    [
      { cluster: { "certificate-authority-data": btoa(SECRET) } },
      /certificate-authority-data .* no certificate in PEM/,
    ],
    [{ cluster: { "certificate-authority-data": pem("CERTIFICATE", btoa("hello")) } }, /the TLS settings for https:/],
    [{ user: { "client-certificate-data": btoa("x"), "client-key-data": key } }, /client-certificate-data .* in PEM/],
    [{ user: { "client-certificate-data": cert, "client-key-data": btoa(SECRET) } }, /client-key-data .* in PEM/],
    [{ user: { "client-certificate-data": cert } }, /has a client-certificate without a client-key/],
    [{ user: { "client-key-data": key } }, /has a client-key without a client-certificate/],
    [
      { user: { "client-certificate-data": cert, "client-key-data": btoa(other.key) } },
      /the TLS settings .* KeyMismatch/,
    ],
    [
      { user: { "client-certificate-data": cert, "client-key-data": pem("PRIVATE KEY", btoa(SECRET)) } },
      /the TLS settings/,
    ],
    [
      { user: { "client-certificate": "none.pem", "client-key-data": key } },
      /cannot read client-certificate \/.*none\.pem/,
    ],
  ];
  for (const [parts, problem] of cases) {
    const { code, err } = await refusal(cluster, parts);
    assert.equal(code, 2, err);
    assert.match(err, problem);
  }
});

// FR-124
Deno.test("a 401 is exit 1 and says to renew the credentials", async () => {
  await using cluster = await HttpsCluster.open();
  for (const parts of [{ user: { token: SECRET } }, { user: {} }, await plugin(cluster, execCredential(SECRET))]) {
    const { code, err } = await refusal(cluster, parts, PLUGINS);
    assert.equal(code, 1, err);
    assert.match(err, /cannot get \/version: Unauthorized \(401\)/);
    assert.match(err, /fix: renew the credentials/);
  }
});

// FR-124
Deno.test("a 403 is exit 1 and names each missing rule with what grants it", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  await cluster.install(INSTALLATION.filter(({ object }) => object.kind !== "ClusterRoleBinding"));
  const kubeconfig = await cluster.kubeconfig({ user: { token: await cluster.token() } });
  const run = await runBinary(["run", "--kubeconfig", kubeconfig]);
  assert.equal(run.code, 1);
  const lines = run.err.trimEnd().split("\n");
  assert.ok(lines.includes('pintle: not allowed to patch replications/status in API group "pintle.dev"'), run.err);
  for (const [at, line] of lines.entries()) {
    if (at % 2 === 0) assert.match(line, /^pintle: not allowed to /);
    else {assert.match(
        line,
        /^ {2}fix: grant \{"apiGroups":.*"verbs":\[.*\]\} .*run `deno run -A \S+ install` as an admin$/,
      );}
  }
  const install = await runBinary(["install", "--kubeconfig", kubeconfig]);
  assert.equal(install.code, 1);
  assert.match(install.err, /cannot get resource "customresourcedefinitions"/);
  assert.match(install.err, /grant it with this rule in a ClusterRole .*verbs: \["get"\]/);
  assert.doesNotMatch(install.err, /\n\s+at /);
});

const NAMESPACES = ["unshare", "--map-root-user", "--mount", "--"];
/**
 * Gives the pod's folder to what it starts: `$1` stands where a pod finds its service account, for that process alone.
 */
const MOUNT = `mount -t tmpfs tmpfs /run && d=/run/secrets/kubernetes.io/serviceaccount && mkdir -p $d &&
  mount --bind "$1" $d && shift && exec "$@"`;
const [unshare, ...unshareArgs] = NAMESPACES;
const isolated = await new Deno.Command(unshare!, { args: [...unshareArgs, "true"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  // FR-70
  name: "in a pod's place run finds its account, and takes up a renewed token while it runs",
  ignore: !isolated, // this machine gives no mount namespace to stand in for a pod
  fn: async () => {
    await using cluster = await HttpsCluster.open();
    const account = `${cluster.folder}/account`;
    await Deno.mkdir(account);
    await cluster.file("account/ca.crt", cluster.door.authority);
    await cluster.file("account/namespace", installNamespace("pintle"));
    await cluster.file("account/token", await cluster.token());
    for (const name of ["from", "to"]) await cluster.namespace(name);
    await using binary = await Binary.start(["run", "--http-port", "0", "--log-format", "json"], {
      env: { KUBERNETES_SERVICE_HOST: "127.0.0.1", KUBERNETES_SERVICE_PORT: `${cluster.port}` },
      wrapper: [...NAMESPACES, "sh", "-c", MOUNT, "sh", account],
    });
    await binary.until(/"credentials":"in-cluster"/);
    await binary.until(/operator runs/);
    await cluster.replicate("from", "first", "one", ["to"]);
    await cluster.untilCopied("to", "first", "one");

    // An account that is created again has another uid: every token of the old one is void at once.
    const key = { namespace: installNamespace("pintle"), name: "pintle-replicator" };
    await cluster.client.delete(ServiceAccount, key);
    await cluster.client.create(ServiceAccount, { apiVersion: "v1", kind: "ServiceAccount", metadata: key });
    await cluster.file("account/token", await cluster.token());
    await cluster.replicate("from", "second", "two", ["to"]);
    await cluster.untilCopied("to", "second", "two");
    binary.kill("SIGTERM");
    const { code, err } = await binary.ended();
    assert.deepEqual([code, err], [0, ""]);
  },
});
