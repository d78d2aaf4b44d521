// A watch that breaks before its first list is complete goes on behind it: the rest is never seen (kubernetes#140890).
import { defineResource, Operator, sleep } from "@pintle/pintle";
import { ConfigMap } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Inventory = defineResource({
  group: "inventories.example.com",
  version: "v1",
  kind: "Inventory",
  spec: z.object({}),
  status: z.object({ items: z.array(z.string()).optional() }),
});

const COMPLETE = "k8s.io/initial-events-end";

function operator(isFixed: boolean): Operator {
  const made = new Operator("inventories");
  made.on(Inventory).daemon(async ({ name: own, namespace, client, report, stopped, clock }) => {
    const items = new Set<string>();
    let resourceVersion: string | undefined, isComplete = false;
    while (!stopped.aborted) {
      if (isFixed && !isComplete) resourceVersion = undefined;
      const selected = { namespace, labelSelector: `inventory=${own}`, signal: stopped };
      const options = resourceVersion ? { resourceVersion } : { sendInitialEvents: true };
      try {
        for await (const { type, object } of client.watch(ConfigMap, { ...selected, ...options })) {
          const { name = "", annotations = {} } = object.metadata ?? {};
          resourceVersion = object.metadata?.resourceVersion;
          if (type === "BOOKMARK") isComplete ||= COMPLETE in annotations;
          else if (type === "DELETED") items.delete(name);
          else items.add(name);
          report((status) => status.set({ items: [...items].sort() }));
        }
      } catch {
        resourceVersion = undefined; // expired, or unreachable
        isComplete = false;
      }
      await sleep(clock, 1_000, stopped).catch(() => {});
    }
  }, { id: "follow" });
  made.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("list_cut_short", () => operator(isFixed));
  suite.scenario("an inventory is complete", async ({ given, when, then, cluster, expect, ref }) => {
    const inventory = ref(Inventory, "i");
    const item = (name: string) => () =>
      cluster.create(ConfigMap, { metadata: { name, labels: { inventory: "i" } }, data: {} });
    // Newer objects come first in the list.
    for (const name of ["c", "b", "a"]) await given(`an item ${name}`, item(name));
    await given("an inventory", () => cluster.create(Inventory, { metadata: { name: "i" }, spec: {} }));
    await then("it has three", () => expect(inventory).toMatch({ status: { items: ["a", "b", "c"] } }));
    await when("there is another item", item("d"));
    await then("it has four", () => expect(inventory).toMatch({ status: { items: ["a", "b", "c", "d"] } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
