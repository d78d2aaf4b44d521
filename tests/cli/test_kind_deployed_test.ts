import assert from "node:assert/strict";
import type { DynamicObject, KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, Namespace } from "../../lib/operator/mod.ts";
import { Deployment } from "../../lib/operator/builtin_kinds.ts";
import { kindOf, operatorRoot } from "./fake_kind.ts";
import type { HttpsCluster } from "./https_cluster.ts";
import { readyAtOnce } from "./ready_at_once.ts";

const MAIN = "tests/cli/patient_operator.ts";
const DEPLOYED = ["test", "--cluster", "kind", "--filter", "it passes", "--reuse", "--deployed", "--image", "mine:1"];
const MACHINE = { images: ["mine:1"], clusters: ["pintle-test"], node: ["kindnetd:1"] };
const KEY = { namespace: "patient-system", name: "patient" };

/** What stays the same while an object is not written. */
async function versions(cluster: HttpsCluster): Promise<(string | undefined)[]> {
  const found = [
    await cluster.client.find<KubeObject>(Namespace, { name: KEY.namespace }),
    await cluster.client.find<KubeObject>(ConfigMap, KEY),
  ];
  return found.map((object) => object?.metadata?.resourceVersion);
}

/** Puts something of the operator into a cluster before a run. */
async function put(cluster: HttpsCluster, mode: string): Promise<void> {
  await cluster.namespace(KEY.namespace);
  await cluster.client.create<DynamicObject>(ConfigMap as never, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { ...KEY, labels: { of: "somebody" } },
    data: { mode },
  } as DynamicObject);
}

// FR-174
Deno.test("a deployed run takes from a cluster what it put there, and nothing that was there before", async () => {
  await using given = await kindOf(MACHINE);
  await using root = await operatorRoot();
  const { machine, cluster } = given;
  await put(cluster, "patient");
  const before = await versions(cluster);
  await using _ready = readyAtOnce(cluster.client);
  const { code, out, err } = await machine.run(DEPLOYED, { main: MAIN, env: { PATIENT_ROOT: root.path } });
  assert.deepEqual([code, err], [0, ""], out);
  assert.match(out, /operator deployed[^]*\n1 passed, 0 failed\n$/);
  assert.deepEqual(await versions(cluster), before);
  assert.deepEqual((await cluster.client.list(Deployment)).items, []);
  await machine.assertClean(MACHINE);
});

// FR-174
Deno.test("where something of the operator is there and differs, the run is exit 2 and touches nothing", async () => {
  await using given = await kindOf(MACHINE);
  await using root = await operatorRoot();
  const { machine, cluster } = given;
  await put(cluster, "impatient");
  const before = await versions(cluster);
  const { code, err } = await machine.run(DEPLOYED, { main: MAIN, env: { PATIENT_ROOT: root.path } });
  assert.equal(code, 2);
  assert.match(
    err,
    /^patient: ConfigMap patient-system\/patient is in this cluster already, and not as this operator declares it\n {2}fix: /,
  );
  assert.deepEqual(await versions(cluster), before);
  assert.deepEqual((await cluster.client.list(Deployment)).items, []);
  await machine.assertClean(MACHINE);
});

// FR-174
Deno.test("a deployed run without an image and without a bundle names how to get one: exit 2", async () => {
  await using given = await kindOf(MACHINE);
  await using root = await operatorRoot();
  await Deno.remove(`${root.path}/main.js`);
  const { machine } = given, withoutImage = DEPLOYED.slice(0, DEPLOYED.indexOf("--image"));
  const { code, err } = await machine.run(withoutImage, { main: MAIN, env: { PATIENT_ROOT: root.path } });
  assert.equal(code, 2);
  assert.match(
    err,
    /there is no bundle to build an image from\n {2}fix: build an image \(`docker build`\) and name it by --image/,
  );
  await machine.assertClean(MACHINE);
});

// FR-174
Deno.test("an operator that runs in the cluster already is not the one to test: exit 2", async () => {
  await using given = await kindOf(MACHINE);
  await using root = await operatorRoot();
  const { machine, cluster } = given;
  await cluster.namespace(KEY.namespace);
  const labels = { app: "patient" },
    template = {
      metadata: { labels },
      spec: { serviceAccountName: "patient", containers: [{ name: "operator", image: "mine:1" }] },
    };
  const spec = { selector: { matchLabels: labels }, template };
  await cluster.client.create(Deployment, { apiVersion: "apps/v1", kind: "Deployment", metadata: KEY, spec });
  const { code, err } = await machine.run(DEPLOYED, { main: MAIN, env: { PATIENT_ROOT: root.path } });
  assert.deepEqual([code, /Deployment patient-system\/patient is in this cluster already/.test(err)], [2, true], err);
  assert.equal((await cluster.client.list(Deployment)).items.length, 1);
  await machine.assertClean(MACHINE);
});
