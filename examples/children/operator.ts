// Children with an inventory: a Site is one ConfigMap for each of its pages, and a page that goes takes its ConfigMap
// along.
// Try it: deno run -A examples/children/operator.ts run --cluster embedded
import * as z from "zod";
import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import { joinedName } from "@pintle/pintle/client";

/** Pages by name. */
export const Site = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Site",
  spec: z.object({ pages: z.record(z.string(), z.string().max(10_000)) }),
  status: z.object({ pages: z.int().optional() }),
});

/** A fresh operator. */
export function operator(): Operator {
  const made = new Operator("sites");
  made.on(Site).reconcile(async ({ name, spec, apply, prune, status, events }) => {
    const pages = Object.entries(spec.pages);
    for (const [page, text] of pages) {
      // A page may be called anything: the name is made to fit, and the same page always gets the same one.
      const child = joinedName(name, page.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, ""));
      const labels = { "examples.pintle.dev/site": name };
      await apply(ConfigMap, { metadata: { name: child, labels }, data: { title: page, text } });
    }
    for (const gone of await prune()) events.normal("PageGone", gone.name);
    status.set({ pages: pages.length });
  }, { owns: [ConfigMap] });
  return made;
}

if (import.meta.main) Deno.exitCode = await cli(operator(), { args: Deno.args, env: Deno.env.toObject() });
