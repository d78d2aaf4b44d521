// Pods restart in the pass that changes their configuration, and in no other: a crash between is final (nifikop#49).
import { ConfigMap, defineResource, Deployment, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Flow = defineResource({
  group: "flows.example.com",
  version: "v1",
  kind: "Flow",
  spec: z.object({ level: z.enum(["info", "debug"]).default("info") }),
  status: z.object({ level: z.string().optional() }),
});

const RESTART = "flows.example.com/restart";

function operator(isFixed: boolean): Operator {
  const made = new Operator("flows");
  made.on(Flow).reconcile(async ({ name, namespace, spec, cached, client, apply, status }) => {
    const key = { namespace, name }, labels = { app: name };
    const former = cached(ConfigMap).get(key)?.data?.level;
    await apply(ConfigMap, { data: { level: spec.level } });
    const annotations: Record<string, string> = isFixed ? { [RESTART]: spec.level } : {};
    await apply(Deployment, {
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels, annotations }, spec: podSpec } },
    });
    if (!isFixed && former !== undefined && former !== spec.level) {
      const template = { metadata: { annotations: { [RESTART]: spec.level } } };
      await client.patch(Deployment, key, { type: "merge", body: { spec: { template } } });
    }
    status.set({ level: spec.level });
  }, { owns: [ConfigMap, Deployment] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("config_without_restart", () => operator(isFixed));
  suite.scenario("a flow logs more", async ({ given, when, then, cluster, expect, ref }) => {
    const flow = ref(Flow, "f");
    await given("a flow", () => cluster.create(Flow, { metadata: { name: "f" }, spec: {} }));
    await given("it logs a little", () => expect(flow).toMatch({ status: { level: "info" } }));
    await when("it shall log more", () => cluster.patch(flow, { spec: { level: "debug" } }));
    await then("it does", () => expect(flow).toMatch({ status: { level: "debug" } }));
  }, { workloads: { readyAfter: "1s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
