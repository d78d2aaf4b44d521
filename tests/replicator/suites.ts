import type { Suite } from "../../lib/harness/mod.ts";
import { badInput } from "./bad_input_scenarios.ts";
import { faults } from "./fault_scenarios.ts";
import { ownership } from "./ownership_scenarios.ts";
import { replication } from "./replication_scenarios.ts";
import { trust } from "./trust_scenarios.ts";
import { unhappy } from "./unhappy_scenarios.ts";

/** The suites of the shipped operator: they run under `deno test` and in its binary (`pintle test`). */
export const suites: readonly Suite[] = [replication, unhappy, badInput, ownership, trust, faults];
