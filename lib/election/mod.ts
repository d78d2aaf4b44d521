/**
 * `election`: one leader among the replicas of an operator, by a Lease, and a fence that lets no write of a former leader
 * through. It knows nothing of what the leader does. `operator/` and `cli/` call it.
 *
 * @module
 */
export * from "./fenced_transport.ts";
export * from "./leader_elector.ts";
export * from "./lease.ts";
