// Another size deletes the StatefulSet: an old size does, too, and nothing manages the pods (cluster-operator#653).
import { defineResource, type ObjectOf, Operator, StatefulSet, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Queue = defineResource({
  group: "queues.example.com",
  version: "v1",
  kind: "Queue",
  spec: z.object({ storage: z.enum(["1Gi", "2Gi", "4Gi"]).default("1Gi") }),
  status: z.object({ storage: z.string().optional() }),
});

const storageOf = ({ spec }: ObjectOf<typeof StatefulSet>) =>
  spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage;

function operator(isFixed: boolean): Operator {
  const made = new Operator("queues");
  made.on(Queue).reconcile(async ({ object, name, namespace, spec, client, apply, status }) => {
    const key = { namespace, name }, set = await client.find<ObjectOf<typeof StatefulSet>>(StatefulSet, key);
    if (set && storageOf(set) !== spec.storage) {
      // Claim templates cannot change: the pods stay, and the next StatefulSet adopts them.
      if (isFixed && (await client.get(Queue, key)).metadata?.generation !== object.metadata.generation) {
        throw new TemporaryError("the queue has changed meanwhile", { delay: "5s", reason: "Outdated" });
      }
      await remove(client, StatefulSet, key, { uid: set.metadata!.uid, propagationPolicy: "Orphan" });
      throw new TemporaryError("the StatefulSet is replaced", { delay: "1s", reason: "Resizing" });
    }
    await apply(StatefulSet, { spec: statefulSetSpec(name, 1, spec.storage) });
    status.set({ storage: spec.storage });
  }, { owns: [StatefulSet] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("resize_deletes_statefulset", () => operator(isFixed));
  suite.scenario("a queue gets more storage", async ({ given, when, then, cluster, expect, ref }) => {
    const queue = ref(Queue, "jobs");
    await given("a queue", () => cluster.create(Queue, { metadata: { name: "jobs" }, spec: {} }));
    await given("it has 1Gi", () => expect(queue).toMatch({ status: { storage: "1Gi" } }));
    await when("it is resized", () => cluster.patch(queue, { spec: { storage: "2Gi" } }));
    await then("it has 2Gi", () => expect(queue).toMatch({ status: { storage: "2Gi" } }));
    await then(
      "so has its StatefulSet",
      () => expect(ref(StatefulSet, "jobs")).toSatisfy("to have 2Gi", (set) => storageOf(set) === "2Gi"),
    );
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
