// FR-453
import { denoTests } from "@pintle/pintle/testing";
import { suites } from "../examples/web_app/tests/suites.ts";
import { realKubeconfig, testSource } from "./cluster.ts";

// The embedded API server runs them by `deno task examples`.
if (realKubeconfig) {
  for (const suite of suites) denoTests(Deno.test, suite, { source: testSource });
}
