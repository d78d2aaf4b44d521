import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { CRDS } from "../../lib/admission/mod.ts";
import type { ApiResource, DynamicObject } from "../../lib/apimachinery/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { CertificateAuthority } from "../../lib/base/certificates.ts";
import { Deployment, Namespace, ServiceAccount } from "../../lib/mod.ts";
import { Binary, runBinary } from "../cli/binary.ts";
import { HttpsCluster } from "../cli/https_cluster.ts";
import { runProgram, testWith } from "../outside_program.ts";
import { openServedCluster } from "../served_cluster.ts";
import { buildGoProgram, GO_MISSING } from "./go_program.ts";

/** Programs whose charts are tested: webhooks and conversion, webhooks alone, the shipped one, one without kinds. */
const PROGRAMS = [
  "tests/cli/braces_operator.ts",
  "tests/cli/webhook_operator.ts",
  "main.ts",
  "tests/cli/config_map_operator.ts",
];
const BRACES = PROGRAMS[0]!;

/** An authority as the leader of replicas would put it into a configuration. */
const CERTIFICATE = new CertificateAuthority(Date.now()).certificate;

let building: Promise<string> | undefined;

/** Helm itself, built once from pinned modules. */
function built(): Promise<string> {
  return building ??= buildGoProgram("helm", "helm.sh/helm/v4/cmd/helm");
}

/** A folder with an operator's chart, and Helm with files of its own in it. */
class Charts implements AsyncDisposable {
  private constructor(readonly folder: string, readonly program: string, readonly helmPath: string) {}

  static async of(program: string): Promise<Charts> {
    const charts = new Charts(await Deno.makeTempDir({ prefix: "pintle-helm-" }), program, await built());
    await charts.print("--helm", `${charts.folder}/chart`);
    return charts;
  }

  /** What `manifests` prints. */
  async print(...args: string[]): Promise<string> {
    const { code, out, err } = await runBinary(["manifests", ...args], { main: this.program, permissions: ["-A"] });
    assert.equal(code, 0, err);
    return out;
  }

  async helm(...args: string[]): Promise<string> {
    const env = { HELM_CACHE_HOME: this.folder, HELM_CONFIG_HOME: this.folder, HELM_DATA_HOME: this.folder };
    const { code, out, err } = await runProgram(this.helmPath, args, { cwd: this.folder, env });
    assert.equal(code, 0, `helm ${args.join(" ")}\n${err}${out}`);
    return out;
  }

  /** The objects of a release, by kind and name. */
  async rendered(...values: string[]): Promise<Map<string, DynamicObject>> {
    return byName(await this.helm("template", "a-release", "chart", "--namespace", "on", ...values));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Objects as a server reads them from YAML 1.1. */
function byName(text: string): Map<string, DynamicObject> {
  const objects = parseAllDocuments(text, { version: "1.1" }).map((document) =>
    document.toJS() as DynamicObject | null
  );
  return new Map(objects.filter((each) => each !== null).map((each) => [`${each.kind} ${each.metadata?.name}`, each]));
}

/** An object without the labels and annotations that a release gives it. */
function bare(object: DynamicObject): DynamicObject {
  const { labels: _, annotations, ...metadata } = object.metadata!;
  const { "helm.sh/resource-policy": _policy, ...rest } = annotations ?? {};
  return { ...object, metadata: { ...metadata, ...(Object.keys(rest).length > 0 && { annotations: rest }) } };
}

for (const program of PROGRAMS) {
  // FR-480
  testWith(GO_MISSING, `Helm renders the chart of ${program} to what manifests prints, and a Deployment`, async () => {
    await using charts = await Charts.of(program);
    await charts.helm("lint", "--strict", "chart");
    const rendered = await charts.rendered(), printed = byName(await charts.print("--namespace", "on"));
    printed.delete("Namespace on");
    for (const [name, object] of printed) {
      assert.deepEqual(bare(rendered.get(name)!), bare(object), name);
    }
    const { name } = [...rendered.values()].find(({ kind }) => kind === "Deployment")!.metadata!;
    const more = [...rendered.keys()].filter((each) => !printed.has(each)).sort();
    assert.deepEqual(more, [`Deployment ${name}`, `Service ${name}`]);
    for (const { metadata } of rendered.values()) {
      assert.equal(metadata!.labels!["app.kubernetes.io/instance"], "a-release");
      assert.equal(metadata!.labels!["app.kubernetes.io/managed-by"], "Helm");
    }
  });
}

interface Container {
  readonly image: string;
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
  readonly resources: object;
}

/** A rendered Deployment's spec, and its container. */
function deploymentOf(rendered: Map<string, DynamicObject>) {
  // deno-lint-ignore no-explicit-any -- a rendered manifest
  const spec = rendered.get("Deployment on")!.spec as any, pod = spec.template.spec;
  const container = pod.containers[0] as Container;
  const env = Object.fromEntries(container.env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
  return { spec, pod, container, env };
}

// FR-483
testWith(GO_MISSING, "values set image, replicas with an election, environment, resources and places", async () => {
  await using charts = await Charts.of(BRACES);
  const plain = deploymentOf(await charts.rendered());
  assert.deepEqual([plain.spec.replicas, plain.spec.strategy], [1, { type: "Recreate" }]);
  assert.equal(plain.container.image, "on:1.2.3-rc.1_build.5");
  assert.ok(!("PINTLE_LEADER_ELECTION" in plain.env));
  await Deno.writeTextFile(
    `${charts.folder}/values.yaml`,
    JSON.stringify({
      replicas: 3,
      image: { repository: "registry.example.com/on", digest: "sha256:1" },
      env: {
        ON: "yes",
        PINTLE_LOG_LEVEL: "debug",
        PINTLE_PAGE_LIMIT: 1_000_000,
        PINTLE_LOG_FORMAT: "text",
        PINTLE_OPERATOR_NAMESPACE: { valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      },
      resources: { limits: { memory: "1Gi" } },
      nodeSelector: { disk: "ssd" },
      tolerations: [{ operator: "Exists" }],
      imagePullSecrets: [{ name: "registry" }],
      serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn" } },
      crds: { enabled: false },
    }),
  );
  const rendered = await charts.rendered("--values", "values.yaml");
  const { spec, pod, container, env } = deploymentOf(rendered);
  assert.deepEqual([spec.replicas, spec.strategy.type], [3, "RollingUpdate"]);
  assert.equal(container.image, "registry.example.com/on@sha256:1");
  assert.deepEqual(env, {
    MALLOC_ARENA_MAX: "1",
    PINTLE_HTTP_HOST: "0.0.0.0",
    PINTLE_LEADER_ELECTION: "on",
    PINTLE_LOG_FORMAT: "text",
    PINTLE_LOG_LEVEL: "debug",
    PINTLE_OPERATOR_NAMESPACE: { fieldRef: { fieldPath: "metadata.namespace" } },
    ON: "yes",
    PINTLE_PAGE_LIMIT: "1000000",
  });
  assert.equal((container.resources as { limits: { memory: string } }).limits.memory, "1Gi");
  assert.deepEqual([pod.nodeSelector, pod.tolerations, pod.imagePullSecrets, pod.affinity], [
    { disk: "ssd" },
    [{ operator: "Exists" }],
    [{ name: "registry" }],
    undefined,
  ]);
  assert.deepEqual(rendered.get("ServiceAccount on")!.metadata!.annotations, { "eks.amazonaws.com/role-arn": "arn" });
  assert.ok(![...rendered.keys()].some((name) => name.startsWith("CustomResourceDefinition")));
  const shards = await charts.rendered("--set", "replicas=2,env.PINTLE_LEADER_ELECTION=shards");
  assert.equal(deploymentOf(shards).env.PINTLE_LEADER_ELECTION, "shards");
});

// FR-483
testWith(GO_MISSING, "a chart whose author's values lack whole sections still renders", async () => {
  await using charts = await Charts.of(BRACES);
  const values = 'image: { repository: "on", pullPolicy: Always }\nreplicas: 1\nenv:\n';
  await Deno.writeTextFile(`${charts.folder}/chart/values.yaml`, values);
  const rendered = await charts.rendered();
  assert.ok(rendered.has("CustomResourceDefinition templates.braces.test.pintle.dev"));
  assert.equal(deploymentOf(rendered).container.image, "on:1.2.3-rc.1_build.5");
});

const WEBHOOKS: ApiResource = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
};

// FR-484
testWith(
  GO_MISSING,
  "Helm installs and upgrades a chart on a server, keeps its authorities, and leaves its CRD behind",
  async () => {
    await using charts = await Charts.of(BRACES);
    await using cluster = await openServedCluster();
    const client = new Client(cluster.transport(), { fieldManager: "test" });
    const namespace = `helm-${crypto.randomUUID().slice(0, 8)}`, crd = { name: "templates.braces.test.pintle.dev" };
    const on = ["--kubeconfig", cluster.kubeconfigPath, "--namespace", namespace];
    const strategy = async () =>
      ((await client.get<DynamicObject>(Deployment, { namespace, name: "on" })).spec as { strategy: object }).strategy;
    try {
      const notes = await charts.helm("install", "a-release", "chart", "--create-namespace", ...on);
      assert.match(notes, new RegExp(`kubectl --namespace ${namespace} logs deployment/on`));
      const webhooks = await client.get<DynamicObject>(WEBHOOKS, { name: "on" });
      const [webhook] = webhooks.webhooks as { name: string; clientConfig: { service: { namespace: string } } }[];
      assert.equal(webhook!.clientConfig.service.namespace, namespace);
      const authority = (path: string) => [
        { op: "add" as const, path: `${path}/caBundle`, value: btoa(CERTIFICATE) },
      ];
      await client.patch(WEBHOOKS, { name: "on" }, { type: "json", body: authority("/webhooks/0/clientConfig") });
      await client.patch(CRDS, crd, { type: "json", body: authority("/spec/conversion/webhook/clientConfig") });
      await charts.helm("upgrade", "a-release", "chart", "--set", "replicas=2", ...on);
      assert.deepEqual(await strategy(), { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } });
      const upgraded = await client.get<DynamicObject>(WEBHOOKS, { name: "on" });
      const [{ clientConfig }] = upgraded.webhooks as [{ clientConfig: { caBundle: string } }];
      assert.equal(clientConfig.caBundle, btoa(CERTIFICATE));
      const { spec } = await client.get<DynamicObject>(CRDS, crd) as { spec: { conversion: { webhook: object } } };
      assert.ok(JSON.stringify(spec.conversion.webhook).includes(btoa(CERTIFICATE)));
      await charts.helm("upgrade", "a-release", "chart", "--set", "replicas=1", ...on);
      assert.deepEqual(await strategy(), { type: "Recreate" });
      await charts.helm("uninstall", "a-release", ...on);
      assert.equal(await client.find(Deployment, { namespace, name: "on" }), undefined);
      assert.equal((await client.get(CRDS, crd)).metadata?.name, crd.name);
    } finally {
      for (const key of [crd]) await client.delete(CRDS, key).catch(() => {});
      await client.delete(Namespace, { name: namespace });
    }
  },
);

// FR-484
testWith(GO_MISSING, "what Helm installs is enough for the ServiceAccount to run", async () => {
  await using charts = await Charts.of("main.ts");
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = await cluster.kubeconfig();
  await charts.helm(
    ...["install", "a-release", "chart", "--create-namespace", "--namespace", "pintle-system"],
    ...["--kubeconfig", kubeconfig],
  );
  const own = await cluster.kubeconfig({ user: { token: await cluster.token() } });
  await using binary = await Binary.start(["run", "--kubeconfig", own, "--http-port", "0"]);
  await binary.until(/operator runs/);
  binary.kill("SIGINT");
  assert.equal((await binary.ended()).code, 0);
});

// FR-484
testWith(GO_MISSING, "a release takes over what install applied", async () => {
  await using charts = await Charts.of("main.ts");
  await using cluster = await HttpsCluster.open({ bare: true });
  const kubeconfig = await cluster.kubeconfig();
  assert.equal((await runBinary(["install", "--kubeconfig", kubeconfig])).code, 0);
  await charts.helm(
    ...["install", "a-release", "chart", "--take-ownership", "--force-conflicts", "--namespace", "pintle-system"],
    ...["--kubeconfig", kubeconfig],
  );
  const account = await cluster.client.get(ServiceAccount, { namespace: "pintle-system", name: "pintle-replicator" });
  assert.equal(account.metadata!.labels!["app.kubernetes.io/managed-by"], "Helm");
});
