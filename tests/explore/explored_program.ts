/** The main module of a worker that explores; `exploration_workers_test.ts` starts it. */
import { serveExplorations } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";
import { buggy, fixed } from "./bugs/second_certificate.ts";

await serveExplorations([buggy, fixed].map((suite) => planRun([suite])[0]!));
