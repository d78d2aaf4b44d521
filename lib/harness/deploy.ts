import { relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { type Clock, invariant, UsageError } from "../base/mod.ts";
import { type DynamicObject, formatKey, keyOf } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { Deployment as DEPLOYMENTS } from "../operator/builtin_kinds.ts";
import type { Cluster } from "./cluster.ts";
import { requireCommand, runCommand } from "./command.ts";
import { DeployedOperator } from "./deployed_operator.ts";
import type { Deployment } from "./runner.ts";

/** What is deployed, and how long it may take. */
export interface DeployOptions {
  /** Folder of a kustomization that has exactly one Deployment. */
  readonly overlay: string;
  /** Image for its first container. */
  readonly image: string;
  /** The run's time. */
  readonly clock: Clock;
  /** Longest wait for its pods. */
  readonly rolloutMsMax: number;
  /** Leave everything in the cluster, which goes anyway. */
  readonly leave: boolean;
}

const INSTALL = "install kubectl (kubernetes.io/docs/tasks/tools)";

/**
 * Deploys an operator as its users do: kustomize, server-side apply, wait for the rollout. Disposing removes what was applied.
 *
 * @throws {UsageError} where kubectl is missing or the kustomization has no Deployment; {@linkcode NotYetError} with the pods'
 * state, Events and logs where they do not become ready.
 */
export async function deploy(
  cluster: Cluster,
  options: DeployOptions,
  signal: AbortSignal,
): Promise<Deployment & AsyncDisposable> {
  invariant(cluster.kubeconfig, `a ${cluster.kind} cluster has no kubeconfig for kubectl`);
  await requireCommand("kubectl", ["version", "--client"], INSTALL, signal);
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "pintle-deploy-" }); // mode 0700 by its nature
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const kubeconfig = `${folder}/kubeconfig`;
  await Deno.writeTextFile(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const manifests = await render(folder, options, signal);
  const deployment = onlyDeployment(manifests, options.overlay);
  const kubectl = (args: string[], more: { signal?: AbortSignal } = {}) =>
    runCommand("kubectl", ["--kubeconfig", kubeconfig, ...args, "-f", "-"], { input: manifests, ...more });
  await requireAbsent(cluster, deployment, options);
  if (!options.leave) stack.defer(async () => void await kubectl(["delete", "--ignore-not-found", "--wait"]));
  await kubectl(["apply", "--server-side", "--force-conflicts"], { signal });
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const client = new Client(transport, { fieldManager: "scenario", clock: options.clock });
  const replicas = (deployment.spec as { replicas?: number }).replicas ?? 1;
  const { clock, rolloutMsMax } = options;
  const operator = new DeployedOperator(
    { client, deployment: keyOf(deployment), clock, rolloutMsMax, signal },
    replicas,
  );
  await operator.ready();
  const owned = stack.move();
  return { operator, diagnose: () => operator.diagnose(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** The overlay with the image in place, as kustomize writes it. */
async function render(folder: string, { overlay, image }: DeployOptions, signal: AbortSignal): Promise<string> {
  const patch = JSON.stringify([{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }]);
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [relative(await Deno.realPath(folder), await Deno.realPath(overlay))], // kustomize takes no absolute paths
    patches: [{ target: { kind: "Deployment" }, patch }],
  };
  await Deno.writeTextFile(`${folder}/kustomization.yaml`, JSON.stringify(kustomization));
  return await runCommand("kubectl", ["kustomize", folder], { signal });
}

function onlyDeployment(manifests: string, overlay: string): DynamicObject {
  const objects = parseAllDocuments(manifests).map((document) => document.toJS() as DynamicObject);
  const deployments = objects.filter(({ kind }) => kind === "Deployment");
  if (deployments.length === 1) return deployments[0]!;
  throw new UsageError(`${overlay} has ${deployments.length} Deployments`, "the operator is one Deployment");
}

/** Somebody's running operator is not to be replaced by a test. */
async function requireAbsent(
  cluster: Cluster,
  deployment: DynamicObject,
  { clock, leave }: DeployOptions,
): Promise<void> {
  const transport = cluster.transport();
  try {
    const client = new Client(transport, { fieldManager: "scenario", clock });
    if (leave || !await client.find(DEPLOYMENTS, keyOf(deployment))) return;
    throw new UsageError(
      `Deployment ${formatKey(keyOf(deployment))} is in this cluster already`,
      "delete it, or test on another cluster",
    );
  } finally {
    transport.close();
  }
}
