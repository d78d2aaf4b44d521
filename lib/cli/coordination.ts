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

/** This process among its operator's replicas and peers. */
export interface Replica extends Disposable {
  /** The operator's transport; it refuses writes while this process may not work. */
  readonly transport: Transport;
  /** This process's name in Events and Leases. */
  readonly identity: string;
  readonly elector?: LeaderElector;
  /** Absent unless replicas share the work. */
  readonly sharding?: Sharding;
  readonly peering?: Peering;
  /** What the operator awaits before it works, if anything. */
  readonly leadership?: Leadership;
  /** The namespaces where this process may work now; absent for all. */
  readonly gate?: NamespaceScope;
  /** Whether this process works now, and no other does. */
  readonly works: () => boolean;
  /** The namespaces where it needs RBAC rules for Leases. */
  readonly leases: Pick<PreflightOptions, "leaseNamespace" | "shardsNamespace" | "peeringNamespace">;
  /** Resolves when another process may have taken over. */
  readonly lost: Promise<LeaseLostError>;
  /** Releases every Lease, so that others start at once; call it after the last write. */
  release(): Promise<void>;
  /** Stops without releasing Leases, because a write may be in flight after a failure. */
  [Symbol.dispose](): void;
}

interface ReplicaOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends work on objects that this process no longer covers. */
  readonly drain: (graceMs: number) => Promise<void>;
}

/** The timing of Leases. @throws {UsageError} naming variables that contradict each other. */
export function leaseTiming(
  { leaseDurationMs, leaseRenewDeadlineMs, leaseRetryPeriodMs }: Settings,
): LeaseTiming {
  const timing = {
    leaseDurationMs: leaseDurationMs,
    renewDeadlineMs: leaseRenewDeadlineMs,
    retryPeriodMs: leaseRetryPeriodMs,
  };
  const problem = leaseTimingProblem(timing);
  if (!problem) return timing;
  const [lease, renew, retry] = [leaseDurationMs, leaseRenewDeadlineMs, leaseRetryPeriodMs].map(formatDuration);
  throw new UsageError(
    `PINTLE_LEASE_DURATION is ${lease}, PINTLE_LEASE_RENEW_DEADLINE ${renew} and PINTLE_LEASE_RETRY_PERIOD ${retry}: ${problem}`,
    "the defaults are 15s, 10s and 2s",
  );
}

/** This process as replica and peer, per the settings. Sends nothing yet. */
export function openReplica(
  context: CommandContext,
  cluster: OpenedCluster,
  { clock, logger, drain }: ReplicaOptions,
): Replica {
  const { operator, settings, env } = context, host = env.HOSTNAME ?? operator.name, random = new SystemRandom();
  // A restarted container keeps its host name, but must not take its predecessor's Lease.
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
      drain: () => end("ending the work on shards of other replicas"),
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
    // Only the leader peers: a standby replica competes with no peer.
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

/** Gauges that each scrape reads from a replica. */
export function registerMetrics(metrics: Metrics, operator: string, { elector, sharding, peering }: Replica): void {
  if (elector) metrics.leadership(operator, () => elector.isLeader);
  if (sharding) metrics.shards(operator, () => sharding.shards);
  if (peering) metrics.pause(operator, () => !peering.covers());
}
