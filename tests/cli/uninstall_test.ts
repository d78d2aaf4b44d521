import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { builtinKind, ConfigMap, Deployment, Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication, type ReplicationObject } from "../../lib/replicator/mod.ts";
import { runBinary } from "./binary.ts";
import { ACCOUNT, InstalledCluster } from "./installed_cluster.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";

const LimitRange = builtinKind({ group: "", version: "v1", kind: "LimitRange" });

/** Waits until the operator says that a Replication is ready. */
async function untilReady(cluster: InstalledCluster, namespace: string, name: string): Promise<void> {
  const stop = new AbortController();
  const options = { namespace, fieldSelector: `metadata.name=${name}`, signal: stop.signal };
  for await (const { object } of cluster.client.watch<ReplicationObject>(Replication, options)) {
    if (object.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return;
  }
}

/** Two Replications that an operator converged and then left: one deletes its copy, the other would leave it. */
async function replicated(cluster: InstalledCluster): Promise<{ from: string; to: string }> {
  const from = await cluster.namespace("from"), to = await cluster.namespace("to");
  await using operator = await cluster.start(["run", "--http-port", "0"]);
  await operator.until(/operator runs/);
  await cluster.replicate("deleted", from, to);
  await cluster.replicate("orphaned", from, to, { deletionPolicy: "Orphan" });
  for (const name of ["deleted", "orphaned"]) await untilReady(cluster, from, name);
  return { from, to };
}

// FR-220
Deno.test("uninstall leaves nothing of an installation, and reports that again when it is repeated", async () => {
  await using cluster = await InstalledCluster.open();
  assert.equal((await cluster.installed()).length, 7);
  const dry = await cluster.done("uninstall", "--dry-run");
  const would = [
    "customresourcedefinition replications.pintle.dev",
    "rolebinding pintle-system/pintle-replicator",
    "role pintle-system/pintle-replicator",
    "clusterrolebinding pintle-replicator",
    "clusterrole pintle-replicator",
    "serviceaccount pintle-system/pintle-replicator",
    "namespace pintle-system",
  ];
  assert.deepEqual(dry.slice(0, -1), would.map((name) => `${name} would be removed`));
  assert.equal((await cluster.installed()).length, 7, "a dry run removes nothing");
  const done = await cluster.done("uninstall");
  assert.deepEqual(done, [...would.map((name) => `${name} removed`), "pintle-replicator is uninstalled"]);
  assert.deepEqual(await cluster.installed(), []);
  assert.deepEqual(await cluster.done("uninstall"), ["nothing of pintle-replicator is in this cluster"]);
});

// FR-221
Deno.test("objects go only with consent; where no operator runs, this process cleans up after them", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, to } = await replicated(cluster);
  const refused = await cluster.run(["uninstall"]);
  assert.deepEqual([refused.code, refused.out], [2, ""]);
  assert.match(
    refused.err,
    /2 replications\.pintle\.dev would go with their kinds \(the copies of .*: that needs your agreement/,
  );
  assert.match(refused.err, /fix: agree with --delete-objects, or leave both in the cluster with --keep-crds/);
  assert.equal((await cluster.installed()).length, 7);
  const dry = (await cluster.done("uninstall", "--dry-run", "--delete-objects")).join("\n");
  assert.match(
    dry,
    /^note: the copies of a Replication go with it, or stay[\s\S]*2 replications\.pintle\.dev would be/,
  );
  assert.ok(await cluster.has(Replication, from, "deleted"));
  const said = (await cluster.done("uninstall", "--delete-objects")).join("\n");
  assert.match(said, /no operator runs in pintle-system, so this process cleans up/);
  assert.match(said, /2 replications\.pintle\.dev deleted\ncustomresourcedefinition \S+ removed/);
  assert.deepEqual(await cluster.installed(), []);
  assert.ok(!await cluster.has(ConfigMap, to, "deleted"));
  const left = await cluster.client.get(ConfigMap, { namespace: to, name: "orphaned" });
  assert.deepEqual(left.metadata?.annotations, { "pintle.dev/orphaned-by": `${from}/orphaned` });
});

for (const flags of [["--leader-election", "on"], ["--peering", "pintle-replicator"]]) {
  // FR-341
  Deno.test(`an operator that runs outside of the cluster (${flags[0]}) is seen by its Lease, and cleans up itself`, async () => {
    await using cluster = await InstalledCluster.open();
    await replicated(cluster);
    await using operator = await cluster.start(["run", "--http-port", "0", ...flags], { env: { HOSTNAME: "laptop" } });
    await operator.until(/operator runs/);
    const said = (await cluster.done("uninstall", "--delete-objects")).join("\n");
    assert.match(
      said,
      /deleting 2 replications\.pintle\.dev: operator laptop_\w+ runs outside of the cluster, as Lease \S+ /,
    );
    assert.doesNotMatch(said, /no operator runs/);
    assert.match(said, /2 replications\.pintle\.dev deleted/);
  });
}

// FR-221
Deno.test("an operator that works as a pod cleans up itself, and its Deployment goes before its rights", async () => {
  await using cluster = await InstalledCluster.open();
  const { to } = await replicated(cluster);
  const labels = { app: "operator" };
  const pod = { serviceAccountName: ACCOUNT.name, containers: [{ name: "operator", image: "pintle" }] };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } };
  await cluster.client.create<KubeObject>(Deployment, { metadata: ACCOUNT, spec } as KubeObject);
  await cluster.pod("operator-1");
  await using operator = await cluster.start(["run", "--http-port", "0"]);
  await operator.until(/operator runs/);
  const said = (await cluster.done("uninstall", "--delete-objects")).join("\n");
  assert.match(said, /deleting 2 replications\.pintle\.dev: pod operator-1 cleans up after them/);
  assert.match(said, /deployment pintle-system\/pintle-replicator removed\nrolebinding/);
  assert.match(said, /namespace pintle-system left: it contains pod pintle-system\/operator-1; --delete-namespace/);
  assert.ok(!await cluster.has(ConfigMap, to, "deleted"));
});

// FR-221
Deno.test("objects that do not go are named with what holds them, and nothing further goes", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, to } = await replicated(cluster);
  await cluster.pod("pretends-to-work");
  const stuck = await cluster.run(["uninstall", "--delete-objects", "--timeout", "300ms"]);
  assert.equal(stuck.code, 1);
  assert.match(
    stuck.err,
    /^pintle: replications\.pintle\.dev not gone after 300ms; nothing further was removed\n {2}\S+\/deleted: held by pintle\.dev\/pintle-replicator\n {2}\S+\/orphaned: held by/,
  );
  assert.match(stuck.err, /fix: .*deno run -A \S+ uninstall --delete-objects --release-finalizers\n$/);
  assert.equal((await cluster.installed()).length, 7);
  assert.ok(await cluster.has(Replication, from, "deleted"));
  const given = (await cluster.done("uninstall", "--delete-objects", "--release-finalizers")).join("\n");
  assert.match(given, /finalizer pintle\.dev\/pintle-replicator removed from 2 replications\.pintle\.dev/);
  assert.ok(!(await cluster.installed()).includes("CustomResourceDefinition replications.pintle.dev"));
  assert.ok(await cluster.has(ConfigMap, to, "deleted"), "no process cleaned up");
});

// FR-221
Deno.test("what a plain deletion of the manifests left hanging is cleaned up and brought to its end", async () => {
  await using cluster = await InstalledCluster.open();
  const { from, to } = await replicated(cluster);
  // As `kubectl delete -k` does: the operator goes with everything else, and its finalizers stay.
  await cluster.client.delete(CRDS, { name: "replications.pintle.dev" });
  await cluster.client.delete(Namespace, { name: ACCOUNT.namespace });
  assert.ok(await cluster.has(Replication, from, "deleted"), "it hangs");
  const said = (await cluster.done("uninstall", "--delete-objects")).join("\n");
  assert.match(
    said,
    /this process cleans up after them\n2 replications\.pintle\.dev deleted\ncustomresourcedefinition/,
  );
  assert.ok(!await cluster.has(ConfigMap, to, "deleted"));
  assert.ok(await cluster.has(ConfigMap, to, "orphaned"));
});

// FR-221
Deno.test("webhooks without a server go first: they would refuse every change, even one that lets an object go", async () => {
  await using cluster = await InstalledCluster.open();
  const { to } = await replicated(cluster);
  const labels = { "app.kubernetes.io/name": ACCOUNT.name };
  const secret = { namespace: ACCOUNT.namespace, name: `${ACCOUNT.name}-webhook` };
  await cluster.client.create<KubeObject>(Secret, { metadata: { ...secret, labels } });
  await cluster.webhook();
  const said = await cluster.done("uninstall", "--delete-objects");
  assert.equal(said[0], "validatingwebhookconfiguration pintle-replicator removed");
  assert.ok(said.includes(`secret ${secret.namespace}/${secret.name} removed`), said.join("\n"));
  assert.ok(!await cluster.has(ConfigMap, to, "deleted"));
  assert.deepEqual(await cluster.installed(), []);
});

// FR-221
Deno.test("--keep-crds keeps kinds and objects, and reports what an object without its operator waits for", async () => {
  await using cluster = await InstalledCluster.open();
  const { from } = await replicated(cluster);
  const said = (await cluster.done("uninstall", "--keep-crds")).join("\n");
  assert.match(said, /customresourcedefinition replications\.pintle\.dev kept/);
  assert.match(said, /note: 2 objects stay; one that is deleted waits until the operator runs again/);
  assert.deepEqual(await cluster.installed(), ["CustomResourceDefinition replications.pintle.dev"]);
  assert.ok(await cluster.has(Replication, from, "deleted"));
  const released = (await cluster.done("uninstall", "--keep-crds", "--release-finalizers")).join("\n");
  assert.match(released, /removed from 2 replications/);
  const { metadata } = await cluster.client.get(Replication, { namespace: from, name: "deleted" });
  assert.deepEqual(metadata?.finalizers ?? [], []);
});

// FR-222
Deno.test("a namespace that existed before stays, whatever its labels", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const name = ACCOUNT.namespace;
  await cluster.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await cluster.done("install");
  const { metadata } = await cluster.client.get(Namespace, { name });
  assert.equal(metadata?.labels?.["app.kubernetes.io/managed-by"], "pintle");
  const said = await cluster.done("uninstall");
  assert.ok(
    said.includes(
      "namespace pintle-system left: install did not create it; --delete-namespace deletes it with everything in it",
    ),
    said.join("\n"),
  );
  assert.deepEqual(await cluster.installed(), ["Namespace pintle-system"]);
  assert.deepEqual(await cluster.done("uninstall"), ["nothing of pintle-replicator is in this cluster"]);
});

// FR-222
Deno.test("a namespace with foreign objects in it stays, and --delete-namespace takes it all", async () => {
  await using cluster = await InstalledCluster.open();
  const theirs = { metadata: { namespace: ACCOUNT.namespace, name: "theirs" } } as KubeObject;
  await cluster.client.create(ConfigMap, theirs);
  const said = (await cluster.done("uninstall")).join("\n");
  assert.match(
    said,
    /namespace pintle-system left: it contains configmap pintle-system\/theirs; --delete-namespace deletes/,
  );
  assert.deepEqual(await cluster.installed(), ["Namespace pintle-system"]);
  assert.match((await cluster.done("uninstall", "--delete-namespace")).join("\n"), /namespace pintle-system removed/);
  assert.deepEqual(await cluster.installed(), []);
});

// FR-220
Deno.test("what is half installed goes as well, and what lacks the operator's label stays", async () => {
  await using cluster = await InstalledCluster.open();
  await cluster.client.delete(CRDS, { name: "replications.pintle.dev" });
  const rbac = { group: "rbac.authorization.k8s.io", version: "v1", kind: "ClusterRole", plural: "clusterroles" };
  const role = { ...rbac, namespaced: false };
  const labels = { "app.kubernetes.io/name": null };
  await cluster.client.patch(role, { name: ACCOUNT.name }, { type: "merge", body: { metadata: { labels } } });
  const said = (await cluster.done("uninstall")).join("\n");
  assert.match(
    said,
    /clusterrole pintle-replicator left: it lacks the label app\.kubernetes\.io\/name=pintle-replicator/,
  );
  assert.deepEqual(await cluster.installed(), ["ClusterRole pintle-replicator"]);
  await cluster.client.delete(role, { name: ACCOUNT.name });
});

// FR-222
Deno.test("an operator of foreign kinds takes its finalizers and records off, and leaves the objects", async () => {
  await using cluster = await InstalledCluster.open({ install: false });
  const namespace = await cluster.namespace("theirs"), main = "tests/cli/config_map_operator.ts";
  const key = { namespace, name: "held" }, annotations = { "example.com/theirs": "yes" };
  const theirs = { ...key, finalizers: ["example.com/theirs"], annotations };
  await cluster.client.create<KubeObject>(ConfigMap, { metadata: theirs });
  const held = { namespace, name: "selected" }, limits = [{ type: "Pod", max: { cpu: "1" } }];
  const selected = { metadata: { ...held, finalizers: ["pintle.dev/config-maps"] }, spec: { limits } };
  await cluster.client.create<KubeObject>(LimitRange, selected as KubeObject);
  assert.equal((await cluster.run(["install"], { main })).code, 0);
  {
    await using operator = await cluster.start(["run", "--http-port", "0"], { main });
    await operator.until(/handled .*name=held/);
    operator.kill("SIGTERM");
    await operator.ended();
  }
  const { metadata } = await cluster.client.get(ConfigMap, key);
  assert.deepEqual(metadata?.finalizers, ["example.com/theirs", "pintle.dev/config-maps"]);
  assert.deepEqual(Object.keys(metadata?.annotations ?? {}).length, 2);
  const dry = await cluster.run(["uninstall", "--dry-run"], { main });
  assert.match(
    dry.out,
    /finalizer pintle\.dev\/config-maps would be removed from \d+ configmaps\n[\s\S]*the operator's records would/,
  );
  const { code, out, err } = await cluster.run(["uninstall"], { main });
  assert.deepEqual([code, err], [0, ""]);
  assert.match(
    out,
    /finalizer pintle\.dev\/config-maps removed from \d+ configmaps\n[\s\S]*the operator's records removed from \d+ configmaps/,
  );
  const left = (await cluster.client.get(ConfigMap, key)).metadata;
  assert.deepEqual([left?.finalizers, left?.annotations], [theirs.finalizers, annotations]);
  assert.match(out, /finalizer pintle\.dev\/config-maps removed from 1 limitranges/);
  assert.deepEqual((await cluster.client.get(LimitRange, held)).metadata?.finalizers ?? [], []);
  await cluster.client.patch(ConfigMap, key, { type: "merge", body: { metadata: { finalizers: null } } });
});

// FR-220
Deno.test("an account elsewhere, contradicting flags and rights of another subject are reported, and nothing is deleted", async () => {
  await using cluster = await InstalledCluster.open();
  const cases: [string[], RegExp][] = [
    [["--namespace", "elsewhere"], /installed in namespace pintle-system, not in elsewhere\n {2}fix: give --namespace/],
    [["--timeout", "soon"], /--timeout: "soon" must be a duration like/],
    [["--namespace", "default", "--delete-namespace"], /namespace default is the cluster's own/],
    [["--delete-all"], /unknown option '--delete-all'/],
  ];
  for (const [flags, expected] of cases) {
    const { code, out, err } = await cluster.run(["uninstall", ...flags]);
    assert.deepEqual([code, out], [2, ""], err);
    assert.match(err, expected);
  }
  const KUBECONFIG = await cluster.strangersKubeconfig();
  const { code, err } = await cluster.run(["uninstall"], { env: { KUBECONFIG } });
  assert.equal(code, 1);
  assert.match(err, /grant it with this rule in a ClusterRole .*customresourcedefinitions.*get/);
  assert.equal((await cluster.installed()).length, 7);
});

// FR-221
Deno.test("a user who may delete but not watch cannot clean up: that is reported in time, and nothing is deleted", async () => {
  await using cluster = await InstalledCluster.open();
  const { from } = await replicated(cluster);
  const KUBECONFIG = await cluster.strangersKubeconfig([
    {
      apiGroups: ["apiextensions.k8s.io", "pintle.dev", "admissionregistration.k8s.io"],
      resources: ["*"],
      verbs: ["*"],
    },
    { apiGroups: ["rbac.authorization.k8s.io", "coordination.k8s.io", "apps"], resources: ["*"], verbs: ["*"] },
    { apiGroups: [""], resources: ["namespaces", "serviceaccounts", "pods", "configmaps"], verbs: ["*"] },
  ]);
  const { code, err } = await cluster.run(["uninstall", "--delete-objects", "--timeout", "300ms"], {
    env: { KUBECONFIG },
  });
  assert.equal(code, 1);
  assert.match(
    err,
    /^pintle: the operator did not start within 300ms, so nothing can clean up\n {2}fix: check that your account can watch/,
  );
  const { metadata } = await cluster.client.get(Replication, { namespace: from, name: "deleted" });
  assert.equal(metadata?.deletionTimestamp, undefined);
});

// FR-220
Deno.test("Ctrl-C while it waits ends uninstall with 130, and a server that is not there with 3", async () => {
  await using cluster = await InstalledCluster.open();
  const { from } = await replicated(cluster);
  await cluster.pod("pretends-to-work");
  {
    await using binary = await cluster.start(["uninstall", "--delete-objects"]);
    await binary.until(/pod pretends-to-work cleans up/);
    binary.kill("SIGINT");
    const { code, err } = await binary.ended();
    assert.deepEqual([code, err], [130, "pintle: interrupted\n"]);
  }
  assert.ok(await cluster.has(Replication, from, "deleted"));
  const file = await Deno.makeTempFile(), listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const server = `https://127.0.0.1:${listener.addr.port}`;
  listener.close();
  await Deno.writeTextFile(file, kubeconfigText(server));
  const { code, err } = await runBinary(["uninstall", "--kubeconfig", file]);
  assert.equal(code, 3, err);
  assert.match(err, /refused[\s\S]*fix: /);
  await Deno.remove(file);
});
