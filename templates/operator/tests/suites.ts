import type { Suite } from "@pintle/pintle/testing";
import { suite } from "./widget_scenarios.ts";

/** What `my-operator test` runs; the same suites are tests of `deno test`. */
export const suites: readonly Suite[] = [suite];
