import type { Suite } from "@pintle/pintle/testing";
import { crashes } from "./crash_scenarios.ts";
import { outside } from "./outside_scenarios.ts";
import { webApps } from "./webapp_scenarios.ts";

/** What `web-app test` runs; the same suites are tests of `deno test`. */
export const suites = [webApps, outside, crashes] as readonly Suite[];
