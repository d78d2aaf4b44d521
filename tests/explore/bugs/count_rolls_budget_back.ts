// A change handler writes the count that it was called with: an old one rolls the budget back (cloud-on-k8s#5274).
import { defineResource, type ObjectOf, Operator, PodDisruptionBudget, type ReconcileContext } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Search = defineResource({
  group: "searches.example.com",
  version: "v1",
  kind: "Search",
  spec: z.object({ count: z.int().min(1).default(1) }),
});

type SearchContext = Pick<
  ReconcileContext<ObjectOf<typeof Search>, { count: number }, object>,
  "name" | "spec" | "apply"
>;

function operator(isFixed: boolean): Operator {
  const made = new Operator("searches");
  const applyBudget = async ({ name, spec, apply }: SearchContext) => {
    await apply(PodDisruptionBudget, { spec: { minAvailable: spec.count, selector: { matchLabels: { app: name } } } });
  };
  if (isFixed) made.on(Search).reconcile(applyBudget, { owns: [PodDisruptionBudget] });
  else made.on(Search).field("spec.count", applyBudget, { id: "count" });
  made.permissions({
    apiGroups: ["policy"],
    resources: ["poddisruptionbudgets"],
    verbs: ["get", "create", "patch"],
  });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("count_rolls_budget_back", () => operator(isFixed));
  suite.scenario("a search grows twice", async ({ given, when, then, cluster, expect, ref }) => {
    const search = ref(Search, "s");
    const counted = (minAvailable: number) => async () => {
      await expect(ref(PodDisruptionBudget, "s")).toMatch({ spec: { minAvailable } });
    };
    await given("a search", () => cluster.create(Search, { metadata: { name: "s" }, spec: {} }));
    await given("its budget", counted(1));
    for (const count of [2, 3]) {
      await when(`it grows to ${count}`, () => cluster.patch(search, { spec: { count } }));
      await then("its budget grows", counted(count));
    }
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
