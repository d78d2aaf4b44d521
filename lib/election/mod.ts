/**
 * `election`: who of several processes may work. One leader among the replicas of an operator, by a Lease; replicas
 * that share the work by shards; peers of several priorities, of which the highest works; and a fence that lets no
 * write of anybody else through. It knows nothing of what the work is. `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./fenced_transport.ts";
export * from "./leader_elector.ts";
export * from "./lease.ts";
export * from "./lease_lost_error.ts";
export * from "./lease_timing.ts";
export * from "./membership.ts";
export * from "./own_lease.ts";
export * from "./peering.ts";
export * from "./peers.ts";
export * from "./lease_validity.ts";
export * from "./member_list.ts";
export * from "./sharding.ts";
export * from "./shards.ts";
