import { relative } from "node:path";
import { parseAllDocuments } from "yaml";
import { type Clock, formatJson, invariant, UsageError } from "../base/mod.ts";
import { type DynamicObject, formatKey, keyOf } from "../apimachinery/mod.ts";
import { Client } from "../client/mod.ts";
import { Deployment as DEPLOYMENTS, KindResolver } from "../operator/mod.ts";
import type { Cluster } from "./cluster.ts";
import { requireCommand, runCommand } from "./command.ts";
import { DeployedOperator } from "./deployed_operator.ts";
import { place, type PlacedObject } from "./temporary_objects.ts";
import type { Deployment } from "./runner.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** Options of {@linkcode deploy}. */
export interface DeployOptions {
  /** Folder of a kustomization with exactly one Deployment. */
  readonly overlay: string;
  /** Image of its first container. */
  readonly image: string;
  /** Clock of the run. */
  readonly clock: Clock;
  /** Longest wait for its pods, and for each deletion. */
  readonly rolloutMsMax: number;
  /** Leave everything in a cluster that is deleted anyway. */
  readonly leave: boolean;
}

const INSTALL = "install kubectl (kubernetes.io/docs/tasks/tools)";

/**
 * Deploys an operator by kustomize and server-side apply; waits for the rollout. Disposing removes only what it added.
 *
 * @throws {UsageError} if kubectl is missing, the kustomization has no Deployment, or an object exists and differs;
 *   {@linkcode NotYetError} with state, Events and logs of pods that do not become ready.
 */
export async function deploy(
  cluster: Cluster,
  options: DeployOptions,
  signal: AbortSignal,
): Promise<Deployment & AsyncDisposable> {
  invariant(cluster.kubeconfig, `a ${cluster.kind} cluster has no kubeconfig for kubectl`);
  await requireCommand("kubectl", ["version", "--client"], INSTALL, { signal });
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(TemporaryFolder.make("deploy"));
  const kubeconfig = `${folder.path}/kubeconfig`, { clock, rolloutMsMax } = options;
  await folder.filled("a kubeconfig", () => Deno.writeTextFile(kubeconfig, cluster.kubeconfig!, { mode: 0o600 }));
  const objects = await folder.filled("a kustomization", (path) => render(path, options, signal));
  const deployment = onlyDeployment(objects, options.overlay);
  const transport = cluster.transport();
  stack.defer(() => transport.close());
  const client = new Client(transport, { fieldManager: "scenario", clock });
  const apply = async (wanted: readonly DynamicObject[]) => {
    const input = formatJson({ apiVersion: "v1", kind: "List", items: wanted });
    const args = ["apply", "--server-side", "--force-conflicts", "--kubeconfig", kubeconfig, "-f", "-"];
    await runCommand("kubectl", args, { input, signal });
  };
  if (options.leave) await apply(objects);
  else {
    await requireAbsent(client, deployment);
    const placed = await resolved(objects, new KindResolver(client, clock, []));
    const placing = { client, clock, waitMsMax: rolloutMsMax, signal };
    stack.use(await place(placed, placing, (wanted) => apply(wanted.map(({ object }) => object))));
  }
  const { replicas = 1 } = deployment.spec as { replicas?: number };
  const operator = new DeployedOperator({ client, deployment: keyOf(deployment), clock, rolloutMsMax, replicas });
  stack.use(operator);
  await operator.ready(signal);
  const owned = stack.move();
  return { operator, diagnose: () => operator.diagnose(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function render(
  folder: string,
  { overlay, image }: DeployOptions,
  signal: AbortSignal,
): Promise<DynamicObject[]> {
  const patch = formatJson([{ op: "replace", path: "/spec/template/spec/containers/0/image", value: image }]);
  const kustomization = {
    apiVersion: "kustomize.config.k8s.io/v1beta1",
    kind: "Kustomization",
    resources: [relative(await Deno.realPath(folder), await Deno.realPath(overlay))], // kustomize takes no absolute paths
    patches: [{ target: { kind: "Deployment" }, patch }],
  };
  await Deno.writeTextFile(`${folder}/kustomization.yaml`, formatJson(kustomization));
  const manifests = await runCommand("kubectl", ["kustomize", folder], { signal });
  return parseAllDocuments(manifests).map((document) => document.toJS() as DynamicObject);
}

function onlyDeployment(objects: readonly DynamicObject[], overlay: string): DynamicObject {
  const deployments = objects.filter((object) => object?.kind === "Deployment");
  if (deployments.length === 1) return deployments[0]!;
  throw new UsageError(`${overlay} has ${deployments.length} Deployments`, "the operator is one Deployment");
}

async function resolved(objects: readonly DynamicObject[], kinds: KindResolver): Promise<PlacedObject[]> {
  return await Promise.all(objects.map(async (object) => {
    const parts = object.apiVersion!.split("/"), group = parts.length > 1 ? parts[0]! : "";
    return { resource: await kinds.resolve(group, parts.at(-1)!, object.kind!), object };
  }));
}

/** A test must neither replace nor test another's running operator. */
async function requireAbsent(client: Client, deployment: DynamicObject): Promise<void> {
  const present = await client.find(DEPLOYMENTS, keyOf(deployment));
  if (!present || present.metadata?.deletionTimestamp) return;
  throw new UsageError(
    `Deployment ${formatKey(keyOf(deployment))} is in this cluster already`,
    "delete it, or test on another cluster",
  );
}
