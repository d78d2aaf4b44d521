import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { SystemRandom } from "../base/random.ts";
import type { Transport } from "../base/transport.ts";
import { Client } from "../client/mod.ts";
import { fencedTransport, LeaderElector } from "../election/mod.ts";
import type { OpenedCluster } from "./open_cluster.ts";
import type { CommandContext } from "./program.ts";

/** This process among the replicas of its operator. */
export interface Replica {
  /** For the operator: with leader election, only the leader's writes pass. */
  readonly transport: Transport;
  /** Absent without leader election. */
  readonly elector?: LeaderElector;
  /** Name of this process in Events and in the lease. */
  readonly identity: string;
}

/** This process as a replica, with a candidate for the lease where the settings ask for one. Sends nothing yet. */
export function openReplica(context: CommandContext, cluster: OpenedCluster, clock: Clock, logger: Logger): Replica {
  const { operator, settings, env } = context, host = env.HOSTNAME ?? operator.name, random = new SystemRandom();
  if (settings.leaderElection === "off") return { transport: cluster.transport, identity: host };
  // A pod whose container restarts keeps its host name, and must not take its former self's lease for its own.
  const identity = `${host}_${Math.floor(random.next() * 2 ** 40).toString(36)}`;
  const elector = new LeaderElector({
    client: new Client(cluster.transport, { fieldManager: operator.name, clock, retriesMax: 0 }),
    clock,
    random,
    logger,
    lease: { namespace: cluster.namespace, name: operator.name },
    identity,
  });
  return { transport: fencedTransport(cluster.transport, () => elector.isLeader), elector, identity: host };
}
