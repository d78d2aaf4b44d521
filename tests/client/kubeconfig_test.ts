import { NodeTransport } from "../../lib/client/node_transport.ts";
import type { Credentials } from "../../lib/client/credentials.ts";
import assert from "node:assert/strict";
import { UsageError, VirtualClock } from "../../lib/base/mod.ts";
import { connect } from "../../lib/client/mod.ts";
import { kubeconfigPaths, loadKubeconfig } from "../../lib/client/kubeconfig.ts";

const CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/** The parts of a kubeconfig; JSON is YAML. */
function config(user: unknown, cluster: Record<string, unknown> = {}, extra: Record<string, unknown> = {}): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{
      name: "c",
      cluster: { server: "https://10.0.0.1:6443", "certificate-authority-data": btoa(CA), ...cluster },
    }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "team" } }],
    "current-context": "x",
    ...extra,
  });
}

function files(contents: Record<string, string>) {
  return (path: string) =>
    Object.hasOwn(contents, path) ? Promise.resolve(contents[path]!) : Promise.reject(new Deno.errors.NotFound(path));
}

function load(
  contents: Record<string, string>,
  options: { paths?: string[]; context?: string; clock?: VirtualClock } = {},
) {
  const { paths = ["/k/config"], context, clock = new VirtualClock() } = options;
  return loadKubeconfig({ paths, context, clock, readFile: files(contents) });
}

async function refused(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.match(error.message, message);
    assert.ok(error.hint, "it names the fix");
    assert.ok(!error.message.includes("\n"), "one line");
    return true;
  });
}

const authorization = async (credentials: Credentials) => (await credentials.headers()).authorization;

// FR-71
Deno.test("a context gives its server, namespace, authority and token", async () => {
  const found = await load({ "/k/config": config({ token: "t0ken" }) });
  assert.equal(found.server, "https://10.0.0.1:6443");
  assert.equal(found.namespace, "team");
  assert.deepEqual(found.credentials.tls.caCerts, [CA]);
  assert.equal(await authorization(found.credentials), "Bearer t0ken");
});

Deno.test("relative paths start at the folder of their file", async () => {
  const user = { "client-certificate": "jane.crt", "client-key": "/abs/jane.key" };
  const cert = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
  const key = "-----BEGIN EC PRIVATE KEY-----\nQg==\n-----END EC PRIVATE KEY-----\n";
  const { credentials } = await load({ "/k/config": config(user), "/k/jane.crt": cert, "/abs/jane.key": key });
  assert.deepEqual([credentials.tls.cert, credentials.tls.key], [cert, key]);
});

Deno.test("of several files the first entry of a name counts, and missing files are ignored", async () => {
  const second = config({ token: "second" }, {}, { "current-context": "y" });
  const first = JSON.stringify({ users: [{ name: "u", user: { token: "first" } }] });
  const found = await load({ "/a/one": first, "/b/two": second.replace('"x"', '"y"') }, {
    paths: ["/a/one", "/nowhere", "/b/two"],
  });
  assert.equal(found.name, "y");
  assert.equal(await authorization(found.credentials), "Bearer first");
});

// FR-122
Deno.test("each mistake in a kubeconfig is one line with its fix", async () => {
  await refused(load({}), /no kubeconfig at \/k\/config/);
  await refused(load({ "/k/config": "{ a: [" }), /not a kubeconfig/);
  await refused(load({ "/k/config": "just text" }), /not a kubeconfig/);
  await refused(load({ "/k/config": config({}, {}, { "current-context": "" }) }), /no current-context/);
  await refused(load({ "/k/config": config({}) }, { context: "prod" }), /no context "prod" \(it has x\)/);
  await refused(load({ "/k/config": config({}, {}, { clusters: [] }) }), /no cluster "c" \(it has none\)/);
  await refused(load({ "/k/config": config({}, {}, { users: null }) }), /no user "u"/);
  await refused(load({ "/k/config": config({}, { server: "not a url" }) }), /no usable server address/);
  await refused(
    load({ "/k/config": config({ "client-certificate": "gone.crt" }) }),
    /client-certificate \/k\/gone\.crt/,
  );
  await refused(load({ "/k/config": config({ "client-key-data": "%%%" }) }), /not base64/);
  await refused(load({ "/k/config": config({ exec: { command: "" } }) }), /without a command/);
});

// FR-122
Deno.test("a kubeconfig that is a folder, or that may not be read, is named with its own fix", async () => {
  const hintOf = (cause: Error) =>
    loadKubeconfig({ paths: ["here"], clock: new VirtualClock(), readFile: () => Promise.reject(cause) }).then(
      () => assert.fail("it is read"),
      (error: UsageError) => [error.message, error.hint],
    );
  assert.deepEqual(await hintOf(new Deno.errors.IsADirectory("EISDIR")), [
    "cannot read the kubeconfig here",
    "name a file in it",
  ]);
  assert.equal((await hintOf(new Deno.errors.PermissionDenied("EACCES")))[1], "check its permissions");
});

// FR-115
Deno.test("a broken kubeconfig's error does not quote its token", async () => {
  await assert.rejects(load({ "/k/config": "users: [ {token: s3cr3t-value" }), (error: Error) => {
    assert.ok(!Deno.inspect(error).includes("s3cr3t-value"));
    return true;
  });
});

// FR-71
Deno.test("a token file is read again after a minute, and after a refusal", async () => {
  const clock = new VirtualClock(),
    contents: Record<string, string> = {
      "/k/config": config({ tokenFile: "token" }),
      "/k/token": "one\n",
    };
  const { credentials } = await load(contents, { clock });
  assert.equal(await authorization(credentials), "Bearer one");
  contents["/k/token"] = "two\n";
  assert.equal(await authorization(credentials), "Bearer one");
  await clock.advance(60_000);
  assert.equal(await authorization(credentials), "Bearer two");
  contents["/k/token"] = "three\n";
  credentials.invalidate();
  assert.equal(await authorization(credentials), "Bearer three");
});

// FR-353
Deno.test("files that a kubeconfig names are read again after a refusal, and so is the kubeconfig", async () => {
  const pem = (label: string, text: string) => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
  const user = { "client-certificate": "cert", "client-key": "key" };
  const cluster = { "certificate-authority": "ca", "certificate-authority-data": undefined };
  const contents: Record<string, string> = {
    "/k/config": config(user, cluster),
    "/k/ca": pem("CERTIFICATE", "CA1"),
    "/k/cert": pem("CERTIFICATE", "C1"),
    "/k/key": pem("PRIVATE KEY", "K1"),
  };
  const { credentials } = await load(contents);
  const first = credentials.tls;
  credentials.invalidate();
  await credentials.headers();
  assert.equal(credentials.tls, first, "nothing has changed, so connections stay");
  contents["/k/ca"] = pem("CERTIFICATE", "CA2");
  contents["/k/cert"] = pem("CERTIFICATE", "C2");
  await credentials.headers();
  assert.equal(credentials.tls, first, "nothing was refused");
  delete contents["/k/key"];
  credentials.invalidate();
  await credentials.headers();
  assert.equal(credentials.tls, first, "who renews them is in the middle of it");
  contents["/k/key"] = pem("PRIVATE KEY", "K2");
  credentials.invalidate();
  await Promise.all([credentials.headers(), credentials.headers()]);
  const { caCerts, cert, key } = credentials.tls;
  assert.deepEqual([caCerts, cert, key], [[contents["/k/ca"]], contents["/k/cert"], contents["/k/key"]]);
  contents["/k/config"] = config({ token: "renewed" }, cluster);
  credentials.invalidate();
  assert.equal(await authorization(credentials), "Bearer renewed");
  assert.equal(credentials.tls.cert, undefined);
});

// FR-353
Deno.test("the files are read again for the same context of the same server", async () => {
  const contents: Record<string, string> = { "/k/config": config({ token: "one" }) };
  const { credentials } = await load(contents);
  contents["/k/config"] = config({ token: "two" }, {}, { "current-context": "another" });
  credentials.invalidate();
  assert.equal(await authorization(credentials), "Bearer two");
  contents["/k/config"] = config({ token: "three" }, { server: "https://10.0.0.2:6443" });
  credentials.invalidate();
  assert.equal(await authorization(credentials), "Bearer two", "a token is not shown to another server");
});

Deno.test("an impersonating user sends the other one", async () => {
  const { credentials } = await load({ "/k/config": config({ token: "t", as: "jane", "as-groups": ["dev", "ops"] }) });
  assert.deepEqual(await credentials.headers(), {
    authorization: "Bearer t",
    "impersonate-user": "jane",
    "impersonate-group": ["dev", "ops"],
  });
});

Deno.test("the value of KUBECONFIG is a list, and the default is below the home folder", () => {
  assert.deepEqual(kubeconfigPaths("/a:/b::", "/users/x"), ["/a", "/b"]);
  assert.deepEqual(kubeconfigPaths(undefined, "/users/x"), ["/users/x/.kube/config"]);
  assert.deepEqual(kubeconfigPaths("C:\\a;D:\\b", undefined, ";"), ["C:\\a", "D:\\b"]);
});

// FR-72
Deno.test("a named kubeconfig comes before the pod's account, which comes before the home folder", async () => {
  const account = {
    "/var/run/secrets/kubernetes.io/serviceaccount/token": "pod",
    "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt": CA,
    "/var/run/secrets/kubernetes.io/serviceaccount/namespace": "ops\n",
  };
  const readFile = files({ ...account, "/users/x/.kube/config": config({}), "/k/config": config({}) });
  const common = { clock: new VirtualClock(), home: "/users/x", readFile };
  const inCluster = { host: "fd00::1", port: "443" };
  const pod = await connect({ ...common, inCluster });
  assert.deepEqual([pod.source, pod.server, pod.namespace], ["in-cluster", "https://[fd00::1]:443", "ops"]);
  assert.equal((await connect({ ...common, inCluster, kubeconfig: "/k/config" })).source, "kubeconfig context x");
  assert.equal((await connect({ ...common, inCluster, context: "x" })).source, "kubeconfig context x");
  assert.equal((await connect(common)).source, "kubeconfig context x");
  await refused(connect({ ...common, inCluster: { host: "", port: "443" } }), /KUBERNETES_SERVICE_HOST/);
  const bare = { ...common, readFile: files({}) };
  await refused(connect({ ...bare, inCluster }), /service account's token/);
});

Deno.test("a cluster whose settings contradict each other is refused", async () => {
  const readFile = files({
    "/k/config": config({}, { "insecure-skip-tls-verify": true, "proxy-url": "socks5://proxy:3128" }),
  });
  await refused(connect({ clock: new VirtualClock(), kubeconfigPath: "/k/config", readFile }), /proxy/);
  const plain = files({ "/k/config": config({}, { "tls-server-name": "api.example" }) });
  const { transport } = await connect({ clock: new VirtualClock(), kubeconfigPath: "/k/config", readFile: plain });
  assert.ok(transport instanceof NodeTransport);
  transport.close();
});

/** As kubectl writes it: Go writes null for every list and map without omitempty. */
const PLUGIN = { apiVersion: "client.authentication.k8s.io/v1", command: "./plugin", args: null, env: null };

async function withPlugin(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const answer = `{"apiVersion":"${PLUGIN.apiVersion}","kind":"ExecCredential","status":{"token":"'"$1$EXTRA"'-t"}}`;
    await Deno.writeTextFile(`${folder}/plugin`, `#!/bin/sh\nprintf '%s' '${answer}'\n`);
    await Deno.chmod(`${folder}/plugin`, 0o755);
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function headersFrom(folder: string, user: unknown, cluster: Record<string, unknown> = {}) {
  await Deno.writeTextFile(`${folder}/config`, config(user, cluster));
  const { credentials } = await loadKubeconfig({ paths: [`${folder}/config`], clock: new VirtualClock() });
  return await credentials.headers();
}

// FR-293
Deno.test("nulls of a kubeconfig are absent, at any depth", async () => {
  await withPlugin(async (folder) => {
    const nulls = {
      token: null,
      tokenFile: null,
      username: null,
      "client-key-data": null,
      "as-groups": null,
      as: null,
    };
    const user = { ...nulls, exec: { ...PLUGIN, installHint: null } };
    const cluster = { "certificate-authority": null, "proxy-url": null, "tls-server-name": null, extensions: null };
    assert.deepEqual(await headersFrom(folder, user, cluster), { authorization: "Bearer -t" });
    const given = { ...PLUGIN, args: ["a", null], env: [null, { name: "EXTRA", value: "b" }] };
    assert.deepEqual(await headersFrom(folder, { exec: given }), { authorization: "Bearer ab-t" });
  });
  const sparse = {
    users: [null, { name: "u", user: null }],
    contexts: [{ name: "x", context: { cluster: "c", user: null } }],
  };
  const { credentials, namespace } = await load({ "/k/config": config(null, {}, { ...sparse, preferences: null }) });
  assert.deepEqual([await credentials.headers(), namespace], [{}, "default"]);
});

// FR-293
Deno.test("an authority may have comments in any script, in a file and in the kubeconfig itself", async () => {
  const commented = `# Főtanúsítvány 認証局\n${CA}`;
  const data = new TextEncoder().encode(commented).toBase64();
  await withPlugin(async (folder) => {
    await Deno.writeTextFile(`${folder}/ca.pem`, commented);
    const cluster = { "certificate-authority": "ca.pem", "certificate-authority-data": undefined };
    for (const provideClusterInfo of [false, true]) {
      const user = { exec: { ...PLUGIN, provideClusterInfo } };
      assert.deepEqual(await headersFrom(folder, user, cluster), { authorization: "Bearer -t" });
    }
  });
  const { credentials } = await load({ "/k/config": config({}, { "certificate-authority-data": data }) });
  assert.deepEqual(credentials.tls.caCerts, [commented]);
});

// FR-293
Deno.test("user and password are sent in UTF-8", async () => {
  const { credentials } = await load({ "/k/config": config({ username: "jörg", password: "pass€" }) });
  const sent = (await authorization(credentials)) as string;
  assert.equal(new TextDecoder().decode(Uint8Array.fromBase64(sent.replace("Basic ", ""))), "jörg:pass€");
});

// FR-293
Deno.test("a context without a user is anonymous, and one whose user is missing is a mistake", async () => {
  const contexts = (context: object) => ({ contexts: [{ name: "x", context }] });
  const anonymous = await load({ "/k/config": config({ token: "unused" }, {}, contexts({ cluster: "c" })) });
  assert.deepEqual(await anonymous.credentials.headers(), {});
  await refused(load({ "/k/config": config({}, {}, contexts({ cluster: "c", user: "v" })) }), /no user "v"/);
});

// FR-293
Deno.test("static credentials come before a plugin, which is not run: token file, token, user and password", async () => {
  const exec = { apiVersion: PLUGIN.apiVersion, command: "/nowhere/plugin" };
  const sent = async (user: object, contents: Record<string, string> = {}) =>
    await authorization((await load({ "/k/config": config({ ...user, exec }), ...contents })).credentials);
  assert.equal(await sent({ token: "static" }), "Bearer static");
  assert.equal(await sent({ token: "static", tokenFile: "t" }, { "/k/t": "fresh\n" }), "Bearer fresh");
  assert.equal(await sent({ token: "static", tokenFile: "t" }), "Bearer static", "the file cannot be read");
  assert.match(String(await sent({ username: "a" })), /^Basic /);
  await assert.rejects(sent({}), UsageError);
});

// FR-293
Deno.test("a user impersonates another with uid and extra, whose keys may contain characters that header names may not", async () => {
  const user = { token: "t", as: "bob", "as-uid": "42", "as-user-extra": { "Scopes/öx%": ["a", "b"], none: null } };
  const { credentials } = await load({ "/k/config": config(user) });
  assert.deepEqual(await credentials.headers(), {
    authorization: "Bearer t",
    "impersonate-user": "bob",
    "impersonate-uid": "42",
    "impersonate-extra-scopes%2f%c3%b6x%25": ["a", "b"],
  });
  for (const alone of [{ "as-uid": "42" }, { "as-groups": ["a"] }, { "as-user-extra": { a: ["b"] } }]) {
    await refused(load({ "/k/config": config({ token: "t", ...alone }) }), /user "u" .* without as$/);
  }
});
