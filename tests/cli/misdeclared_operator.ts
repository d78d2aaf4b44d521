import * as z from "zod";
import { Suite } from "../../lib/harness/mod.ts";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/**
 * An operator of a kind that no CRD can hold, or, where `REFUSED` is set, of one whose CRD every API server refuses.
 */
const size = Deno.env.has("REFUSED")
  ? z.int().meta({ "x-kubernetes-validations": [{ rule: "self >", message: "no rule" }] })
  : z.union([z.boolean(), z.string()]);
const Widget = defineResource({
  group: "misdeclared.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({ size }),
});
function operator(): Operator {
  const made = new Operator("misdeclared");
  made.on(Widget).reconcile(() => {});
  return made;
}
if (import.meta.main) {
  const suite = new Suite("misdeclared", operator).scenario("it runs", ({ given }) => given("nothing", () => {}));
  Deno.exitCode = await cli(operator(), {
    args: Deno.args,
    env: Deno.env.toObject(),
    suites: () => Promise.resolve([suite]),
    demo: () => ({
      title: "",
      unit: "",
      steps: [],
      watches: [],
      suggestions: [],
      observe: () => Promise.resolve({ current: 0, wanted: 0, rows: [] }),
    }),
  });
}
