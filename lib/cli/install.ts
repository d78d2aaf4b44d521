import { SystemClock } from "../base/clock.ts";
import { silentLogger } from "../base/log.ts";
import type { DynamicObject } from "../apimachinery/object.ts";
import type { ApiResource } from "../apimachinery/resource.ts";
import { Client } from "../client/mod.ts";
import type { Operator } from "../operator/operator.ts";
import { EXIT } from "./exit.ts";
import { clusterRole } from "./manifests.ts";
import { openCluster } from "./open_cluster.ts";
import type { CommandContext } from "./program.ts";

const CRDS: ApiResource = {
  group: "apiextensions.k8s.io",
  version: "v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
const CLUSTER_ROLES: ApiResource = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  plural: "clusterroles",
  namespaced: false,
};

/** `install`: applies the CRDs and the ClusterRole of the operator. Repeating it is harmless. */
export async function install(context: CommandContext, flags: { dryRun?: true | undefined }): Promise<number> {
  const clock = new SystemClock(), { operator, terminal } = context;
  await using cluster = await openCluster(context, clock, silentLogger);
  const client = new Client(cluster.transport, { fieldManager: `${operator.name}-install`, clock });
  const how = flags.dryRun ? " (dry run)" : "";
  for (const crd of await applyCrds(client, operator, flags)) {
    terminal.out(`customresourcedefinition ${crd} applied${how}`);
  }
  await client.apply(CLUSTER_ROLES, clusterRole(operator), { force: true, dryRun: flags.dryRun });
  terminal.out(`clusterrole ${operator.name} applied${how}`);
  terminal.out(`next: bind the ClusterRole to the operator's account, or run as someone who may do all of it`);
  return EXIT.done;
}

/** Applies the operator's CRDs and waits until the server serves them. Returns their names. */
export async function applyCrds(client: Client, operator: Operator, options: { dryRun?: boolean }): Promise<string[]> {
  const names: string[] = [];
  for (const crd of operator.crds()) {
    const name = crd.metadata!.name!;
    const applied = await client.apply(CRDS, crd, { force: true, dryRun: options.dryRun });
    names.push(name);
    if (!options.dryRun && !isEstablished(applied)) {
      await untilEstablished(client, name, applied.metadata!.resourceVersion!);
    }
  }
  return names;
}

async function untilEstablished(client: Client, name: string, resourceVersion: string): Promise<void> {
  const stop = new AbortController();
  try {
    const watch = client.watch<DynamicObject>(CRDS, {
      fieldSelector: `metadata.name=${name}`,
      resourceVersion,
      timeoutSeconds: 30,
      signal: stop.signal,
    });
    for await (const { object } of watch) if (isEstablished(object)) return;
    throw new Error(
      `customresourcedefinition ${name} was not served within 30 s: kubectl describe crd ${name} tells why`,
    );
  } finally {
    stop.abort();
  }
}

function isEstablished(crd: DynamicObject): boolean {
  const { conditions = [] } = (crd.status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === "Established" && status === "True");
}
