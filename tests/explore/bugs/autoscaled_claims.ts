// Claims to delete are counted from the size seen last: 1 to 3 to 1, unseen, leaves two (cluster-operator#758).
import { defineResource, type ObjectOf, Operator, PersistentVolumeClaim, sleep, StatefulSet } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { claimSpec, statefulSetSpec } from "../pods.ts";
import { remove } from "../remove.ts";

const Cache = defineResource({
  group: "caches.example.com",
  version: "v1",
  kind: "Cache",
  spec: z.object({ storage: z.enum(["1Gi", "2Gi"]).default("1Gi") }),
  status: z.object({ size: z.int().optional() }),
});

const lastSize = () => ({ size: 0 });

/** An autoscaler sets the replicas; a smaller size must leave no claim of the pods that went. */
function operator(isFixed: boolean): Operator {
  const made = new Operator("caches");
  made.on(Cache).reconcile(async ({ name, namespace, spec, cached, client, apply, memo, status }) => {
    const { replicas: _, ...setSpec } = statefulSetSpec(name, 1, spec.storage), seen = memo(lastSize);
    const set = await apply(StatefulSet, { spec: setSpec });
    const size = set.spec?.replicas ?? 1, prefix = `data-${name}-`;
    const claims = [...cached(PersistentVolumeClaim).values()]
      .map(({ metadata }) => metadata?.namespace === namespace ? metadata?.name ?? "" : "")
      .filter((claim) => claim.startsWith(prefix)).map((claim) => Number(claim.slice(prefix.length)) + 1);
    const former = isFixed ? Math.max(0, ...claims) : seen.size;
    for (let index = size; index < former; index++) {
      await remove(client, PersistentVolumeClaim, { namespace, name: `${prefix}${index}` });
    }
    seen.size = size;
    status.set({ size });
  }, {
    owns: [StatefulSet],
    watches: [{
      resource: PersistentVolumeClaim,
      map: ({ object: { metadata } }) => {
        const name = /^data-(.*)-\d+$/.exec(metadata?.name ?? "")?.[1];
        return name === undefined ? [] : [{ namespace: metadata?.namespace, name }];
      },
    }],
  });
  made.permissions({ apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: ["delete"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("autoscaled_claims", () => operator(isFixed));
  suite.scenario("a cache grows and shrinks", async ({ given, when, then, cluster, expect, ref, clock }) => {
    const cache = ref(Cache, "c"), set = ref(StatefulSet, "c");
    await given("a cache", () => cluster.create(Cache, { metadata: { name: "c" }, spec: {} }));
    await given("its size", () => expect(cache).toMatch({ status: { size: 1 } }));
    await when("an autoscaler wants three", () => cluster.patch(set, { spec: { replicas: 3 } }));
    await when("the controller of StatefulSets makes two claims", async () => {
      for (const index of [1, 2]) {
        await cluster.create(PersistentVolumeClaim, { metadata: { name: `data-c-${index}` }, spec: claimSpec() });
      }
    });
    await when("the autoscaler wants one again soon", async () => {
      await sleep(clock, 2_000);
      await cluster.patch(set, { spec: { replicas: 1 } });
    });
    await then("its size is one", () => {
      return expect(set).toSatisfy("to have one", ({ spec }: ObjectOf<typeof StatefulSet>) => spec?.replicas === 1);
    });
    await then("the claims are gone", async () => {
      for (const index of [1, 2]) await expect(ref(PersistentVolumeClaim, `data-c-${index}`)).toBeGone();
    });
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
