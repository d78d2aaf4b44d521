import { ConfigMap, type ConfigMapObject, type ObjectOf } from "@pintle/pintle";
import type { DemoScenario, DemoView } from "@pintle/pintle/cli";
import type { Client } from "@pintle/pintle/client";
import { Widget } from "./main.ts";

const namespace = "default";

/** The story that `demo` tells. */
export const demo = (): DemoScenario => ({
  title: "my-operator keeps a ConfigMap for every Widget",
  unit: "ConfigMaps",
  watches: [Widget, ConfigMap],
  steps: [
    { title: "three Widgets are created", act: create },
    {
      title: "the Widget door grows",
      act: async (client) => {
        const body = { spec: { size: 12 } };
        await client.patch(Widget, { namespace, name: "door" }, { type: "merge", body });
      },
    },
    {
      title: "the ConfigMap of roof is deleted",
      act: async (client) => {
        await client.delete(ConfigMap, { namespace, name: "roof" });
      },
    },
  ],
  suggestions: [
    "kubectl get widgets,configmaps",
    "kubectl delete configmap door",
    "kubectl edit widget wall",
  ],
  observe,
});

async function create(client: Client): Promise<void> {
  for (const [name, size] of Object.entries({ door: 3, roof: 40, wall: 25 })) {
    await client.create(Widget, { metadata: { name, namespace }, spec: { size, mode: "shiny" } });
  }
}

/** Looks at the cluster itself, never at what the operator says of it. */
async function observe(client: Client): Promise<DemoView> {
  const { items } = await client.list<ObjectOf<typeof Widget>>(Widget, { namespace });
  const children = await client.list<ConfigMapObject>(ConfigMap, { namespace });
  const rows = items.map(({ metadata, spec }) => {
    const name = metadata?.name ?? "", data = children.items.find((each) => each.metadata?.name === name)?.data;
    if (!data) return { name, state: "waiting" as const, detail: "no ConfigMap" };
    const state = data.size === `${spec.size}` ? "current" as const : "outdated" as const;
    return { name, state, detail: `ConfigMap says ${data.size}` };
  });
  return { rows, current: rows.filter(({ state }) => state === "current").length, wanted: rows.length };
}
