/**
 * `election`: which of several processes may work, by Leases. One leader among the replicas of an operator; replicas
 * that share the work by shards; peers of several priorities, of which the highest works; and a transport that lets
 * only their writes through. It does not know what the work is. `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./checked_lease.ts";
export * from "./fenced_transport.ts";
export * from "./leader_elector.ts";
export * from "./lease.ts";
export * from "./lease_lost_error.ts";
export * from "./lease_timing.ts";
export * from "./membership.ts";
export * from "./member_list.ts";
export * from "./peering.ts";
export * from "./peers.ts";
export * from "./sharding.ts";
export * from "./shards.ts";
