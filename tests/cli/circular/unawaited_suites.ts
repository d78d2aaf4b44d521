import { Suite } from "../../../lib/harness/mod.ts";
import { operator } from "./unawaited.ts";

/** One scenario of the program's own operator. */
export const suites: readonly Suite[] = [new Suite("straight", operator).scenario("it runs", () => Promise.resolve())];
