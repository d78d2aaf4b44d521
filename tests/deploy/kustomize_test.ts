import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { type Ended, findProgram, runProgram, testWith } from "../outside_program.ts";
import { openServedCluster, type ServedCluster } from "../served_cluster.ts";
import { runBinary } from "../cli/binary.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const KUBECTL = await findProgram("kubectl", [Deno.env.get("KUBEBUILDER_ASSETS")]);
const MISSING = KUBECTL ? undefined : "there is no kubectl in KUBEBUILDER_ASSETS or PATH";
const FOLDERS = ["base", "overlays/dev", "overlays/prod", "overlays/tilt"];

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // deno-lint-ignore no-explicit-any -- manifests of any kind
  readonly spec?: any;
}

async function kustomize(folder: string): Promise<{ text: string; objects: Manifest[] }> {
  // FR-191
  const { code, out, err } = await runProgram(KUBECTL!, ["kustomize", `${ROOT}deploy/${folder}`]);
  assert.deepEqual([code, err], [0, ""], folder);
  return { text: out, objects: parseAllDocuments(out).map((document) => document.toJS() as Manifest) };
}

function kubectl(cluster: ServedCluster, args: readonly string[], stdin: string): Promise<Ended> {
  return runProgram(KUBECTL!, ["--kubeconfig", cluster.kubeconfigPath, ...args, "-f", "-"], { stdin });
}

for (const folder of FOLDERS) {
  testWith(MISSING, `deploy/${folder} applies, checked by the server and without a warning`, async () => {
    await using cluster = await openServedCluster();
    const { text, objects } = await kustomize(folder);
    // A dry run makes no namespace, so it has to be there; Pod Security warns of every pod that is not restricted.
    const namespace = JSON.stringify({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "pintle-system", labels: { "pod-security.kubernetes.io/warn": "restricted" } },
    });
    assert.equal((await kubectl(cluster, ["apply", "--server-side"], namespace)).code, 0);
    const { code, out, err } = await kubectl(cluster, [
      "apply",
      "--server-side",
      "--force-conflicts",
      "--dry-run=server",
    ], text);
    assert.deepEqual([code, err], [0, ""]);
    assert.equal(out.trim().split("\n").length, objects.length);
  });
}

testWith(
  MISSING,
  // FR-191
  "pods have no privileges, a read-only root, probes, limits and a grace longer than the operator's own",
  async () => {
    for (const folder of ["base", "overlays/dev", "overlays/prod"]) {
      const { objects } = await kustomize(folder);
      const { spec: { template: { spec: pod } } } = objects.find(({ kind }) => kind === "Deployment")!;
      assert.equal(pod.securityContext.runAsNonRoot, true, folder);
      assert.equal(pod.securityContext.seccompProfile.type, "RuntimeDefault");
      assert.equal(pod.enableServiceLinks, false);
      assert.ok(pod.terminationGracePeriodSeconds > 25);
      for (const { securityContext, resources, livenessProbe, readinessProbe } of pod.containers) {
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory);
        assert.deepEqual([livenessProbe.httpGet.path, readinessProbe.httpGet.path], ["/livez", "/readyz"]);
      }
    }
  },
);

testWith(MISSING, "one replica replaces the other in base, two elect a leader in prod", async () => {
  const deployment = async (folder: string) =>
    (await kustomize(folder)).objects.find(({ kind }) => kind === "Deployment")!.spec;
  const base = await deployment("base"), prod = await deployment("overlays/prod");
  const env = (spec: typeof base) =>
    spec.template.spec.containers[0].env.map(({ name, value }: Record<string, string>) => `${name}=${value}`);
  assert.deepEqual([base.replicas, base.strategy.type], [1, "Recreate"]);
  assert.ok(!env(base).includes("PINTLE_LEADER_ELECTION=on"));
  assert.deepEqual([prod.replicas, prod.strategy.type], [2, "RollingUpdate"]);
  assert.ok(env(prod).includes("PINTLE_LEADER_ELECTION=on"));
  assert.ok(env(prod).includes("PINTLE_PEERING=pintle-replicator"));
});

// FR-193
testWith(MISSING, "the settings of every overlay are settings", async () => {
  for (const folder of FOLDERS) {
    const { objects } = await kustomize(folder);
    const { spec } = objects.find(({ kind }) => kind === "Deployment")!;
    // The one field that a pod is given here is its namespace.
    const env = spec.template.spec.containers[0].env.map((
      { name, value = "pintle-system" }: Record<string, string>,
    ) => [
      name,
      value,
    ]);
    const { code, err } = await runBinary(["config"], { env: Object.fromEntries(env) });
    assert.deepEqual([code, err], [0, ""], folder);
  }
});

testWith(MISSING, "the monitoring component renders beside an overlay", async () => {
  const folder = await Deno.makeTempDir({ dir: `${ROOT}deploy`, prefix: ".test-" });
  try {
    const kustomization = { resources: ["../overlays/prod"], components: ["../components/monitoring"] };
    await Deno.writeTextFile(`${folder}/kustomization.yaml`, JSON.stringify(kustomization));
    const { objects } = await kustomize(folder.slice(`${ROOT}deploy/`.length));
    const kinds = objects.map(({ kind }) => kind);
    for (const kind of ["ServiceMonitor", "PrometheusRule", "ConfigMap"]) assert.ok(kinds.includes(kind), kind);
    for (const { kind, metadata } of objects.filter(({ kind }) => kind === "ServiceMonitor" || kind === "ConfigMap")) {
      assert.equal(metadata.namespace, "pintle-system", kind);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// FR-190
Deno.test("deploy/base matches what the operator declares", async () => {
  const { code, out, err } = await runBinary(["manifests", "--check", `${ROOT}deploy/base`]);
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /deploy\/base matches what the operator declares/);
});

// FR-190
Deno.test("a folder that differs is reported object by object and field by field, with the command that fixes it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const written = await runBinary(["manifests", "--output", folder], {
      permissions: ["--allow-env", "--allow-write"],
    });
    assert.equal(written.code, 0, written.err);
    assert.equal((await runBinary(["manifests", "--check", folder])).code, 0);
    const rbac = await Deno.readTextFile(`${folder}/rbac.yaml`);
    await Deno.writeTextFile(
      `${folder}/rbac.yaml`,
      rbac.replace("- watch", "- escalate").replace("kind: ServiceAccount\n", "kind: Secret\n"),
    );
    const { code, err } = await runBinary(["manifests", "--check", folder]);
    assert.equal(code, 1);
    assert.match(err, /^ServiceAccount pintle-system\/pintle-replicator is missing$/m);
    assert.match(err, /^ClusterRole pintle-replicator: rules\.\S+\.watch is missing$/m);
    assert.match(err, /^ClusterRole pintle-replicator: rules\.\S+\.escalate is not declared$/m);
    assert.match(err, /^Secret pintle-system\/pintle-replicator is not declared$/m);
    assert.match(err, /fix: deno run -A \S+ manifests --output/);
    await Deno.remove(`${folder}/crds.yaml`);
    const missing = await runBinary(["manifests", "--check", folder]);
    assert.equal(missing.code, 2);
    assert.match(missing.err, /cannot read .*crds\.yaml/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(MISSING, "the samples are taken by a server that has the CRD", async () => {
  await using cluster = await openServedCluster();
  const crds = await Deno.readTextFile(`${ROOT}deploy/base/crds.yaml`);
  assert.equal((await kubectl(cluster, ["apply", "--server-side"], crds)).code, 0);
  await kubectl(cluster, ["wait", "--for=condition=Established", "--timeout=60s"], crds);
  for await (const { name } of Deno.readDir(`${ROOT}deploy/samples`)) {
    const text = await Deno.readTextFile(`${ROOT}deploy/samples/${name}`);
    const { code, err } = await kubectl(cluster, ["apply", "--server-side"], text);
    assert.deepEqual([code, err], [0, ""], name);
    // No operator runs, so nothing holds them; the next test's operator must not find them.
    assert.equal((await kubectl(cluster, ["delete", "--wait=false", "--ignore-not-found"], text)).code, 0);
  }
});
