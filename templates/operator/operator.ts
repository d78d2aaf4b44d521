import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import * as z from "zod";

const spec = z.object({
  size: z.int().min(1).max(1_000_000).describe("How large it is."),
  mode: z.enum(["plain", "shiny"]).default("plain").describe("How it looks."),
});

/** What a Widget asks for, with defaults. */
export type WidgetSpec = z.output<typeof spec>;

/** The operator's own kind: types, CRD and the check of every object follow from its schemas. */
export const Widget = defineResource({
  group: "my-operator.example.com",
  version: "v1alpha1",
  kind: "Widget",
  description: "A thing of some size.",
  columns: [
    { name: "Ready", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: "Size", type: "integer", jsonPath: ".spec.size" },
  ],
  spec,
  status: z.object({ configMap: z.string().optional().describe("Name of the ConfigMap that shows it.") }),
});

/** Sizes above this one get a warning. */
const LARGE = 1_000;

/** What the ConfigMap of a Widget holds: a pure function, so that it can be tested alone. */
export function contentOf({ size, mode }: WidgetSpec): Record<string, string> {
  return { size: `${size}`, label: mode === "shiny" ? `*${size}*` : `${size}` };
}

/** A fresh operator. Its name is its identity in a cluster: renaming it leaves fields and finalizers of the old one behind. */
export function operator(): Operator {
  const made = new Operator("my-operator");
  made.on(Widget).reconcile(async ({ name, spec, status, apply, events }) => {
    if (spec.size > LARGE) events.warning("Large", `size ${spec.size} will take a while`);
    // A child: it is owned by the Widget, restored when somebody changes or deletes it, and goes with the Widget.
    await apply(ConfigMap, { data: contentOf(spec) });
    status.set({ configMap: name });
    status.condition({
      type: "Ready",
      status: true,
      reason: "Applied",
      message: `ConfigMap ${name} is as it should be`,
    });
  }, { owns: [ConfigMap] });
  return made;
}
