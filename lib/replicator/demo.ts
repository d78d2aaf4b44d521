import { ConfigMap, type KubeObject, Namespace, Secret, type SecretObject } from "../mod.ts";
import type { Client } from "../client.ts";
import type { NamespaceObject } from "./copied_kinds.ts";
import { REPLICATION_LABEL, VERSION_ANNOTATION } from "./claim.ts";
import { Replication } from "./replication.ts";
import { ACCEPT_ANNOTATION } from "./trust.ts";

const SOURCE = { namespace: "platform", name: "registry-credentials" };
const TEAMS = ["team-anchor", "team-beacon", "team-compass", "team-dory"];

/** The verbs of the scenario, for a plain client or a pass's. */
type ScenarioClient = Pick<Client, "create" | "patch" | "delete" | "find" | "list">;

/** The shipped operator's `demo`: four changes, and copies follow. */
export const replicationDemo = {
  title: "Pintle replicates a Secret to every team-* namespace",
  unit: "copies",
  watches: [Namespace, Secret, ConfigMap, Replication],
  suggestions: [
    "kubectl get replications -A",
    "kubectl describe replication registry-credentials -n platform",
    "kubectl create namespace team-gale && kubectl annotate namespace team-gale pintle.dev/accept-from=platform",
    "kubectl delete secret registry-credentials -n team-dory",
    "kubectl edit replication registry-credentials -n platform",
  ],
  steps: [
    { title: "five namespaces, a Secret and a Replication are created", act: begin },
    {
      title: "a sixth namespace appears: team-ember",
      act: (client: ScenarioClient) => addNamespace(client, "team-ember"),
    },
    { title: "the source Secret changes: password rotated", act: rotate },
    { title: "the copy in team-beacon is deleted", act: deleteCopy },
  ],
  observe,
};

async function begin(client: ScenarioClient): Promise<void> {
  await client.create<NamespaceObject>(Namespace, {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: SOURCE.namespace },
  });
  for (const name of TEAMS) await addNamespace(client, name);
  await client.create<SecretObject>(Secret, {
    apiVersion: "v1",
    kind: "Secret",
    metadata: SOURCE,
    stringData: { username: "pull", password: "hunter2" },
  });
  await client.create<KubeObject>(Replication, {
    apiVersion: "pintle.dev/v1alpha1",
    kind: "Replication",
    metadata: SOURCE,
    spec: { source: { kind: "Secret", name: SOURCE.name }, targets: { namespaces: ["team-*"] } },
  } as KubeObject);
}

/** A namespace that accepts copies from the source's. */
async function addNamespace(client: ScenarioClient, name: string): Promise<void> {
  const metadata = { name, annotations: { [ACCEPT_ANNOTATION]: SOURCE.namespace } };
  await client.create<NamespaceObject>(Namespace, { apiVersion: "v1", kind: "Namespace", metadata });
}

async function rotate(client: ScenarioClient): Promise<void> {
  await client.patch(Secret, SOURCE, {
    type: "merge",
    body: { stringData: { password: "correct horse battery staple" } },
  });
}

async function deleteCopy(client: ScenarioClient): Promise<void> {
  await client.delete(Secret, { namespace: "team-beacon", name: SOURCE.name });
}

/** Reads the cluster, never the operator's status. */
async function observe(client: ScenarioClient) {
  const [source, namespaces, copies] = await Promise.all([
    client.find<SecretObject>(Secret, SOURCE),
    client.list<NamespaceObject>(Namespace),
    client.list<SecretObject>(Secret, { labelSelector: REPLICATION_LABEL }),
  ]);
  const version = source?.metadata?.resourceVersion;
  const rows = namespaces.items.map(({ metadata }) => metadata?.name ?? "").filter((name) => name.startsWith("team-"))
    .sort()
    .map((name) => {
      const copy = copies.items.find(({ metadata }) => metadata?.namespace === name);
      if (!copy || copy.metadata?.deletionTimestamp) return { name, state: "waiting" as const, detail: "no copy" };
      const shown = copy.metadata?.annotations?.[VERSION_ANNOTATION];
      const current = source !== undefined && JSON.stringify(copy.data) === JSON.stringify(source.data);
      const detail = `${copy.metadata?.name} shows version ${shown}`;
      return { name, state: current ? "current" as const : "outdated" as const, detail };
    });
  const head = {
    name: SOURCE.namespace,
    state: "source" as const,
    detail: source ? `${SOURCE.name} at version ${version}` : "no source",
  };
  return {
    rows: [head, ...rows],
    current: rows.filter(({ state }) => state === "current").length,
    wanted: rows.length,
  };
}
