import { EVERYWHERE, gatedScope, type NamespaceScope } from "../apimachinery/mod.ts";
import { type Clock, formatDuration, type Logger, SystemRandom, type Transport, UsageError } from "../base/mod.ts";
import { Client } from "../client/mod.ts";
import {
  fencedTransport,
  LeaderElector,
  type LeaseLostError,
  type LeaseTiming,
  leaseTimingProblem,
  Peering,
  Sharding,
} from "../election/mod.ts";
import type { Metrics } from "../health/mod.ts";
import type { Leadership, PreflightOptions } from "../operator/mod.ts";
import type { OpenedCluster } from "./open_cluster.ts";
import { peeringPlace, peers } from "./peering_place.ts";
import type { CommandContext } from "./command_context.ts";
import type { Settings } from "./settings.ts";

/** This process among the replicas and the peers of its operator. */
export interface Replica extends Disposable {
  /** For the operator: only writes of a process that may work now pass. */
  readonly transport: Transport;
  /** Name of this process in Events and in leases. */
  readonly identity: string;
  /** Absent without leader election. */
  readonly elector?: LeaderElector;
  /** Absent where replicas do not share the work. */
  readonly sharding?: Sharding;
  /** Absent without peering. */
  readonly peering?: Peering;
  /** What is waited for before work begins; absent where nothing is. */
  readonly leadership?: Leadership;
  /** What of its work the operator may do now; absent where it may do all of it. */
  readonly gate?: NamespaceScope;
  /** Whether this process works now, and no other does. */
  readonly works: () => boolean;
  /** Where rights for leases are needed. */
  readonly leases: Pick<PreflightOptions, "leaseNamespace" | "shardsNamespace" | "peeringNamespace">;
  /** Resolves when others may do this process's work by now. */
  readonly lost: Promise<LeaseLostError>;
  /** Gives everything up, so that others begin at once; call it when the last write is done. */
  release(): Promise<void>;
  /** Lets go of everything without giving it up: after a failure nobody knows what is still on its way. */
  [Symbol.dispose](): void;
}

/** What a replica asks of its operator. */
interface ReplicaDuties {
  /** Ends what is under way for what it no longer covers. */
  readonly drain: (graceMs: number) => Promise<void>;
}

/** The timing of Leases. @throws {UsageError} naming the variables, where they contradict each other. */
export function leaseTiming(
  { leaseDurationMs, leaseRenewDeadlineMs, leaseRetryPeriodMs }: Settings,
): LeaseTiming {
  const timing = { leaseMs: leaseDurationMs, renewMsMax: leaseRenewDeadlineMs, retryMs: leaseRetryPeriodMs };
  const problem = leaseTimingProblem(timing);
  if (!problem) return timing;
  const [lease, renew, retry] = [leaseDurationMs, leaseRenewDeadlineMs, leaseRetryPeriodMs].map(formatDuration);
  throw new UsageError(
    `PINTLE_LEASE_DURATION is ${lease}, PINTLE_LEASE_RENEW_DEADLINE ${renew} and PINTLE_LEASE_RETRY_PERIOD ${retry}: ${problem}`,
    "the defaults are 15s, 10s and 2s",
  );
}

/** This process as a replica and a peer, where the settings ask for it. Sends nothing yet. */
export function openReplica(
  context: CommandContext,
  cluster: OpenedCluster,
  clock: Clock,
  logger: Logger,
  { drain }: ReplicaDuties,
): Replica {
  const { operator, settings, env } = context, host = env.HOSTNAME ?? operator.name, random = new SystemRandom();
  // A pod whose container restarts keeps its host name, and must not take its former self's lease for its own.
  const identity = `${host}_${Math.floor(random.next() * 2 ** 40).toString(36)}`;
  const client = new Client(cluster.transport, { fieldManager: operator.name, clock, retriesMax: 0 });
  const shared = { client, clock, random, logger, identity, ...leaseTiming(settings) },
    lease = { namespace: cluster.namespace, name: operator.name };
  const elector = settings.leaderElection === "on" ? new LeaderElector({ ...shared, lease }) : undefined;
  const end = (what: string) => {
    logger.info(what, { grace: formatDuration(settings.gracePeriodMs) });
    return drain(settings.gracePeriodMs);
  };
  const sharding = settings.leaderElection === "shards"
    ? new Sharding({
      ...shared,
      namespace: lease.namespace,
      name: lease.name,
      drain: () => end("ending what goes to others"),
    })
    : undefined;
  const place = peers(context) ? peeringPlace(context, cluster) : undefined;
  const peering = place
    ? new Peering({
      ...shared,
      ...place,
      priority: settings.priority ?? 0,
      replicasOf: elector || sharding ? `${lease.namespace}/${lease.name}` : undefined,
      drain: () => end("pausing"),
    })
    : undefined;
  const claims = [elector, sharding, peering].filter((claim) => claim !== undefined);
  const mayWrite = () => (elector?.isLeader ?? true) && (sharding?.mayWrite ?? true) && (peering?.mayWrite ?? true);
  const gates = [sharding, peering].filter((gate) => gate !== undefined);
  return {
    transport: claims.length === 0 ? cluster.transport : fencedTransport(cluster.transport, mayWrite),
    identity: host,
    elector,
    sharding,
    peering,
    // The leader alone peers: a replica that stands by is nobody's rival.
    leadership: claims.length === 0 ? undefined : {
      acquire: async (signal) => {
        for (const claim of claims) await claim.acquire(signal);
      },
    },
    gate: gates.length === 0 ? undefined : gates.reduce<NamespaceScope>(gatedScope, EVERYWHERE),
    works: () => mayWrite() && gates.every((gate) => gate.coversCluster()),
    leases: {
      leaseNamespace: elector && lease.namespace,
      shardsNamespace: sharding && lease.namespace,
      peeringNamespace: place?.namespace,
    },
    lost: Promise.race([new Promise<never>(() => {}), ...claims.map(({ lost }) => lost)]),
    release: async () => {
      for (const claim of claims.toReversed()) await claim.release();
    },
    [Symbol.dispose]: () => claims.forEach((claim) => claim[Symbol.dispose]()),
  };
}

/** What each scrape asks of a replica. */
export function measure(metrics: Metrics, operator: string, { elector, sharding, peering }: Replica): void {
  if (elector) metrics.leadership(operator, () => elector.isLeader);
  if (sharding) metrics.shards(operator, () => sharding.shards);
  if (peering) metrics.pause(operator, () => !peering.covers());
}
