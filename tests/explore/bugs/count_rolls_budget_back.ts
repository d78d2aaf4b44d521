// The count comes from an index that triggers nothing: an old one rolls the budget back, for good (cloud-on-k8s#5274).
import { defineResource, ObjectIndex, type ObjectOf, Operator, PodDisruptionBudget, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { statefulSetSpec } from "../pods.ts";

const Search = defineResource({
  group: "searches.example.com",
  version: "v1",
  kind: "Search",
  spec: z.object({ shards: z.int().min(1).default(1) }),
  status: z.object({ shards: z.int().optional() }),
});

/** Counts of nodes by `namespace/name`. */
const nodes = new ObjectIndex("nodes", ({ metadata, spec }: ObjectOf<typeof StatefulSet>) => {
  return [[`${metadata?.namespace}/${metadata?.name}`, spec?.replicas ?? 1]];
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("searches");
  made.on(StatefulSet).index(nodes);
  made.on(Search).reconcile(async ({ name, namespace, spec, index, apply, status }) => {
    const [minAvailable = 1] = index(nodes).get(`${namespace}/${name}`);
    await apply(PodDisruptionBudget, { spec: { minAvailable, selector: { matchLabels: { app: name } } } });
    status.set({ shards: spec.shards });
  }, {
    owns: [PodDisruptionBudget],
    watches: isFixed
      ? [{
        resource: StatefulSet,
        map: ({ object: { metadata } }) => [{ namespace: metadata?.namespace, name: metadata!.name! }],
      }]
      : [],
  });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("count_rolls_budget_back", () => operator(isFixed));
  suite.scenario("a search gets a node and a shard", async ({ given, when, then, cluster, expect, ref }) => {
    const search = ref(Search, "s"), set = ref(StatefulSet, "s");
    await given(
      "its nodes",
      () => cluster.create(StatefulSet, { metadata: { name: "s" }, spec: statefulSetSpec("s", 2) }),
    );
    await given("a search", () => cluster.create(Search, { metadata: { name: "s" }, spec: {} }));
    await given("it has a shard", () => expect(search).toMatch({ status: { shards: 1 } }));
    await when("a node is added", () => cluster.patch(set, { spec: { replicas: 3 } }));
    await when("a moment later a shard", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await cluster.patch(search, { spec: { shards: 2 } });
    });
    await then("it has both", () => expect(search).toMatch({ status: { shards: 2 } }));
    await then(
      "its budget is of three nodes",
      () => expect(ref(PodDisruptionBudget, "s")).toMatch({ spec: { minAvailable: 3 } }),
    );
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
