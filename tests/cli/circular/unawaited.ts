/**
 * A program for tests whose suites import it, and which awaits nothing: that is no circle.
 *
 * @module
 */
import { cli } from "../../../lib/cli.ts";
import { Operator } from "../../../lib/mod.ts";

export function operator(): Operator {
  return new Operator("straight");
}

if (import.meta.main) {
  void cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: async () => (await import("./unawaited_suites.ts")).suites,
  }).then((code) => Deno.exitCode = code);
}
