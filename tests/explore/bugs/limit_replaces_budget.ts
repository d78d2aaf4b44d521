// Another limit deletes and creates the budget: an old one does, too, and pods are unprotected (casskop#321).
import { defineResource, type ObjectOf, Operator, PodDisruptionBudget } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { remove } from "../remove.ts";

const Group = defineResource({
  group: "groups.example.com",
  version: "v1",
  kind: "Group",
  spec: z.object({ maxUnavailable: z.int().min(0).default(1) }),
  status: z.object({ maxUnavailable: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("groups");
  made.on(Group).reconcile(async ({ name, namespace, spec, client, apply, status }) => {
    const key = { namespace, name };
    const budget = await client.find<ObjectOf<typeof PodDisruptionBudget>>(PodDisruptionBudget, key);
    const isOther = budget !== undefined && budget.spec?.maxUnavailable !== spec.maxUnavailable;
    if (isOther && !isFixed) await remove(client, PodDisruptionBudget, key, { uid: budget.metadata!.uid });
    const selector = { matchLabels: { app: name } };
    await apply(PodDisruptionBudget, { spec: { maxUnavailable: spec.maxUnavailable, selector } });
    status.set({ maxUnavailable: spec.maxUnavailable });
  }, { owns: [PodDisruptionBudget] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("limit_replaces_budget", () => operator(isFixed));
  suite.scenario("a group gets another limit", async ({ given, when, then, cluster, expect, ref }) => {
    const group = ref(Group, "g"), budget = ref(PodDisruptionBudget, "g");
    const limited = (maxUnavailable: number) => async () => {
      await expect(group).toMatch({ status: { maxUnavailable } });
      await expect(budget).toMatch({ spec: { maxUnavailable } });
    };
    await given("a group", () => cluster.create(Group, { metadata: { name: "g" }, spec: {} }));
    await given("its budget", limited(1));
    await when("its limit changes", () => cluster.patch(group, { spec: { maxUnavailable: 2 } }));
    await then("its budget has it", limited(2));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
