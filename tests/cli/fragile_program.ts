// A program whose operator has a planted bug: it passes its scenario, and loses the second child to a crash.
import { cli } from "@pintle/pintle/cli";
import { buggy } from "../explore/bugs/second_certificate.ts";

const { operator } = await buggy.open();

if (import.meta.main) {
  Deno.exitCode = await cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: () => Promise.resolve([buggy]),
  });
}
