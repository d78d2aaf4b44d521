import { Suite } from "../../../lib/harness/mod.ts";
import { operator } from "./main.ts";

/** Never evaluated by the program. */
export const suites: readonly Suite[] = [new Suite("circular", operator)];
