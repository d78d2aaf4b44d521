// A conflict is taken for another client's success: the generation that was observed stays the old one (conflict).
import { ConfigMap, ConflictError, defineResource, type ObjectOf, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Route = defineResource({
  group: "routes.example.com",
  version: "v1",
  kind: "WebRoute",
  spec: z.object({ path: z.string().default("/") }),
});

const OBSERVED = "routes.example.com/observed";

/** Writes what it has observed into a ConfigMap that others write to as well. */
function operator(isFixed: boolean): Operator {
  const made = new Operator("routes");
  made.on(Route).reconcile(async ({ object, name, namespace, spec, client }) => {
    const key = { namespace, name: `${name}-table` };
    const table = await client.get<ObjectOf<typeof ConfigMap>>(ConfigMap, key);
    const data = { ...table.data, path: spec.path, [OBSERVED.split("/")[1]!]: `${object.metadata.generation}` };
    try {
      await client.replace(ConfigMap, { ...table, data });
    } catch (error) {
      if (!isFixed && error instanceof ConflictError) return;
      throw error;
    }
  });
  made.permissions({ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "update"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("conflict_swallowed", () => operator(isFixed));
  suite.scenario("a route is in its table", async ({ given, when, then, cluster, expect, ref }) => {
    const route = ref(Route, "r"), table = ref(ConfigMap, "r-table");
    await given(
      "a table",
      () => cluster.create(ConfigMap, { metadata: { name: "r-table" }, data: { owner: "gateway" } }),
    );
    await given("a route", () => cluster.create(Route, { metadata: { name: "r" }, spec: {} }));
    await given("it is ready", () => expect(route).toHaveCondition("Ready"));
    await when("it changes", () => cluster.patch(route, { spec: { path: "/shop" } }));
    await then("it is ready again", () =>
      expect(route).toSatisfy("to be observed", ({ metadata, status }) => {
        return (status as { observedGeneration?: number })?.observedGeneration === metadata?.generation;
      }));
    await then("the table is there", () => expect(table).toExist());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
