import * as z from "zod";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";
import { builtinKind } from "../../lib/operator/mod.ts";

/** An operator of a kind of its own that watches, handles and owns kinds that others bring. */
const group = "borrowed.test.pintle.dev";
const foreign = (kind: string) => builtinKind({ group, version: "v1", kind });
const Widget = defineResource({ group: "own.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({}) });
const operator = new Operator("borrowing");
operator.on(Widget).reconcile(() => {}, {
  owns: [foreign("Child")],
  watches: [{ resource: foreign("Source"), map: () => [] }],
});
operator.on(foreign("Handled")).reconcile(() => {});
if (import.meta.main) Deno.exitCode = await cli(operator, { args: Deno.args, env: Deno.env.toObject() });
