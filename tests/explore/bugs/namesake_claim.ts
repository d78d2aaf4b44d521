// A deleted pod's claim goes by its name: an old deletion removes the claim of the next pod (cassandra-operator#407).
import { defineResource, Operator, PersistentVolumeClaim, Pod, PRESENT } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { claimSpec, podSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Ring = defineResource({
  group: "rings.example.com",
  version: "v1",
  kind: "Ring",
  spec: z.object({ size: z.int().min(0).default(1) }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("rings");
  made.on(Ring).reconcile(async ({ name, spec, apply, prune }) => {
    for (let index = 0; index < spec.size; index++) {
      const metadata = { name: `${name}-${index}`, labels: { ring: name } };
      await apply(PersistentVolumeClaim, { metadata, spec: claimSpec() });
      await apply(Pod, { metadata, spec: podSpec });
    }
    await prune();
  }, { owns: [Pod, PersistentVolumeClaim] });
  // A replaced pod begins with an empty disk.
  made.on(Pod).delete(async ({ name, namespace, uid, client }) => {
    const key = { namespace, name };
    if (isFixed && (await client.find(Pod, key))?.metadata?.uid !== uid) return;
    await remove(client, PersistentVolumeClaim, key);
  }, { id: "release-claim", labels: { ring: PRESENT } });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("namesake_claim", () => operator(isFixed));
  suite.scenario("a replaced pod keeps its data", async ({ given, when, then, cluster, expect, ref }) => {
    const pod = ref(Pod, "cass-0"), claim = ref(PersistentVolumeClaim, "cass-0");
    const handled = () =>
      expect(pod).toSatisfy("to have a finalizer", ({ metadata }) => !!metadata?.finalizers?.length);
    await given("a ring of one pod", () => cluster.create(Ring, { metadata: { name: "cass" }, spec: {} }));
    await given("its pod", handled);
    await when("the pod is deleted", async () => {
      await cluster.delete(pod);
      await expect(pod).toBeGone();
    });
    await when("the next one has written data", async () => {
      await handled();
      await expect(claim).toSatisfy("to stay", ({ metadata }) => !metadata?.deletionTimestamp);
      await cluster.patch(claim, { metadata: { annotations: { "rings.example.com/data": "written" } } });
    });
    await then("the data is there", () => {
      return expect(claim).toMatch({ metadata: { annotations: { "rings.example.com/data": "written" } } });
    });
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
