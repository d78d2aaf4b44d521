import * as z from "zod";
import { ApiError } from "../../lib/client/mod.ts";
import { Suite } from "../../lib/harness/mod.ts";
import { AdmissionError, defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

/** Admits gadgets that are small enough. */
const Gadget = defineResource({
  group: "webhook.test.pintle.dev",
  version: "v1",
  kind: "Gadget",
  spec: z.object({ size: z.int(), team: z.string().optional() }),
});

function gadgets(): Operator {
  const operator = new Operator("gadgets");
  operator.on(Gadget)
    .reconcile(({ status }) =>
      status.condition({ type: "Ready", status: true, reason: "Seen", message: "it was seen" })
    )
    .mutate(({ draft }) => void (draft.spec.team ??= "nobody"), { id: "team" })
    .validate(({ spec }) => {
      if (spec.size > 5) throw new AdmissionError("spec.size is above 5");
    }, { id: "size" });
  return operator;
}

function gadget(name: string, size: number) {
  return { apiVersion: "webhook.test.pintle.dev/v1", kind: "Gadget", metadata: { name }, spec: { size } } as never;
}

const suite = new Suite("admission", gadgets).scenario("a gadget is judged", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario;
  await given("a small one", () => cluster.createManifest(gadget("small", 5)));
  await then("it belongs to a team", () => expect(ref(Gadget, "small")).toMatch({ spec: { team: "nobody" } }));
  await then("a large one is refused", async () => {
    const refused = await cluster.createManifest(gadget("large", 6)).then(() => undefined, (error) => error);
    if (!(refused instanceof ApiError && /denied the request: spec.size is above 5/.test(refused.message))) {
      throw new Error(`it was not: ${refused}`);
    }
  });
});

Deno.exitCode = await cli(gadgets(), {
  args: Deno.args,
  env: Deno.env.toObject(),
  suites: () => Promise.resolve([suite]),
});
