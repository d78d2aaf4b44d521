// Registered pods are remembered by name: a pod created again, unseen, is never registered (zookeeper-operator#453).
import { defineResource, Operator, Pod, sleep } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Ensemble = defineResource({
  group: "ensembles.example.com",
  version: "v1",
  kind: "Ensemble",
  spec: z.object({ app: z.string().min(1) }),
});

const REGISTERED = "ensembles.example.com/registered";

const noMembers = () => new Set<string>();

function operator(isFixed: boolean): Operator {
  const made = new Operator("ensembles");
  made.on(Ensemble).reconcile(async ({ namespace, spec, cached, client, memo }) => {
    const registered = memo(noMembers), found = new Set<string>();
    for (const { metadata } of cached(Pod).values()) {
      if (metadata?.namespace !== namespace || metadata?.labels?.app !== spec.app) continue;
      const member = isFixed ? metadata!.uid! : metadata!.name!;
      found.add(member);
      if (registered.has(member)) continue;
      const body = { metadata: { annotations: { [REGISTERED]: "true" } } };
      await client.patch(Pod, { namespace, name: metadata!.name! }, { type: "merge", body });
      registered.add(member);
    }
    for (const member of registered) if (!found.has(member)) registered.delete(member);
  }, {
    watches: [{
      resource: Pod,
      map: ({ object: { metadata } }) =>
        metadata?.labels?.app ? [{ namespace: metadata.namespace, name: metadata.labels.app }] : [],
    }],
  });
  made.permissions({ apiGroups: [""], resources: ["pods"], verbs: ["patch"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("new_pod_unseen", () => operator(isFixed));
  suite.scenario("a new pod is registered", async ({ given, when, then, cluster, expect, ref, clock }) => {
    const pod = ref(Pod, "zk-0");
    const create = () => cluster.create(Pod, { metadata: { name: "zk-0", labels: { app: "zk" } }, spec: podSpec });
    const registered = () => expect(pod).toMatch({ metadata: { annotations: { [REGISTERED]: "true" } } });
    await given("an ensemble", () => cluster.create(Ensemble, { metadata: { name: "zk" }, spec: { app: "zk" } }));
    await given("a pod", create);
    await given("it is registered", registered);
    await when("it is deleted", () => cluster.delete(pod));
    await when("another one of its name starts soon", async () => {
      await sleep(clock, 2_000);
      await create();
    });
    await then("it is registered", registered);
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
