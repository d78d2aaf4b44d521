/**
 * A program for tests whose suites import it: as it waits for them, neither could ever end.
 *
 * @module
 */
import { cli } from "../../../lib/cli.ts";
import { Operator } from "../../../lib/mod.ts";

export function operator(): Operator {
  return new Operator("circular");
}

if (import.meta.main) {
  Deno.exitCode = await cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: async () => (await import("./suites.ts")).suites,
  });
}
