// New storage needs the member to be off once: off and on, unseen, keeps the old StatefulSet (K8SPSMDB-585).
import { defineResource, type ObjectOf, Operator, sleep, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Arbiter = defineResource({
  group: "arbiters.example.com",
  version: "v1",
  kind: "Arbiter",
  spec: z.object({ enabled: z.boolean().default(true), storage: z.enum(["1Gi", "2Gi"]).default("1Gi") }),
  status: z.object({ enabled: z.boolean().optional() }),
});

const storageOf = ({ spec }: ObjectOf<typeof StatefulSet>) =>
  spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage;

function operator(isFixed: boolean): Operator {
  const made = new Operator("arbiters");
  made.on(Arbiter).reconcile(async ({ name, namespace, spec, client, apply, status }) => {
    const key = { namespace, name }, set = await client.find<ObjectOf<typeof StatefulSet>>(StatefulSet, key);
    const isOutdated = set !== undefined && storageOf(set) !== spec.storage;
    if (set && (!spec.enabled || isFixed && isOutdated)) {
      await remove(client, StatefulSet, key, { uid: set.metadata!.uid });
    }
    // Claim templates of a StatefulSet cannot change.
    if (spec.enabled && (!set || isFixed)) {
      await apply(StatefulSet, { spec: statefulSetSpec(name, 1, spec.storage) });
    }
    status.set({ enabled: spec.enabled });
  }, { owns: [StatefulSet] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("off_and_on_unseen", () => operator(isFixed));
  suite.scenario("an arbiter moves to another disk", async ({ given, when, then, cluster, expect, ref, clock }) => {
    const arbiter = ref(Arbiter, "a");
    await given("an arbiter", () => cluster.create(Arbiter, { metadata: { name: "a" }, spec: {} }));
    await given("it is on", () => expect(arbiter).toMatch({ status: { enabled: true } }));
    await when("it is turned off", () => cluster.patch(arbiter, { spec: { enabled: false } }));
    await when("it is turned on with more storage soon", async () => {
      await sleep(clock, 3_000);
      await cluster.patch(arbiter, { spec: { enabled: true, storage: "2Gi" } });
    });
    await then(
      "it has more storage",
      () => expect(ref(StatefulSet, "a")).toSatisfy("to have 2Gi", (set) => storageOf(set) === "2Gi"),
    );
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
