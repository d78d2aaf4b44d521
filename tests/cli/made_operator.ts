import { Operator } from "../../lib/mod.ts";
import { cli, integer } from "../../lib/cli.ts";

/** A program whose operator is made from its settings; some of its authors take a name that no operator can have. */
const name = Deno.env.get("GADGETS") ?? "gadgets";
Deno.exitCode = await cli(({ size }) => new Operator(size > 1 ? name : "gadget"), {
  args: Deno.args,
  env: Deno.env.toObject(),
  settings: {
    size: integer({ env: "PINTLE_SIZE", flag: "size", default: "2", description: "How many" }, { min: 1, max: 10 }),
  },
});
