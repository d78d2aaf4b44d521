// Settings are read from the store, and their changes bring no reconcile: seen late, the default stays (reordering).
import { ConfigMap, defineResource, Deployment, keyOf, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Proxy = defineResource({
  group: "proxies.example.com",
  version: "v1",
  kind: "Proxy",
  spec: z.object({ settings: z.string().min(1) }),
  status: z.object({ replicas: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("proxies");
  made.on(Proxy).reconcile(async ({ name, namespace, spec, cached, apply, status }) => {
    const settings = cached(ConfigMap).get({ namespace, name: spec.settings })?.data ?? {};
    const replicas = Number(settings.replicas ?? 1), labels = { app: name };
    await apply(Deployment, {
      spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
    });
    status.set({ replicas });
  }, {
    owns: [Deployment],
    watches: [{
      resource: ConfigMap,
      map: ({ object: { metadata }, primaries }) =>
        !isFixed
          ? []
          : [...primaries].filter((proxy) =>
            proxy.metadata.namespace === metadata?.namespace && proxy.spec.settings === metadata?.name
          ).map(keyOf),
    }],
  });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("settings_seen_late", () => operator(isFixed));
  suite.scenario("a proxy has settings", async ({ given, then, cluster, expect, ref }) => {
    await given("settings", () => cluster.create(ConfigMap, { metadata: { name: "s" }, data: { replicas: "3" } }));
    await given("a first proxy", () => cluster.create(Proxy, { metadata: { name: "p" }, spec: { settings: "s" } }));
    await given("it is ready", () => expect(ref(Proxy, "p")).toHaveCondition("Ready"));
    await given("a second proxy", () => cluster.create(Proxy, { metadata: { name: "q" }, spec: { settings: "s" } }));
    await then("both are ready", async () => {
      for (const name of ["p", "q"]) await expect(ref(Proxy, name)).toHaveCondition("Ready");
    });
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
