import type { ApiResource } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SystemClock } from "../../lib/base/mod.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { ApiError, Client, openTransport } from "../../lib/client/mod.ts";
import { Secret, Service } from "../../lib/operator/mod.ts";
import { configurationResource } from "../../lib/admission/webhook_configuration.ts";
import { realKubeconfig } from "../cluster.ts";
import { openServedCluster } from "../served_cluster.ts";
import { Binary, RUN_PERMISSIONS, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";
import { forward, isolated, startAsPod } from "./pod_place.ts";

const MAIN = "tests/cli/webhook_operator.ts", NAMESPACE = "gadgets-system";
const GADGETS: ApiResource = {
  group: "webhook.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  plural: "gadgets",
  namespaced: true,
};
const CONFIGURATIONS = [configurationResource("mutate"), configurationResource("validate")];

function gadget(name: string, size: number) {
  return { metadata: { namespace: "default", name }, spec: { size } };
}

/** Creates what passes and what does not. */
async function judges(client: Client, prefix: string): Promise<void> {
  const made = await client.create(GADGETS, gadget(`${prefix}-small`, 5)) as { spec?: { team?: string } };
  assert.equal(made.spec?.team, "nobody");
  await assert.rejects(
    client.create(GADGETS, gadget(`${prefix}-large`, 6)),
    (error) =>
      error instanceof ApiError && /size.gadgets.*denied the request: spec.size is above 5/.test(error.message),
  );
  await client.delete(GADGETS, { namespace: "default", name: `${prefix}-small` });
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

// FR-250
Deno.test("outside of the cluster run serves webhooks at the URL that it is given, and takes them along when it stops", async () => {
  await using cluster = await openServedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "test" }),
    kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
  const installed = await runBinary(["install", "--skip-webhooks", ...kubeconfig], { main: MAIN });
  assert.equal(installed.code, 0, installed.err);
  assert.doesNotMatch(installed.out, /webhookconfiguration/);
  try {
    const port = String(freePort());
    const env = {
      PINTLE_WEBHOOK_URL: `https://127.0.0.1:${port}`,
      PINTLE_WEBHOOK_PORT: port,
      PINTLE_WEBHOOK_HOST: "127.0.0.1",
    };
    await using binary = await Binary.start(["run", "--http-port", "0", ...kubeconfig], { main: MAIN, env });
    const [, http] = await binary.until(/health and metrics are served.* port=(\d+)/);
    await binary.until(/webhooks are called/);
    const ready = await fetch(`http://127.0.0.1:${http}/readyz?verbose`);
    assert.match(await ready.text(), /webhooks ok/);
    await judges(client, "url");
    binary.kill("SIGTERM");
    assert.equal((await binary.ended()).code, 0);
    for (const resource of CONFIGURATIONS) assert.equal(await client.find(resource, { name: "gadgets" }), undefined);
    await client.create(GADGETS, gadget("url-large", 6));
  } finally {
    const gone = await runBinary(["uninstall", "--delete-objects", "--delete-namespace", ...kubeconfig], {
      main: MAIN,
    });
    assert.equal(gone.code, 0, gone.err);
  }
});

/** As kind's node is for its API server: on this machine, and with a kubelet that answers. */
async function controlPlaneNode(client: Client, port: number): Promise<AsyncDisposable> {
  const NODES: ApiResource = { group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false };
  const key = { name: `node-${crypto.randomUUID().slice(0, 8)}` };
  const labels = { "node-role.kubernetes.io/control-plane": "" };
  await client.create(NODES, { metadata: { ...key, labels } });
  const status = {
    addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await client.patch(NODES, key, { type: "merge", subresource: "status", body: { status } });
  return { [Symbol.asyncDispose]: () => client.delete(NODES, key).then(() => {}) };
}

Deno.test({
  // FR-250
  name: "an automatic address is where the control plane's node is reached from, and no other is listened on",
  ignore: realKubeconfig === undefined, // the embedded API server has no nodes
  fn: async () => {
    await using cluster = await openServedCluster();
    const client = new Client(cluster.transport(), { fieldManager: "test" });
    const kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
    using kubelet = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using _node = await controlPlaneNode(client, kubelet.addr.port);
    assert.equal((await runBinary(["install", "--skip-webhooks", ...kubeconfig], { main: MAIN })).code, 0);
    try {
      const env = { PINTLE_WEBHOOK_URL: "auto", PINTLE_WEBHOOK_PORT: "0" };
      await using binary = await Binary.start(["run", "--http-port", "0", ...kubeconfig], { main: MAIN, env });
      (await kubelet.accept()).close();
      const [, port] = await binary.until(/webhooks are served host=127\.0\.0\.1 port=(\d+)/);
      await binary.until(new RegExp(`webhooks are called url=https://127.0.0.1:${port}`));
      await judges(client, "auto");
      binary.kill("SIGINT");
      assert.equal((await binary.ended()).code, 0);
      for (const resource of CONFIGURATIONS) assert.equal(await client.find(resource, { name: "gadgets" }), undefined);
    } finally {
      assert.equal((await runBinary(["uninstall", "--delete-namespace", ...kubeconfig], { main: MAIN })).code, 0);
    }
  },
});

// FR-250
Deno.test("where no address can be found automatically, run ends and says what to set, and nothing asks it", async () => {
  await using cluster = await openServedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "test" });
  const kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
  assert.equal((await runBinary(["install", "--skip-webhooks", ...kubeconfig], { main: MAIN })).code, 0);
  try {
    const args = ["run", "--http-port", "0", "--webhook-url", "auto", ...kubeconfig];
    const { code, err } = await runBinary(args, { main: MAIN });
    assert.equal(code, 2, err);
    assert.match(
      err,
      /no address of this machine that the API server reaches was found: the cluster lists no control plane/,
    );
    assert.match(err, /fix: set PINTLE_WEBHOOK_URL to an https address/);
    for (const resource of CONFIGURATIONS) assert.equal(await client.find(resource, { name: "gadgets" }), undefined);
  } finally {
    assert.equal((await runBinary(["uninstall", "--delete-namespace", ...kubeconfig], { main: MAIN })).code, 0);
  }
});

// FR-252
Deno.test("manifests of webhooks have a file of their own, which --check misses in a kustomization and --output adds", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const permissions = [...RUN_PERMISSIONS, "--allow-write"], options = { main: MAIN, permissions };
    const manifests = (how: string) => runBinary(["manifests", how, folder], options);
    assert.deepEqual([(await manifests("--output")).code, (await manifests("--check")).code], [0, 0]);
    const listed = ["crds.yaml", "namespace.yaml", "rbac.yaml"];
    const say = (resources: string[]) =>
      Deno.writeTextFile(`${folder}/kustomization.yaml`, JSON.stringify({ resources }));
    await say(listed);
    const { code, err } = await manifests("--check");
    assert.deepEqual([code, /kustomization.yaml does not list webhooks.yaml/.test(err)], [1, true]);
    assert.match((await manifests("--output")).out, /kustomization\.yaml: \+webhooks\.yaml$/m);
    assert.equal((await manifests("--check")).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// FR-250
Deno.test("addresses that cannot be are told before anything is served, and without one nothing is", async () => {
  await using cluster = await openServedCluster();
  const kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
  assert.equal((await runBinary(["install", "--skip-webhooks", ...kubeconfig], { main: MAIN })).code, 0);
  try {
    for (const url of ["http://127.0.0.1:1", "https://127.0.0.1:1/path", "nowhere"]) {
      const { code, err } = await runBinary(["run", "--http-port", "0", "--webhook-url", url, ...kubeconfig], {
        main: MAIN,
      });
      assert.equal(code, 2, err);
      assert.match(err, /must be auto, or an https address without a path/);
    }
    await using binary = await Binary.start(["run", "--http-port", "0", ...kubeconfig], { main: MAIN });
    await binary.until(/admission webhooks are not served.*PINTLE_WEBHOOK_URL/);
    await binary.until(/operator runs/);
  } finally {
    assert.equal((await runBinary(["uninstall", "--delete-namespace", ...kubeconfig], { main: MAIN })).code, 0);
  }
});

// FR-250
Deno.test("on an embedded cluster webhooks just work, and kubectl's way in obeys them", async () => {
  const permissions = [...RUN_PERMISSIONS, "--allow-write"];
  await using binary = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0"], {
    main: MAIN,
    permissions,
  });
  const [, path] = await binary.until(/kubeconfig=(\S+)/);
  await binary.until(/operator runs/);
  await binary.until(/webhooks are called/);
  const { server, credentials } = await loadKubeconfig({ paths: [path!], clock: new SystemClock() });
  const transport = openTransport({ server, credentials });
  await judges(new Client(transport, { fieldManager: "test" }), "embedded");
  transport.close();
});

// FR-250
Deno.test("webhooks of an installation are not taken over by a process elsewhere", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  assert.equal((await runBinary(["install", ...kubeconfig], { main: MAIN })).code, 0);
  const env = { PINTLE_WEBHOOK_URL: "https://127.0.0.1:1", PINTLE_WEBHOOK_PORT: "0" };
  const { code, err } = await runBinary(["run", "--http-port", "0", ...kubeconfig], { main: MAIN, env });
  assert.equal(code, 2);
  assert.match(err, /the webhooks of gadgets are installed in this cluster, behind a Service/);
});

// FR-223
Deno.test("doctor finds webhooks as they were installed in order, and names what was changed in them", async () => {
  await using cluster = await openServedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "test" });
  const kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
  assert.equal((await runBinary(["install", ...kubeconfig], { main: MAIN })).code, 0);
  const says = async (check: string) => {
    const { out } = await runBinary(["doctor", "--output", "json", ...kubeconfig], { main: MAIN });
    const found = JSON.parse(out) as { check: string; verdict: string; message: string }[];
    return found.filter((each) => each.check === check).map((each) => `${each.verdict}: ${each.message}`);
  };
  try {
    assert.match((await says("installation")).join(), /^ok: \d+ objects are as the operator declares them$/);
    const untrusted = "the caBundle is empty, so API servers trust no response";
    assert.deepEqual(await says("webhooks"), [
      `problem: mutatingwebhookconfiguration gadgets: ${untrusted}`,
      `problem: validatingwebhookconfiguration gadgets: ${untrusted}`,
    ]);
    const excluded = { matchExpressions: [{ key: "judged", operator: "DoesNotExist" }] };
    await client.patch(CONFIGURATIONS[1]!, { name: "gadgets" }, {
      type: "json",
      body: [
        { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" },
        { op: "add", path: "/webhooks/0/objectSelector", value: excluded },
      ],
    });
    const webhook = "webhooks.size.gadgets.webhook.test.pintle.dev";
    assert.deepEqual(await says("installation"), [
      `problem: validatingwebhookconfiguration gadgets is not as this operator declares it: ${webhook}.failurePolicy differs, ` +
      `${webhook}.objectSelector is not declared`,
    ]);
  } finally {
    assert.equal((await runBinary(["uninstall", "--delete-namespace", ...kubeconfig], { main: MAIN })).code, 0);
  }
});

// FR-251
Deno.test("uninstall takes webhooks out first, and leaves nothing of them", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  await runBinary(["install", "--skip-webhooks", ...kubeconfig], { main: MAIN });
  const finalizers = ["webhook.test.pintle.dev/gadgets"], { metadata, spec } = gadget("a", 1);
  await cluster.client.create(GADGETS, { metadata: { ...metadata, finalizers }, spec } as never);
  assert.equal((await runBinary(["install", ...kubeconfig], { main: MAIN })).code, 0);
  const secret = { namespace: NAMESPACE, name: "gadgets-webhook" };
  const labels = { "app.kubernetes.io/name": "gadgets" };
  await cluster.client.create(Secret, { metadata: { ...secret, labels } } as never);
  await assert.rejects(cluster.client.create(GADGETS, gadget("b", 1)), /no endpoints available/);
  const { code, err, out } = await runBinary(["uninstall", "--delete-objects", ...kubeconfig], { main: MAIN });
  assert.equal(code, 0, err);
  assert.ok(out.indexOf("webhookconfiguration") < out.indexOf("customresourcedefinition"), out);
  for (const resource of CONFIGURATIONS) {
    assert.equal(await cluster.client.find(resource, { name: "gadgets" }), undefined);
  }
  for (const resource of [Secret, Service]) assert.equal(await cluster.client.find(resource, secret), undefined);
});

Deno.test({
  name:
    // FR-249
    "in a pod's place run issues certificates with the rights of its account, and its Service reaches it once it is ready",
  ignore: !isolated, // this machine gives no mount namespace to stand in for a pod
  fn: async () => {
    await using cluster = await HttpsCluster.open({ bare: true });
    const { client } = cluster, name = "gadgets";
    assert.equal((await runBinary(["install", "--kubeconfig", await cluster.kubeconfig()], { main: MAIN })).code, 0);
    await using binary = await startAsPod(cluster, { main: MAIN, account: { namespace: NAMESPACE, name } });
    const [, port] = await binary.until(/webhooks are served.* port=(\d+)/);
    const ca = async () => {
      const { webhooks } = await client.get(CONFIGURATIONS[1]!, { name });
      const [{ clientConfig }] = webhooks as [{ clientConfig: { caBundle: string } }];
      return Buffer.from(clientConfig.caBundle, "base64").toString();
    };
    cluster.api.serveService(
      NAMESPACE,
      "gadgets-webhook",
      forward(Number(port), `gadgets-webhook.${NAMESPACE}.svc`, ca),
    );
    await judges(client, "pod");
    const { data } = await client.get(Secret, { namespace: NAMESPACE, name: "gadgets-webhook" }) as {
      data: Record<string, string>;
    };
    assert.deepEqual(Object.keys(data).sort(), ["ca.crt", "tls.crt", "tls.key"]);
    const key = Buffer.from(data["tls.key"]!, "base64").toString().split("\n")[1]!;
    binary.kill("SIGTERM");
    const { code, out, err } = await binary.ended();
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(!out.includes(key), "no key is in the log");
  },
});
