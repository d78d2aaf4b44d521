// Correct: the status counts what is ready; between two changes it is behind, and in the end it is right.
import { defineResource, Deployment, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Fleet = defineResource({
  group: "fleets.example.com",
  version: "v1",
  kind: "Fleet",
  spec: z.object({ size: z.int().min(1).max(5) }),
  status: z.object({ ready: z.int().optional(), phase: z.enum(["Progressing", "Ready"]).optional() }),
});

function operator(): Operator {
  const made = new Operator("fleets");
  made.on(Fleet).reconcile(async ({ name, spec, apply, prune, status }) => {
    let ready = 0;
    for (let index = 0; index < spec.size; index++) {
      const labels = { app: `${name}-${index}` };
      const deployment = await apply(Deployment, {
        metadata: { name: labels.app },
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
      });
      if (deployment.status?.availableReplicas) ready++;
    }
    await prune();
    const isReady = ready === spec.size;
    status.set({ ready, phase: isReady ? "Ready" : "Progressing" });
    status.condition({ type: "Ready", status: isReady, reason: isReady ? "AllReady" : "Progressing", message: "" });
  }, { owns: [Deployment] });
  return made;
}

export const correct: Suite = new Suite("status_roll_up", operator);

correct.scenario("a fleet counts what is ready", async ({ given, when, then, cluster, expect, ref }) => {
  const fleet = ref(Fleet, "f");
  await given("a fleet of two", () => cluster.create(Fleet, { metadata: { name: "f" }, spec: { size: 2 } }));
  await then("both are ready", () => expect(fleet).toMatch({ status: { ready: 2, phase: "Ready" } }));
  await when("it grows", () => cluster.patch(fleet, { spec: { size: 3 } }));
  await then("three are ready", () => expect(fleet).toMatch({ status: { ready: 3, phase: "Ready" } }));
}, { workloads: { readyAfter: "3s" } });
