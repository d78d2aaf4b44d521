// Expected children are remembered by name until they are seen: one unseen stalls a recreation (kubernetes#131917).
import { defineResource, keyOf, Operator, Pod } from "@pintle/pintle";
import { formatKey } from "@pintle/pintle/client";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Runner = defineResource({
  group: "runners.example.com",
  version: "v1",
  kind: "Runner",
  spec: z.object({ label: z.string().default("any") }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("runners"), expected = new Set<string>();
  made.on(Runner).reconcile(async ({ name, namespace, uid, spec, cached, apply }) => {
    const key = isFixed ? uid : `${namespace}/${name}`;
    if (cached(Pod).get({ namespace, name })?.metadata?.labels?.runner === spec.label) return;
    if (expected.has(key)) return; // created, and not seen yet
    expected.add(key);
    try {
      await apply(Pod, { metadata: { labels: { runner: spec.label } }, spec: podSpec });
    } catch (error) {
      if (isFixed) expected.delete(key);
      throw error;
    }
    if (isFixed) expected.delete(key);
  }, {
    owns: [Pod],
    watches: [{
      resource: Pod,
      map: ({ deleted, object }) => {
        if (!deleted) expected.delete(formatKey(keyOf(object)));
        return [];
      },
    }],
  });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("expectations_by_name", () => operator(isFixed));
  suite.scenario("a runner is created again", async ({ given, when, then, cluster, expect, ref }) => {
    const runner = ref(Runner, "r"), pod = ref(Pod, "r");
    const create = () => cluster.create(Runner, { metadata: { name: "r" }, spec: {} });
    await given("a runner", create);
    await given("its pod", () => expect(pod).toExist());
    await when("it is deleted", async () => {
      await cluster.delete(runner);
      await expect(pod).toBeGone();
    });
    await when("it is created again", create);
    await then("it has a pod", () => expect(pod).toExist());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
