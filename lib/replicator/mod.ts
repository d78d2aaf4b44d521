/**
 * `replicator`: the shipped operator. It copies Secrets and ConfigMaps to namespaces as Replications declare. It uses
 * only the public API of `operator/`, as any user's operator. `main.ts` composes it with the cli.
 *
 * @module
 */
export { replicationDemo } from "./demo.ts";
export { REPLICATOR_NAME } from "./copied_kinds.ts";
export type { ReplicatorOptions } from "./reconcile.ts";
export { trustCheck } from "./trust_check.ts";
export { replicator, REPLICATOR_DEFAULTS } from "./replicator.ts";
export { Replication, type ReplicationObject, type ReplicationSpec, type ReplicationStatus } from "./replication.ts";
