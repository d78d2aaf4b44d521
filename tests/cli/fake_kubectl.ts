/**
 * As much of kubectl as deploying needs, for machines without one and clusters without nodes: `version`, `kustomize`,
 * which knows one small operator, and `apply`, which applies for true.
 *
 * @module
 */
import { SystemClock } from "../../lib/base/mod.ts";
import type { DynamicObject } from "../../lib/apimachinery/mod.ts";
import { Client, discover, findResource, openTransport } from "../../lib/client/mod.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";

const NAMESPACE = "patient-system", LABELS = { app: "patient" };

/** What the overlay is rendered to. */
function manifests(image: string): DynamicObject[] {
  const metadata = { name: "patient", namespace: NAMESPACE };
  const container = { name: "operator", image };
  const template = { metadata: { labels: LABELS }, spec: { serviceAccountName: "patient", containers: [container] } };
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: "v1", kind: "ConfigMap", metadata, data: { mode: "patient" } },
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { selector: { matchLabels: LABELS }, template } },
  ] as unknown as DynamicObject[];
}

async function apply(path: string, { items }: { items: DynamicObject[] }): Promise<void> {
  const clock = new SystemClock(), { server, credentials } = await loadKubeconfig({ paths: [path], clock });
  const transport = openTransport({ server, credentials });
  try {
    const client = new Client(transport, { fieldManager: "kubectl", clock }), known = await discover(client);
    for (const object of items) {
      const [version, group = ""] = object.apiVersion!.split("/").reverse();
      await client.apply(findResource(known, group, object.kind!, version)!, object, { force: true });
    }
  } finally {
    transport.close();
  }
}

const [command, folder] = Deno.args;
if (command === "version") await print("Client Version: v1.37.2");
else if (command === "kustomize") {
  const { patches } = JSON.parse(await Deno.readTextFile(`${folder}/kustomization.yaml`));
  const [{ value }] = JSON.parse(patches[0].patch);
  await print(manifests(value).map((object) => JSON.stringify(object)).join("\n---\n"));
} else {await apply(
    Deno.args[Deno.args.indexOf("--kubeconfig") + 1]!,
    JSON.parse(await new Response(Deno.stdin.readable).text()),
  );}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
}
