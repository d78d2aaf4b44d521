// The smaller count is written before what remembers the leaving node: a crash between them loses it (casskop#370).
import { defineResource, Job, type ObjectOf, Operator, requeueAfter, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec, statefulSetSpec } from "../pods.ts";

const Nodes = defineResource({
  group: "nodes.example.com",
  version: "v1",
  kind: "NodeGroup",
  spec: z.object({ size: z.int().min(1).default(3) }),
  status: z.object({ leaving: z.int().optional(), size: z.int().optional() }),
});

const leaveJob = (name: string, node: number) => ({
  metadata: { name: `${name}-leave-${node}` },
  spec: { template: { spec: { ...podSpec, restartPolicy: "Never" as const } } },
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("nodes");
  made.on(Nodes).reconcile(async ({ object, name, namespace, spec, client, apply, status }) => {
    const set = await client.find<ObjectOf<typeof StatefulSet>>(StatefulSet, { namespace, name });
    const size = set?.spec?.replicas ?? spec.size, node = size - 1, leaving = object.status?.leaving;
    if (leaving !== undefined) {
      await apply(Job, leaveJob(name, leaving));
      status.set({ leaving: undefined });
    }
    if (size > spec.size) {
      if (isFixed) {
        const job = await apply(Job, leaveJob(name, node));
        if (!job.status?.succeeded) return;
      }
      await apply(StatefulSet, { spec: statefulSetSpec(name, node) });
      if (!isFixed) status.set({ leaving: node });
      return requeueAfter("1s");
    }
    await apply(StatefulSet, { spec: statefulSetSpec(name, spec.size) });
    status.set({ size: spec.size });
  }, { owns: [StatefulSet, Job] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("scale_down_progress_lost", () => operator(isFixed));
  suite.scenario("nodes leave before they go", async ({ given, when, then, cluster, expect, ref }) => {
    const nodes = ref(Nodes, "ring");
    await given("three nodes", () => cluster.create(Nodes, { metadata: { name: "ring" }, spec: {} }));
    await given("they exist", () => expect(nodes).toMatch({ status: { size: 3 } }));
    await when("one node is enough", () => cluster.patch(nodes, { spec: { size: 1 } }));
    await then("two have gone", () => expect(nodes).toMatch({ status: { size: 1 } }));
    await then("both have left before", async () => {
      for (const node of [2, 1]) await expect(ref(Job, `ring-leave-${node}`)).toExist();
    });
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
