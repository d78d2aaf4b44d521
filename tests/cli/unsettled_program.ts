/**
 * A program for tests: its suites are never loaded, and its module does not await its commands.
 *
 * @module
 */
import { Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

void cli(new Operator("unsettled"), {
  args: Deno.args,
  env: Deno.env.toObject(),
  suites: () => new Promise(() => {}),
}).then((code) => Deno.exitCode = code);
