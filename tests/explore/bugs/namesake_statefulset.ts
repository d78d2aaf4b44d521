// The deletion deletes a StatefulSet by its name: seen late, it removes that of a new broker (cluster-operator#648).
import { defineResource, type ObjectOf, Operator, StatefulSet } from "@pintle/pintle";
import { controllerOf } from "@pintle/pintle/client";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Broker = defineResource({
  group: "brokers.example.com",
  version: "v1",
  kind: "Broker",
  spec: z.object({ replicas: z.int().min(0).default(1) }),
  status: z.object({ readyReplicas: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("brokers");
  made.on(Broker)
    .reconcile(async ({ name, spec, apply, status }) => {
      const metadata = { name: `${name}-server` };
      const set = await apply(StatefulSet, { metadata, spec: statefulSetSpec(name, spec.replicas) });
      status.set({ readyReplicas: set.status?.readyReplicas ?? 0 });
    }, { owns: [StatefulSet] })
    .delete(async ({ name, namespace, uid, client }) => {
      const key = { namespace, name: `${name}-server` };
      if (!isFixed) return await remove(client, StatefulSet, key);
      const set = await client.find<ObjectOf<typeof StatefulSet>>(StatefulSet, key);
      if (set && controllerOf(set)?.uid === uid) await remove(client, StatefulSet, key, { uid: set.metadata!.uid });
    }, { id: "stop" });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("namesake_statefulset", () => operator(isFixed));
  suite.scenario("a deleted broker is created again", async ({ given, when, then, cluster, expect, ref }) => {
    const broker = ref(Broker, "mq"), set = ref(StatefulSet, "mq-server");
    const ready = () => expect(broker).toMatch({ status: { readyReplicas: 1 } });
    await given("a broker", () => cluster.create(Broker, { metadata: { name: "mq" }, spec: {} }));
    await given("it is ready", ready);
    await when("it is deleted", async () => {
      await cluster.delete(broker);
      await expect(broker).toBeGone();
      await expect(set).toBeGone();
    });
    await when("one of the same name is created", () => cluster.create(Broker, { metadata: { name: "mq" }, spec: {} }));
    await then("it is ready", ready);
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
