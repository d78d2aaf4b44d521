// FR-170
import { denoTests } from "../../lib/harness/mod.ts";
import { testSource } from "../cluster.ts";
import { suites } from "./suites.ts";

for (const suite of suites) denoTests(Deno.test, suite, { source: testSource });
