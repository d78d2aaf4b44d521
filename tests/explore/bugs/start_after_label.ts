// "Starting" is written to a pod, then the pod is started: a crash between them leaves it so forever (K8SSAND-1362).
import { defineResource, Operator, Pod, requeueAfter } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Server = defineResource({
  group: "servers.example.com",
  version: "v1",
  kind: "Server",
  spec: z.object({ rack: z.string().default("r1") }),
  status: z.object({ state: z.string().optional() }),
});

/** The management API of the pods. */
class Agents {
  readonly started = new Set<string>();
}

const STATE = "servers.example.com/state";

function operator(agents: Agents, isFixed: boolean): Operator {
  const made = new Operator("servers");
  made.on(Server).reconcile(async ({ name, namespace, spec, apply, client, status }) => {
    const pod = await apply(Pod, { metadata: { labels: { rack: spec.rack } }, spec: podSpec });
    const label = (state: string) => {
      return client.patch(Pod, { namespace, name }, {
        type: "merge",
        body: { metadata: { labels: { [STATE]: state } } },
      });
    };
    const state = pod.metadata?.labels?.[STATE];
    status.set({ state: state ?? "Created" });
    if (state === "Started") return;
    if (state === undefined) {
      await label("Starting");
      agents.started.add(pod.metadata!.uid!);
    } else if (agents.started.has(pod.metadata!.uid!)) {
      await label("Started");
    } else if (isFixed) {
      agents.started.add(pod.metadata!.uid!);
    }
    return requeueAfter("2s");
  }, { owns: [Pod] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("start_after_label", {
    world: () => new Agents(),
    operator: (agents) => operator(agents, isFixed),
  });
  suite.scenario("a server starts", async ({ given, then, cluster, expect, ref }) => {
    await given("a server", () => cluster.create(Server, { metadata: { name: "s" }, spec: {} }));
    await then("it has started", () => expect(ref(Server, "s")).toMatch({ status: { state: "Started" } }));
  });
  return suite as Suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
