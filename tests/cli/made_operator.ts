import { Operator } from "../../lib/mod.ts";
import { cli, integer } from "../../lib/cli.ts";

/** A program whose operator is made from its settings. */
Deno.exitCode = await cli(({ size }) => new Operator(size > 1 ? "gadgets" : "gadget"), {
  args: Deno.args,
  env: Deno.env.toObject(),
  settings: {
    size: integer({ env: "PINTLE_SIZE", flag: "size", fallback: "2", description: "How many" }, { min: 1, max: 10 }),
  },
});
