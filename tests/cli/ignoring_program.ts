// A program whose operator has a planted bug: it passes its scenario, and ignores a field of another spec.
import { cli } from "@pintle/pintle/cli";
import { buggy } from "../explore/bugs/field_ignored.ts";

const { operator } = await buggy.open();

if (import.meta.main) {
  Deno.exitCode = await cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: () => Promise.resolve([buggy]),
  });
}
