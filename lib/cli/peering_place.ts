import { installNamespace } from "../operator/mod.ts";
import type { OpenedCluster } from "./open_cluster.ts";
import type { CommandContext } from "./command_context.ts";

export interface PeeringPlace {
  readonly namespace: string;
  readonly name: string;
}

/**
 * The settings' peering, `NAME` or `NAMESPACE/NAME`, or that of the operator's name. The namespace defaults to that of
 * the pod or an embedded cluster, elsewhere to `install`'s, so that a laptop and the pods meet.
 */
export function peeringPlace({ settings, operator, program }: CommandContext, cluster: OpenedCluster): PeeringPlace {
  const home = ["in-cluster", "embedded"].includes(cluster.source) ? cluster.namespace : installNamespace(program);
  return placeOf(settings.peering || operator.name, home);
}

/** Parses `NAME` (in the namespace `home`) or `NAMESPACE/NAME`. */
export function placeOf(peering: string, home: string): PeeringPlace {
  const parts = peering.split("/");
  return parts.length === 1 ? { namespace: home, name: parts[0]! } : { namespace: parts[0]!, name: parts[1]! };
}

export function peers({ settings }: Pick<CommandContext, "settings">): boolean {
  return settings.peering !== "" || settings.priority !== undefined;
}
