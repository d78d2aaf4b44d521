import type { Suite } from "../../lib/harness/mod.ts";
import { replication } from "./replication_scenarios.ts";

/** The suites of the shipped operator: they run under `deno test` and in its binary (`pintle test`). */
export const suites: readonly Suite[] = [replication];
