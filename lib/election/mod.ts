/**
 * `election`: which of several processes may work, by Leases. One leader among an operator's replicas; replicas that
 * share the work by shards; peers, of which the highest priority works; and a transport that lets only their writes
 * through. It does not know what the work is. `operator/` and `cli/` call it.
 *
 * @module
 */
export { CheckedLease } from "./checked_lease.ts";
export { fencedTransport } from "./fenced_transport.ts";
export { LeaderElector } from "./leader_elector.ts";
export { type LeaseObject, LEASES } from "./lease.ts";
export { LeaseLostError } from "./lease_lost_error.ts";
export { LEASE_TIMING, type LeaseTiming, leaseTimingProblem } from "./lease_timing.ts";
export { MemberList } from "./member_list.ts";
export { Peering } from "./peering.ts";
export {
  describePeer,
  freezeEndsMs,
  type Peer,
  peerAnnotations,
  peerDecision,
  PEERING_LABEL,
  peerLeaseName,
  peerOf,
} from "./peers.ts";
export { Sharding } from "./sharding.ts";
export { ownersOf, SHARDS, SHARDS_LABEL, shardsLeaseName } from "./shards.ts";
