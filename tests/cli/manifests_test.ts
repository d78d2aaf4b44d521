import assert from "node:assert/strict";
import { parse, parseAllDocuments } from "yaml";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { HttpsCluster, INSTALLATION } from "./https_cluster.ts";
import { Binary, DEMO_PERMISSIONS, RUN_PERMISSIONS, runBinary } from "./binary.ts";

async function printed(...args: string[]): Promise<string> {
  const { code, out, err } = await runBinary(["manifests", ...args], { permissions: ["--allow-env"] });
  assert.deepEqual([code, err], [0, ""]);
  return out;
}

/** Every object of the installation as the cluster has it. */
function stored({ client }: HttpsCluster): Promise<DynamicObject[]> {
  return Promise.all(INSTALLATION.map(({ resource, object }) => {
    const { name, namespace } = object.metadata!;
    return client.get<DynamicObject>(resource, { name: name!, namespace });
  }));
}

// FR-76
Deno.test("manifests prints what install applies, object for object and in its order", async () => {
  for (const version of ["1.1", "1.2"] as const) {
    const documents = parseAllDocuments(await printed(), { version }).map((document) => document.toJS());
    assert.deepEqual(documents, JSON.parse(JSON.stringify(INSTALLATION.map(({ object }) => object))));
  }
});

// FR-76
Deno.test("a server that reads the printed YAML has what install would have made: install then changes nothing", async () => {
  await using cluster = await HttpsCluster.open({ bare: true });
  const texts = (await printed()).split(/^---\n/m);
  for (const [at, { resource, object }] of INSTALLATION.entries()) {
    const { name, namespace } = object.metadata!;
    const prefix = resource.group === "" ? "/api/v1" : `/apis/${resource.group}/v1`;
    const path = `${prefix}${namespace ? `/namespaces/${namespace}` : ""}/${resource.plural}/${name}`;
    const answer = await cluster.api.transport().fetch(`${path}?fieldManager=pintle-replicator-install`, {
      method: "PATCH",
      headers: { "content-type": "application/apply-patch+yaml" },
      body: texts[at],
    });
    assert.ok(answer.ok, await answer.text());
  }
  const before = await stored(cluster);
  const { code, err } = await runBinary(["install", "--kubeconfig", await cluster.kubeconfig()]);
  assert.equal(code, 0, err);
  assert.deepEqual(await stored(cluster), before);
});

// FR-76
Deno.test("names that YAML 1.1 takes for something else stay names", async () => {
  for (const namespace of ["on", "y", "123", "1e3", "0x10", "1-2"]) {
    const documents = parseAllDocuments(await printed("--namespace", namespace), { version: "1.1" });
    const made = documents.map((document) => document.toJS()).find(({ kind }) => kind === "Namespace");
    assert.equal(made.metadata.name, namespace);
  }
});

const kubectl = await new Deno.Command("kubectl", { args: ["version", "--client"], stdout: "null", stderr: "null" })
  .output().then(({ success }) => success, () => false);

Deno.test({
  // FR-76
  name: "what kubectl applies of it is enough for the ServiceAccount to run",
  ignore: !kubectl, // there is none on this machine
  fn: async () => {
    await using cluster = await HttpsCluster.open({ bare: true });
    const manifest = await cluster.file("manifest.yaml", await printed());
    const { success, stderr } = await new Deno.Command("kubectl", {
      args: ["--kubeconfig", await cluster.kubeconfig(), "apply", "-f", manifest],
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    const kubeconfig = await cluster.kubeconfig({ user: { token: await cluster.token() } });
    await using binary = await Binary.start(["run", "--kubeconfig", kubeconfig, "--http-port", "0"]);
    await binary.until(/operator runs/);
    binary.kill("SIGINT");
    assert.equal((await binary.ended()).code, 0);
  },
});

// FR-433
Deno.test("--output beside a file that is no kustomization is exit 2, names the file and writes nothing", async () => {
  const folder = await Deno.makeTempDir(), permissions = [...RUN_PERMISSIONS, "--allow-write"];
  try {
    for (const text of [":::bad", "[]", "resources: hello", "resources: {}", "a: [b"]) {
      await Deno.writeTextFile(`${folder}/kustomization.yaml`, text);
      const { code, err } = await runBinary(["manifests", "--output", folder], {
        main: "tests/cli/config_map_operator.ts",
        permissions,
      });
      assert.equal(code, 2, text);
      assert.match(err, /\/kustomization\.yaml is not (a kustomization|YAML)/, text);
    }
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["kustomization.yaml"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// FR-76
Deno.test("--output makes the folder that it names, and says what to do where a file has that name", async () => {
  const folder = await Deno.makeTempDir(), permissions = DEMO_PERMISSIONS;
  try {
    const made = await runBinary(["manifests", "--output", `${folder}/deploy/base`], { permissions });
    assert.deepEqual([made.code, made.err], [0, ""]);
    assert.equal((await runBinary(["manifests", "--check", `${folder}/deploy/base`])).code, 0);
    for (const option of ["--output", "--helm", "--check"]) {
      const path = `${folder}/deploy/base/rbac.yaml`;
      const { code, err } = await runBinary(["manifests", option, path], { permissions });
      assert.equal(code, 2, err);
      assert.match(err, /cannot read .*rbac\.yaml\/.*\n {2}fix: name a folder\n$/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// FR-336
Deno.test("--check sees files of which nothing is declared any more, and --output removes those that it wrote", async () => {
  const folder = await Deno.makeTempDir(), permissions = [...RUN_PERMISSIONS, "--allow-write"];
  const manifests = (...args: string[]) =>
    runBinary(["manifests", ...args, folder], { main: "tests/cli/config_map_operator.ts", permissions });
  const list = (resources: string[]) =>
    Deno.writeTextFile(`${folder}/kustomization.yaml`, JSON.stringify({ resources }));
  const stale = "# Written by `config-maps manifests --output`: change the operator instead.\n" + await printed();
  try {
    assert.equal((await manifests("--output")).code, 0);
    await Deno.writeTextFile(`${folder}/crds.yaml`, stale);
    await Deno.writeTextFile(`${folder}/webhooks.yaml`, "# kept by hand\n");
    await list(["crds.yaml", "namespace.yaml", "rbac.yaml", "webhooks.yaml"]);
    const checked = await manifests("--check");
    assert.equal(checked.code, 1);
    assert.match(checked.err, /^CustomResourceDefinition replications\.pintle\.dev is not declared$/m);
    assert.match(checked.err, /^kustomization\.yaml lists crds\.yaml, which the operator does not declare$/m);
    const written = await manifests("--output");
    assert.equal(written.code, 0, written.err);
    assert.match(written.out, /crds\.yaml removed$/m);
    assert.match(written.err, /webhooks\.yaml is kept: the operator does not declare it/);
    assert.match(written.err, /kustomization\.yaml lists webhooks\.yaml, which is not declared/);
    assert.match(written.out, /kustomization\.yaml: -crds\.yaml$/m);
    const listed = await Deno.readTextFile(`${folder}/kustomization.yaml`);
    assert.deepEqual(parse(listed).resources, ["namespace.yaml", "rbac.yaml", "webhooks.yaml"]);
    assert.equal(await Deno.readTextFile(`${folder}/webhooks.yaml`), "# kept by hand\n");
    await list(["namespace.yaml", "rbac.yaml"]);
    assert.equal((await manifests("--check")).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// FR-76
Deno.test("a program of another name speaks of itself: in its fixes, its namespace and its labels", async () => {
  const widgets = { main: "examples/widgets/main.ts" };
  await using cluster = await HttpsCluster.open({ bare: true });
  const { code, err } = await runBinary(["run", "--kubeconfig", await cluster.kubeconfig()], widgets);
  assert.equal(code, 1);
  assert.match(err, /widgets\.shop\.example\.com[\s\S]*run `deno run -A \S+ install` as an admin/);
  const { out } = await runBinary(["manifests"], widgets);
  assert.match(out, /namespace: widgets-system/);
  const clone = new URL("../../", import.meta.url).pathname; // which may be called pintle
  assert.doesNotMatch(`${err}${out}`.replaceAll(clone, ""), /pintle/);
});
