import { installNamespace } from "../operator/mod.ts";
import type { OpenedCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";

/** Where the leases of a peering are, and its name. */
export interface PeeringPlace {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The peering that the settings name, `NAME` or `NAMESPACE/NAME`, or that of the operator's own name. Without a
 * namespace it is that of the pod, or of an embedded cluster; elsewhere it is the one where `install` puts the
 * operator, so that a laptop and the pods meet.
 */
export function peeringPlace({ settings, operator, program }: CommandContext, cluster: OpenedCluster): PeeringPlace {
  const home = ["in-cluster", "embedded"].includes(cluster.source) ? cluster.namespace : installNamespace(program);
  return placeOf(settings.peering || operator.name, home);
}

/** The place that `NAME`, in the namespace `home`, or `NAMESPACE/NAME` stands for. */
export function placeOf(peering: string, home: string): PeeringPlace {
  const parts = peering.split("/");
  return parts.length === 1 ? { namespace: home, name: parts[0]! } : { namespace: parts[0]!, name: parts[1]! };
}

/** Whether the settings enable peering: by a name, or by a priority. */
export function peers({ settings }: Pick<CommandContext, "settings">): boolean {
  return settings.peering !== "" || settings.priority !== undefined;
}
