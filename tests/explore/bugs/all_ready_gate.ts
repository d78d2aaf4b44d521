// Nothing changes until every pod is ready: what is never ready is never corrected (opensearch-operator#856). By specs.
import { defineResource, type ObjectOf, Operator, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { statefulSetSpec } from "../pods.ts";

const Index = defineResource({
  group: "indexes.example.com",
  version: "v1",
  kind: "SearchIndex",
  spec: z.object({ size: z.int().min(0).max(5).default(1) }),
  status: z.object({ size: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("indexes");
  made.on(Index).reconcile(async ({ name, namespace, spec, cached, apply, status }) => {
    const set: ObjectOf<typeof StatefulSet> | undefined = cached(StatefulSet).get({ namespace, name });
    if (!isFixed && set && !set.status?.readyReplicas) {
      return status.condition({ type: "Ready", status: false, reason: "PodsNotReady", message: "waits for its pods" });
    }
    await apply(StatefulSet, { spec: statefulSetSpec(name, spec.size) });
    status.set({ size: spec.size });
  }, { owns: [StatefulSet] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("all_ready_gate", () => operator(isFixed));
  suite.scenario("an index grows", async ({ given, when, then, cluster, expect, ref }) => {
    const index = ref(Index, "i"), set = ref(StatefulSet, "i");
    await given("an index", () => cluster.create(Index, { metadata: { name: "i" }, spec: {} }));
    await given("its pod is ready", () => expect(set).toMatch({ status: { readyReplicas: 1 } }));
    await when("it grows", () => cluster.patch(index, { spec: { size: 2 } }));
    await then("both pods are ready", () => expect(set).toMatch({ status: { readyReplicas: 2 } }));
    await then("it is ready", () => expect(index).toHaveCondition("Ready"));
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
