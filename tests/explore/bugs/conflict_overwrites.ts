// After a conflict the old content is sent again with the new version: another client's change is lost (conflict).
import { ConfigMap, type ConfigMapObject, ConflictError, defineResource, Operator } from "@pintle/pintle";
import type { Client } from "@pintle/pintle/client";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Plugin = defineResource({
  group: "plugins.example.com",
  version: "v1",
  kind: "Plugin",
  spec: z.object({ url: z.string() }),
});

async function list(client: Client, registry: ConfigMapObject, entry: Record<string, string>): Promise<void> {
  await client.replace(ConfigMap, { ...registry, data: { ...registry.data, ...entry } });
}

/** Lists each plugin in a ConfigMap that an administrator made. */
function operator(isFixed: boolean): Operator {
  const made = new Operator("plugins");
  made.on(Plugin).reconcile(async ({ name, namespace, spec, client }) => {
    const key = { namespace, name: "registry" }, entry = { [name]: spec.url };
    const registry = await client.get<ConfigMapObject>(ConfigMap, key);
    if (registry.data?.[name] === spec.url) return;
    try {
      await list(client, registry, entry);
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      const latest = await client.get<ConfigMapObject>(ConfigMap, key), { resourceVersion } = latest.metadata!;
      await list(
        client,
        isFixed ? latest : { ...registry, metadata: { ...registry.metadata, resourceVersion } },
        entry,
      );
    }
  });
  made.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "update"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("conflict_overwrites", () => operator(isFixed));
  suite.scenario("a plugin is listed", async ({ given, when, then, cluster, expect, ref }) => {
    const registry = ref(ConfigMap, "registry");
    await given("a registry", () => cluster.create(ConfigMap, { metadata: { name: "registry" }, data: { base: "a" } }));
    await when("a plugin comes", () => cluster.create(Plugin, { metadata: { name: "p" }, spec: { url: "https://p" } }));
    await then("it is listed", () => expect(registry).toMatch({ data: { base: "a", p: "https://p" } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
