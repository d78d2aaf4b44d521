/**
 * `deno task explore`: the scenarios of the shipped operator, of the examples and of the template for new projects,
 * each under each fault, in virtual time. Options of `test --explore` may follow.
 *
 * @module
 */
import { Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import type { Suite } from "@pintle/pintle/testing";

/** Examples with a suite; `embedding` and `peering` have none. */
const EXAMPLES = [
  "admission",
  "builtin_kinds",
  "children",
  "daemons",
  "filters",
  "handlers",
  "hooks",
  "indexing",
  "kopf_migration",
  "memos",
  "minimal",
  "multi_namespace",
  "sub_handlers",
  "timers",
  "versions",
  "volume_claim",
];

async function suites(): Promise<Suite[]> {
  const { suites: shipped } = await import("../tests/replicator/suites.ts");
  const { suite: template } = await import("../templates/operator/tests/widget_scenarios.ts");
  const examples = await Promise.all(EXAMPLES.map(async (name) => {
    const { suite } = await import(`../examples/${name}/operator_test.ts`) as { readonly suite: Suite };
    return suite;
  }));
  return [...shipped, ...examples, template];
}

if (import.meta.main) {
  const args = Deno.args[0] === "test" ? Deno.args : ["test", "--explore", ...Deno.args];
  Deno.exitCode = await cli(new Operator("explored"), { args, env: Deno.env.toObject(), suites });
}
