import { Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** A program that says it makes projects, and was built without what they are made of. */
Deno.exitCode = await cli(new Operator("rootless"), {
  args: Deno.args,
  env: Deno.env.toObject(),
  root: "/nowhere",
  scaffolds: true,
});
