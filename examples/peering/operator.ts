// Peering: which process works: the one in production, a developer's that takes over from it, or none while they are
// frozen. The operator declares none of that: it is decided when a process is started.
// Try it: deno run -A examples/peering/operator.ts install, then `… run --peering errands` in one terminal and
// `… run --dev` in another; `… freeze --priority 700` in a third stops both.
import * as z from "zod";
import { defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";

/** Something to be done once. */
export const Errand = defineResource({
  group: "examples.pintle.dev",
  version: "v1",
  kind: "Errand",
  spec: z.object({ what: z.string().min(1) }),
  status: z.object({ doneBy: z.string().optional() }),
});

/** A fresh operator; `who` is the host that it runs on. */
export function operator(who: string): Operator {
  const made = new Operator("errands");
  made.on(Errand).create(({ spec, status, log }) => {
    log.info("an errand is done", { what: spec.what });
    status.set({ doneBy: who });
  });
  return made;
}

if (import.meta.main) {
  const env = Deno.env.toObject();
  Deno.exitCode = await cli(operator(env.HOSTNAME ?? "unnamed"), { args: Deno.args, env });
}
