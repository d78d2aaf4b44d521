// The policy is read at the creation alone: a later change of it is ignored (zookeeper-operator#517). By specs.
import { ConfigMap, defineResource, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Policy = defineResource({
  group: "policies.example.com",
  version: "v1",
  kind: "RetentionPolicy",
  spec: z.object({ days: z.int().min(1).max(30).default(7), mode: z.enum(["Retain", "Delete"]).default("Retain") }),
  status: z.object({ days: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("policies");
  made.on(Policy).reconcile(async ({ name, namespace, spec, cached, apply, status }) => {
    const known = cached(ConfigMap).get({ namespace, name })?.data?.mode;
    const mode = isFixed ? spec.mode : known ?? spec.mode;
    await apply(ConfigMap, { data: { days: `${spec.days}`, mode } });
    status.set({ days: spec.days });
  }, { owns: [ConfigMap] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("field_ignored", () => operator(isFixed));
  suite.scenario("a policy changes its days", async ({ given, when, then, cluster, expect, ref }) => {
    const policy = ref(Policy, "p"), config = ref(ConfigMap, "p");
    await given("a policy", () => cluster.create(Policy, { metadata: { name: "p" }, spec: {} }));
    await given("its settings", () => expect(config).toMatch({ data: { days: "7", mode: "Retain" } }));
    await when("it gets other days", () => cluster.patch(policy, { spec: { days: 14 } }));
    await then("its settings follow", () => expect(config).toMatch({ data: { days: "14", mode: "Retain" } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
