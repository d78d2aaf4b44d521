import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { cli } from "@pintle/pintle/cli";
import * as z from "zod";
import { demo } from "./demo.ts";

/** The kind: its types, its CRD and the check of every object follow from these schemas. */
export const Widget = defineResource({
  group: "my-operator.example.com",
  version: "v1alpha1",
  kind: "Widget",
  columns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
  spec: z.object({ size: z.int().min(1), mode: z.enum(["plain", "shiny"]).default("plain") }),
  status: z.object({ configMap: z.string().optional() }),
});

/** A new operator. Its name is its identity in a cluster: a renamed one leaves fields and finalizers behind. */
export function operator(): Operator {
  const made = new Operator("my-operator");
  made.on(Widget).reconcile(async ({ name, spec, status, apply }) => {
    await apply(ConfigMap, { data: { size: `${spec.size}`, mode: spec.mode } });
    status.set({ configMap: name });
  }, { owns: [ConfigMap] });
  return made;
}

if (import.meta.main) { // cli is not awaited, because the suites import this file
  const suites = async () => (await import("./tests/suites.ts")).suites, root = import.meta.dirname;
  const options = { name: "my-operator", version: "0.1.0", root, demo, suites };
  cli(operator, { ...options, args: Deno.args, env: Deno.env.toObject() }).then((code) => Deno.exitCode = code);
}
