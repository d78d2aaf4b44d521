import { Suite } from "../../lib/harness/mod.ts";
import { replicator } from "../../lib/replicator/mod.ts";
import { addReplicationScenarios } from "./replication_scenarios.ts";

/** The whole suite of the shipped operator: under `deno test` and in its binary (`pintle test`). */
export const replicationSuite: Suite = new Suite("replication", () => replicator());

addReplicationScenarios(replicationSuite);
