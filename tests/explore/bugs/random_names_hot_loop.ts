// Unless it finds exactly one child it creates another with a random name: two children make a third, and so on.
import { defineResource, Operator, Pod } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Worker = defineResource({
  group: "workers.example.com",
  version: "v1",
  kind: "Worker",
  spec: z.object({ queue: z.string().default("any") }),
  status: z.object({ pod: z.string().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("workers");
  made.on(Worker).reconcile(async ({ name, namespace, spec, cached, apply, status }) => {
    const labels = { worker: name, queue: spec.queue };
    const pods = [...cached(Pod).values()].filter(({ metadata }) =>
      metadata?.namespace === namespace && metadata?.labels?.worker === name
    );
    if (isFixed) await apply(Pod, { metadata: { labels }, spec: podSpec });
    else if (pods.length !== 1) {
      const suffix = Math.random().toString(36).slice(2, 7).padEnd(5, "0");
      await apply(Pod, { metadata: { name: `${name}-${suffix}`, labels }, spec: podSpec });
    }
    status.set({ pod: "created" });
  }, { owns: [Pod] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("random_names_hot_loop", () => operator(isFixed));
  suite.scenario("a worker has a pod", async ({ given, when, then, cluster, expect, ref }) => {
    const worker = ref(Worker, "w");
    await given("a worker", () => cluster.create(Worker, { metadata: { name: "w" }, spec: {} }));
    await then("it is ready", () => expect(worker).toHaveCondition("Ready"));
    await when("it is labelled", () => cluster.patch(worker, { metadata: { labels: { team: "red" } } }));
    await then("it stays ready", () => expect(worker).toHaveCondition("Ready"));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
