import { cli } from "@pintle/pintle/cli";
import type { Suite } from "@pintle/pintle/testing";

/** The program of an operator with a planted bug, whose scenario passes without a fault. Returns its exit code. */
export async function bugProgram(suite: Suite): Promise<number> {
  const { operator } = await suite.open();
  return await cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: () => Promise.resolve([suite]),
  });
}
