// A pause is measured by the clock on the wall: set back, the backup waits for an hour; set forward, it is cut off.
import { defineResource, Job, Operator, requeueAfter } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Backup = defineResource({
  group: "backups.example.com",
  version: "v1",
  kind: "Backup",
  spec: z.object({ disk: z.string().min(1) }),
  status: z.object({ phase: z.enum(["Running", "Done", "TimedOut"]).optional() }),
});

const TIMEOUT_MS = 10 * 60_000;
const notStarted = (): { atMs?: number } => ({});

function operator(isFixed: boolean): Operator {
  const made = new Operator("backups");
  made.on(Backup).reconcile(async ({ object, apply, memo, clock, status }) => {
    if (object.status?.phase === "Done" || object.status?.phase === "TimedOut") return;
    const now = () => isFixed ? clock.elapsed() : Date.now();
    const started = memo(notStarted);
    started.atMs ??= now();
    const job = await apply(Job, { spec: { template: { spec: { ...podSpec, restartPolicy: "Never" } } } });
    if (now() - started.atMs > TIMEOUT_MS) return status.set({ phase: "TimedOut" });
    if (job.status?.succeeded) return status.set({ phase: "Done" });
    status.set({ phase: "Running" });
    return requeueAfter("5s");
  }, { owns: [Job] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("clock_set_back", () => operator(isFixed));
  suite.scenario("a backup ends", async ({ given, then, cluster, expect, ref }) => {
    await given("a backup", () => cluster.create(Backup, { metadata: { name: "b" }, spec: { disk: "d" } }));
    await then("it is done", () => expect(ref(Backup, "b")).toMatch({ status: { phase: "Done" } }));
  }, { workloads: { readyAfter: "12s" } });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
