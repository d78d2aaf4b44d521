// Correct: each attempt has a Job of its own. A fault may cost an attempt, so the number of Jobs may differ.
// explore: { countsMayDiffer: ["Job"], ignore: ["Migration.status.attempt"] }
import { defineResource, Job, Operator } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Migration = defineResource({
  group: "migrations.example.com",
  version: "v1",
  kind: "Migration",
  spec: z.object({ to: z.int().min(1) }),
  status: z.object({ attempt: z.int().optional(), version: z.int().optional() }),
});

function operator(): Operator {
  const made = new Operator("migrations");
  made.on(Migration).reconcile(async ({ object, name, spec, apply, status }) => {
    if (object.status?.version === spec.to) return;
    for (let attempt = 1;; attempt++) {
      const job = await apply(Job, {
        metadata: { name: `${name}-v${spec.to}-${attempt}` },
        spec: { backoffLimit: 0, template: { spec: { ...podSpec, restartPolicy: "Never" } } },
      });
      status.set({ attempt });
      if (job.status?.succeeded) return status.set({ version: spec.to });
      const isFailed = job.status?.conditions?.some(({ type, status }) => type === "Failed" && status === "True");
      if (!isFailed) return;
    }
  }, { owns: [Job] });
  return made;
}

export const correct: Suite = new Suite("job_per_attempt", operator);

correct.scenario("a failed migration is tried again", async (scenario) => {
  const { given, when, then, cluster, expect, ref, makeFail, makeReady } = scenario, migration = ref(Migration, "m");
  await given("a migration", () => cluster.create(Migration, { metadata: { name: "m" }, spec: { to: 2 } }));
  await when("its first Job fails", () => makeFail(ref(Job, "m-v2-1"), "no memory"));
  await when("its second Job succeeds", () => makeReady(ref(Job, "m-v2-2")));
  await then("it is at version 2", () => expect(migration).toMatch({ status: { version: 2 } }));
});
