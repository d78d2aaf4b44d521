import type { ApiResource, DynamicObject } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { parseAllDocuments } from "yaml";
import { SystemClock } from "../../lib/base/mod.ts";
import { converterOf, CRDS } from "../../lib/admission/crd_conversion.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { Client, openTransport } from "../../lib/client/mod.ts";
import { openServedCluster } from "../served_cluster.ts";
import { Binary, DEMO_PERMISSIONS, type Ended, runBinary } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";
import { forward, isolated, startAsPod } from "./pod_place.ts";

const MAIN = "tests/cli/converting_operator.ts", NAME = "disks.converting.test.pintle.dev";
const NAMESPACE = "disks-system", KEY = { namespace: "default", name: "a" };
const disks = (version: string): ApiResource => ({
  group: "converting.test.pintle.dev",
  version,
  kind: "Disk",
  plural: "disks",
  namespaced: true,
});
const disk = (spec: object, metadata: object = KEY) => ({ metadata, spec }) as DynamicObject;

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A process outside of the cluster that converts at a URL. */
async function startAtUrl(kubeconfig: readonly string[]): Promise<Binary> {
  const port = String(freePort());
  const binary = await Binary.start(["run", "--http-port", "0", ...kubeconfig], {
    main: MAIN,
    env: {
      PINTLE_WEBHOOK_URL: `https://127.0.0.1:${port}`,
      PINTLE_WEBHOOK_PORT: port,
      PINTLE_WEBHOOK_HOST: "127.0.0.1",
    },
  });
  await binary.until(/webhooks are called/);
  return binary;
}

// FR-257
Deno.test("a version of other fields is given up step by step: converted beside the new one, migrated, left out", async () => {
  await using cluster = await openServedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "test" });
  const kubeconfig = ["--kubeconfig", cluster.kubeconfigPath];
  const run = (stage: number, ...args: string[]): Promise<Ended> =>
    runBinary([...args, ...kubeconfig], { main: MAIN, env: { STAGE: `${stage}` } });
  const crd = () => client.get<DynamicObject>(CRDS, { name: NAME });
  try {
    assert.equal((await run(1, "install")).code, 0);
    await client.create(disks("v1"), disk({ gibibytes: 2 }));
    const installed = await run(2, "install", "--skip-webhooks");
    assert.equal(installed.code, 0, installed.err);
    const { service, caBundle } = converterOf(await crd()) ?? {};
    assert.deepEqual([service?.namespace, service?.name, caBundle], [NAMESPACE, "disks-webhook", undefined]);
    const early = await run(2, "migrate-storage");
    assert.deepEqual([early.code, /conversion webhook for/.test(early.err)], [1, true], early.err);

    await using binary = await startAtUrl(kubeconfig);
    assert.deepEqual((await client.get<DynamicObject>(disks("v2"), KEY)).spec, { mebibytes: 2048 });
    assert.equal((await run(2, "install", "--skip-webhooks")).code, 0);
    assert.match(converterOf(await crd())?.url ?? "", /^https:\/\/127\.0\.0\.1:/, "it goes on being asked");
    const migrated = await run(2, "migrate-storage");
    assert.deepEqual([migrated.code, migrated.err], [0, ""]);
    assert.match(migrated.out, /1 objects are rewritten, in v2\n.*storedVersions is v2 now, and was v1, v2/);
    binary.kill("SIGTERM");
    assert.equal((await binary.ended()).code, 0);

    // Without a converter, objects that are stored in the present version can still be read.
    assert.deepEqual((await client.get<DynamicObject>(disks("v2"), KEY)).spec, { mebibytes: 2048 });
    await assert.rejects(client.get(disks("v1"), KEY), /conversion webhook for/);
    const last = await run(3, "install");
    assert.equal(last.code, 0, last.err);
    const { conversion, versions } = (await crd()).spec as { conversion: object; versions: { name: string }[] };
    assert.deepEqual([conversion, versions.map(({ name }) => name)], [{ strategy: "None" }, ["v2"]]);
    assert.deepEqual((await client.get<DynamicObject>(disks("v2"), KEY)).spec, { mebibytes: 2048 });
  } finally {
    const gone = await run(3, "uninstall", "--delete-objects", "--delete-namespace");
    assert.equal(gone.code, 0, gone.err);
  }
});

// FR-257
Deno.test("manifests bring the Service of a kind that is converted, and exactly the rights to have it trusted", async () => {
  const { code, out } = await runBinary(["manifests"], { main: MAIN });
  assert.equal(code, 0);
  const objects = parseAllDocuments(out).map((document) => document.toJS() as DynamicObject);
  const find = (kind: string) => objects.filter((object) => object.kind === kind);
  assert.deepEqual(converterOf(find("CustomResourceDefinition")[0]!), {
    service: { namespace: NAMESPACE, name: "disks-webhook", path: "/convert", port: 443 },
  });
  assert.deepEqual(find("Service").map(({ metadata }) => metadata?.name), ["disks-webhook"]);
  const rules = (kind: string, resource: string) =>
    (find(kind)[0]!.rules as { resources: string[] }[]).filter(({ resources }) => resources.includes(resource));
  assert.deepEqual(rules("ClusterRole", "customresourcedefinitions"), [{
    apiGroups: ["apiextensions.k8s.io"],
    resources: ["customresourcedefinitions"],
    verbs: ["get", "patch"],
    resourceNames: [NAME],
  }]);
  assert.deepEqual(rules("Role", "secrets"), [
    { apiGroups: [""], resources: ["secrets"], verbs: ["get", "update"], resourceNames: ["disks-webhook"] },
    { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
  ]);
  const plain = await runBinary(["manifests"], { main: MAIN, env: { STAGE: "3" } });
  assert.doesNotMatch(plain.out, /kind: Service$|customresourcedefinitions|conversion:/m);
});

// FR-257
Deno.test("an installation behind its Service takes a kind back from a URL", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  const install = (...more: string[]) => runBinary(["install", ...more, ...kubeconfig], { main: MAIN });
  assert.equal((await install("--skip-webhooks")).code, 0);
  await using binary = await startAtUrl(kubeconfig);
  binary.kill("SIGTERM");
  await binary.ended();
  const dry = await install("--dry-run");
  assert.equal(dry.code, 0, dry.err);
  const crd = async () => converterOf(await cluster.client.get<DynamicObject>(CRDS, { name: NAME }));
  assert.ok((await crd())?.url);
  assert.equal((await install()).code, 0);
  assert.deepEqual(await crd(), {
    service: { namespace: NAMESPACE, name: "disks-webhook", path: "/convert", port: 443 },
  });
  // As its leader would have it: from then on no process elsewhere takes it over.
  const trusting = { spec: { conversion: { webhook: { clientConfig: { caBundle: btoa(cluster.door.authority) } } } } };
  await cluster.client.patch(CRDS, { name: NAME }, { type: "merge", body: trusting });
  const env = { PINTLE_WEBHOOK_URL: "https://127.0.0.1:1", PINTLE_WEBHOOK_PORT: "0" };
  const { code, err } = await runBinary(["run", "--http-port", "0", ...kubeconfig], { main: MAIN, env });
  assert.deepEqual([code, /are installed in this cluster, behind a Service/.test(err)], [2, true], err);
});

// FR-257
Deno.test("on an embedded cluster objects are converted for kubectl's way in", async () => {
  await using binary = await Binary.start(["run", "--cluster", "embedded", "--http-port", "0"], {
    main: MAIN,
    permissions: DEMO_PERMISSIONS,
  });
  const [, path] = await binary.until(/kubeconfig=(\S+)/);
  await binary.until(/webhooks are called/);
  const { server, credentials } = await loadKubeconfig({ paths: [path!], clock: new SystemClock() });
  const transport = openTransport({ server, credentials }), client = new Client(transport, { fieldManager: "test" });
  await client.create(disks("v1"), disk({ gibibytes: 3 }));
  assert.deepEqual((await client.get<DynamicObject>(disks("v2"), KEY)).spec, { mebibytes: 3072 });
  transport.close();
});

// FR-257
Deno.test("doctor names a kind without a trusted or reachable converter, before a client fails", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  assert.equal((await runBinary(["install", ...kubeconfig], { main: MAIN })).code, 0);
  const doctor = () => runBinary(["doctor", ...kubeconfig], { main: MAIN });
  const found = async (pattern: RegExp) => assert.match((await doctor()).out, pattern);
  await found(/problem: conversion: disks\.\S+: the caBundle is empty, so API servers trust no response/);
  const ended = issueServing(["nobody"], Date.parse("2020-01-01T00:00:00Z"), 86_400_000).authority;
  const former = { spec: { conversion: { webhook: { clientConfig: { caBundle: btoa(ended) } } } } };
  await cluster.client.patch(CRDS, { name: NAME }, { type: "merge", body: former });
  await found(/problem: conversion: disks\.\S+: the CA certificate in the caBundle expired at 2020-01-02T/);
  const trusting = { spec: { conversion: { webhook: { clientConfig: { caBundle: btoa(cluster.door.authority) } } } } };
  await cluster.client.patch(CRDS, { name: NAME }, { type: "merge", body: trusting });
  await found(/ok: conversion: disks\.\S+: there is nothing to convert yet/);
  await cluster.client.create(disks("v2"), disk({ mebibytes: 1 }));
  await found(/problem: conversion: disks\.\S+: objects are refused in v1.*conversion webhook for/);
  const kept = await runBinary(["uninstall", "--keep-crds", ...kubeconfig], { main: MAIN });
  assert.deepEqual([kept.code, kept.err], [0, ""]);
  assert.match(kept.out, /note: disks\.\S+ is served in v2 only, until the operator runs again/);
});

// FR-257
Deno.test("plan and uninstall report stored objects without a converter, and uninstall can do without", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
  const run = (stage: number, ...args: string[]) =>
    runBinary([...args, ...kubeconfig], { main: MAIN, env: { STAGE: `${stage}` } });
  assert.equal((await run(1, "install")).code, 0);
  const finalizers = ["converting.test.pintle.dev/disks"];
  await cluster.client.create(disks("v1"), disk({ gibibytes: 1 }, { ...KEY, finalizers }));
  assert.equal((await run(2, "install")).code, 0);
  const planned = await run(2, "plan");
  assert.deepEqual([planned.code, /conversion webhook for/.test(planned.err)], [1, true], planned.err);
  const refused = await run(2, "uninstall", "--delete-objects");
  assert.equal(refused.code, 2, refused.err);
  assert.match(refused.err, /cannot be listed: .*conversion webhook[^]*let the operator run, which converts them/);
  const { code, err } = await run(2, "uninstall", "--delete-objects", "--release-finalizers");
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(await cluster.client.find(CRDS, { name: NAME }), undefined);
});

Deno.test({
  name:
    // FR-256
    "in a pod's place run converts what a release of before has stored, before it leads, with the rights of its account",
  ignore: !isolated, // this machine gives no mount namespace to stand in for a pod
  fn: async () => {
    await using cluster = await HttpsCluster.open({ bare: true });
    const { client } = cluster, kubeconfig = ["--kubeconfig", await cluster.kubeconfig()];
    const install = (STAGE: string) => runBinary(["install", ...kubeconfig], { main: MAIN, env: { STAGE } });
    assert.equal((await install("1")).code, 0);
    await client.create(disks("v1"), disk({ gibibytes: 2 }));
    assert.equal((await install("2")).code, 0);
    await using binary = await startAsPod(cluster, { main: MAIN, account: { namespace: NAMESPACE, name: "disks" } });
    const [, http] = await binary.until(/health and metrics are served.* port=(\d+)/);
    const [, port] = await binary.until(/webhooks are served.* port=(\d+)/);
    const ready = await fetch(`http://127.0.0.1:${http}/readyz?verbose`);
    assert.deepEqual([ready.status, /webhooks ok/.test(await ready.text())], [200, true]);
    assert.doesNotMatch(binary.out, /operator runs/, "its store waits for a conversion");
    const ca = async () => {
      const asked = converterOf(await client.get<DynamicObject>(CRDS, { name: NAME }));
      return Buffer.from(asked?.caBundle ?? "", "base64").toString();
    };
    cluster.api.serveService(NAMESPACE, "disks-webhook", forward(Number(port), `disks-webhook.${NAMESPACE}.svc`, ca));
    await binary.until(/operator runs/);
    assert.deepEqual((await client.get<DynamicObject>(disks("v2"), KEY)).spec, { mebibytes: 2048 });
    const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
    assert.match(metrics, /_requests_total\{webhook="\/convert",code="200"\} [1-9]/);
    assert.equal((await install("2")).code, 0);
    assert.match(await ca(), /CERTIFICATE/, "installed again it is trusted as before");
    binary.kill("SIGTERM");
    const { code, err } = await binary.ended();
    assert.deepEqual([code, err], [0, ""]);
  },
});
