import { denoTests } from "../../lib/harness/mod.ts";
import { testSource } from "../cluster.ts";
import { replicationSuite } from "./suite.ts";

denoTests(Deno.test, replicationSuite, { source: testSource });
