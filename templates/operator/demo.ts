import type { ConfigMapObject, DynamicObject } from "@pintle/pintle";
import type { DemoScenario, DemoView } from "@pintle/pintle/cli";
import type { Client } from "@pintle/pintle/client";
import { ConfigMap } from "@pintle/pintle";
import { contentOf, Widget, type WidgetSpec } from "./operator.ts";

const namespace = "default";

/** The story that `demo` tells. */
export const demo: DemoScenario = {
  title: "my-operator keeps a ConfigMap for every Widget",
  unit: "ConfigMaps",
  watches: [Widget, ConfigMap],
  steps: [
    { title: "three Widgets are created", act: create },
    {
      title: "the Widget door grows",
      act: async (client) => {
        await client.patch(Widget, { namespace, name: "door" }, { type: "merge", body: { spec: { size: 12 } } });
      },
    },
    {
      title: "somebody deletes the ConfigMap of roof",
      act: async (client) => {
        await client.delete(ConfigMap, { namespace, name: "roof" });
      },
    },
  ],
  tryOut: ["kubectl get widgets,configmaps", "kubectl delete configmap door", "kubectl edit widget wall"],
  observe,
};

async function create(client: Client): Promise<void> {
  const apiVersion = `${Widget.group}/${Widget.version}`, { kind } = Widget;
  for (const [name, size] of Object.entries({ door: 3, roof: 40, wall: 25 })) {
    const widget = { apiVersion, kind, metadata: { name, namespace }, spec: { size, mode: "shiny" } };
    await client.create<DynamicObject>(Widget, widget);
  }
}

/** Looks at the cluster itself, never at what the operator says of it. */
async function observe(client: Client): Promise<DemoView> {
  const { items: widgets } = await client.list<DynamicObject>(Widget, { namespace });
  const { items: configMaps } = await client.list<ConfigMapObject>(ConfigMap, { namespace });
  const rows = widgets.map(({ metadata, spec }) => {
    const wanted = contentOf(spec as WidgetSpec), name = metadata?.name ?? "";
    const data = configMaps.find((each) => each.metadata?.name === name)?.data;
    if (!data) return { name, state: "waiting" as const, detail: "no ConfigMap" };
    const same = data.size === wanted.size && data.label === wanted.label;
    return { name, state: same ? "current" as const : "outdated" as const, detail: `ConfigMap says ${data.label}` };
  });
  return { rows, current: rows.filter(({ state }) => state === "current").length, wanted: rows.length };
}
