// "Not sharded" deletes routers and their disks by name: an old "not sharded" does, too (K8SPSMDB-433).
import { defineResource, Operator, PersistentVolumeClaim, StatefulSet, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { claimSpec, statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Mongo = defineResource({
  group: "mongos.example.com",
  version: "v1",
  kind: "Mongo",
  spec: z.object({ sharding: z.boolean().default(false) }),
  status: z.object({ sharded: z.boolean().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("mongos");
  made.on(Mongo).reconcile(async ({ object, name, namespace, spec, client, apply, status }) => {
    const metadata = { name: `${name}-config` };
    await apply(StatefulSet, { spec: statefulSetSpec(name, 1) });
    if (spec.sharding) {
      await apply(PersistentVolumeClaim, { metadata, spec: claimSpec() });
      await apply(StatefulSet, { metadata, spec: statefulSetSpec(metadata.name, 1) });
    } else {
      if (
        isFixed && (await client.get(Mongo, { namespace, name })).metadata?.generation !== object.metadata.generation
      ) {
        throw new TemporaryError("the database has changed meanwhile", { delay: "5s", reason: "Outdated" });
      }
      await remove(client, StatefulSet, { namespace, ...metadata });
      await remove(client, PersistentVolumeClaim, { namespace, ...metadata });
    }
    status.set({ sharded: spec.sharding });
  }, { owns: [StatefulSet, PersistentVolumeClaim] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("old_sharding_toggle", () => operator(isFixed));
  suite.scenario("a database is sharded", async ({ given, when, then, cluster, expect, ref }) => {
    const mongo = ref(Mongo, "db"), claim = ref(PersistentVolumeClaim, "db-config");
    const annotations = { "mongos.example.com/data": "shards" };
    await given("a database without shards", async () => {
      await cluster.create(Mongo, { metadata: { name: "db" }, spec: {} });
      await expect(mongo).toMatch({ status: { sharded: false } });
    });
    await when("it is sharded", async () => {
      await cluster.patch(mongo, { spec: { sharding: true } });
      await expect(mongo).toMatch({ status: { sharded: true } });
    });
    await when("its config servers have data", async () => {
      await expect(claim).toExist();
      await cluster.patch(claim, { metadata: { annotations } });
    });
    await then("the data stays", () => expect(claim).toMatch({ metadata: { annotations } }));
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
