// Claims of a smaller ensemble are deleted by name: a late deletion removes a new disk (zookeeper-operator#513).
import { defineResource, Operator, PersistentVolumeClaim, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { claimSpec, statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Keeper = defineResource({
  group: "keepers.example.com",
  version: "v1",
  kind: "Keeper",
  spec: z.object({ size: z.int().min(1).max(5).default(2) }),
  status: z.object({ size: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("keepers");
  made.on(Keeper).reconcile(async ({ name, namespace, spec, cached, client, apply, status }) => {
    await apply(StatefulSet, { spec: statefulSetSpec(name, spec.size) });
    for (let index = 0; index < spec.size; index++) {
      await apply(PersistentVolumeClaim, { metadata: { name: `${name}-${index}` }, spec: claimSpec() });
    }
    for (let index = spec.size; index < 5; index++) {
      const key = { namespace, name: `${name}-${index}` }, claim = cached(PersistentVolumeClaim).get(key);
      if (claim) await remove(client, PersistentVolumeClaim, key, isFixed ? { uid: claim.metadata!.uid } : {});
    }
    status.set({ size: spec.size });
  }, { owns: [StatefulSet, PersistentVolumeClaim] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("grow_before_cleanup", () => operator(isFixed));
  suite.scenario("a keeper shrinks and grows", async ({ given, when, then, cluster, expect, ref }) => {
    const keeper = ref(Keeper, "k"), claim = ref(PersistentVolumeClaim, "k-1");
    const annotations = { "keepers.example.com/data": "log" };
    const sized = (size: number) => () => expect(keeper).toMatch({ status: { size } });
    await given("a keeper of two", () => cluster.create(Keeper, { metadata: { name: "k" }, spec: {} }));
    await given("it has two", sized(2));
    await when("one is enough", () => cluster.patch(keeper, { spec: { size: 1 } }));
    await then("the disk of the second is gone", () => expect(claim).toBeGone());
    await when("there are two again", () => cluster.patch(keeper, { spec: { size: 2 } }));
    await when("the second has data", async () => {
      await expect(claim).toExist();
      await cluster.patch(claim, { metadata: { annotations } });
    });
    await then("it keeps the data", () => expect(claim).toMatch({ metadata: { annotations } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
