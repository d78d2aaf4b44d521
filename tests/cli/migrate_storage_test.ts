import type { ApiResource } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { Client } from "../../lib/client/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { openServedCluster } from "../served_cluster.ts";
import { type Ended, runBinary } from "./binary.ts";

const MAIN = "tests/cli/versions_operator.ts", NAME = "plans.versions.test.pintle.dev";
const plans = (version: string): ApiResource => ({
  group: "versions.test.pintle.dev",
  version,
  kind: "Plan",
  plural: "plans",
  namespaced: true,
});
const KEY = { namespace: "default", name: "a" };

// FR-253
Deno.test("a version is given up step by step: served beside the new one, migrated, left out", async () => {
  await using cluster = await openServedCluster();
  const client = new Client(cluster.transport(), { fieldManager: "test" });
  const run = (versions: string, ...args: string[]): Promise<Ended> =>
    runBinary([...args, "--kubeconfig", cluster.kubeconfigPath], { main: MAIN, env: { VERSIONS: versions } });
  const stored = async () =>
    ((await client.get(CRDS, { name: NAME })).status as { storedVersions: string[] }).storedVersions;
  try {
    assert.equal((await run("v1alpha1", "install")).code, 0);
    await client.create(plans("v1alpha1"), { metadata: KEY, spec: { size: 1 } } as never);

    const tooEarly = await run("v1", "install");
    assert.match(tooEarly.err, /storedVersions/, "the server keeps the version of what is stored");
    assert.equal((await run("v1,v1alpha1", "migrate-storage")).code, 2, "nothing is installed that stores v1");

    assert.equal((await run("v1,v1alpha1", "install")).code, 0);
    const before = await client.get(plans("v1"), KEY);
    assert.equal((await client.get(plans("v1alpha1"), KEY)).apiVersion, "versions.test.pintle.dev/v1alpha1");
    assert.deepEqual(await stored(), ["v1alpha1", "v1"]);

    const tried = await run("v1,v1alpha1", "migrate-storage", "--dry-run");
    assert.match(tried.out, /1 objects would be rewritten, in v1/);
    assert.deepEqual(await stored(), ["v1alpha1", "v1"]);

    const migrated = await run("v1,v1alpha1", "migrate-storage");
    assert.deepEqual([migrated.code, migrated.err], [0, ""]);
    assert.match(migrated.out, /1 objects are rewritten, in v1\n.*storedVersions is v1 now, and was v1alpha1, v1/);
    assert.deepEqual(await stored(), ["v1"]);
    const after = await client.get(plans("v1"), KEY);
    assert.deepEqual([after.spec, after.metadata!.uid], [before.spec, before.metadata!.uid]);
    assert.notEqual(after.metadata!.resourceVersion, before.metadata!.resourceVersion);
    assert.match((await run("v1,v1alpha1", "migrate-storage")).out, /is stored in v1 only/);

    assert.equal((await run("v1", "install")).code, 0);
    assert.deepEqual((await client.get(plans("v1"), KEY)).spec, { size: 1 });
    const { versions } = (await client.get(CRDS, { name: NAME })).spec as { versions: { name: string }[] };
    assert.deepEqual(versions.map(({ name }) => name), ["v1"]);
  } finally {
    const gone = await run("v1", "uninstall", "--delete-objects", "--delete-namespace");
    assert.equal(gone.code, 0, gone.err);
  }
});
