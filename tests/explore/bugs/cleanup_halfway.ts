// The cleanup begins only if its first object exists: a crash after that leaves the others forever (K8SPXC-979).
import { defineResource, Operator, PersistentVolumeClaim, Secret, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { claimSpec, statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Store = defineResource({
  group: "stores.example.com",
  version: "v1",
  kind: "Store",
  spec: z.object({ user: z.string().default("root") }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("stores");
  made.on(Store)
    .reconcile(async ({ name, spec, apply }) => {
      const options = { owned: isFixed };
      await apply(StatefulSet, { spec: statefulSetSpec(name, 1) }, options);
      await apply(PersistentVolumeClaim, { spec: claimSpec() }, options);
      await apply(Secret, { data: { user: btoa(spec.user) } }, options);
    }, { owns: [StatefulSet, PersistentVolumeClaim, Secret] })
    .delete(async ({ name, namespace, client }) => {
      const key = { namespace, name };
      if (!isFixed && !await client.find(StatefulSet, key)) return; // is cleaned up already
      for (const kind of [StatefulSet, PersistentVolumeClaim, Secret]) await remove(client, kind, key);
    }, { id: "clean-up" });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("cleanup_halfway", () => operator(isFixed));
  suite.scenario("nothing of a store is left", async ({ given, when, then, cluster, expect, ref }) => {
    const store = ref(Store, "s");
    await given("a store", async () => {
      await cluster.create(Store, { metadata: { name: "s" }, spec: {} });
      await expect(store).toHaveCondition("Ready");
    });
    await when("it is deleted", () => cluster.delete(store));
    await then("it is gone", () => expect(store).toBeGone());
    await then("so is its StatefulSet", () => expect(ref(StatefulSet, "s")).toBeGone());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
