import { cli } from "@pintle/pintle/cli";
import { demo } from "./demo.ts";
import { operator } from "./operator.ts";

// The whole program: `deno run main.ts help` names its commands. This is the only file that reads arguments and environment.
if (import.meta.main) {
  Deno.exitCode = await cli(operator(), {
    version: "0.1.0",
    args: Deno.args,
    env: Deno.env.toObject(),
    demo: () => demo,
    root: import.meta.dirname,
    suites: async () => (await import("./tests/suites.ts")).suites,
  });
}
