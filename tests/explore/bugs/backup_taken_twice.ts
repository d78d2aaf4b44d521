// A list shows no Job, so one is created under a generated name: that of a predecessor arrives in between (late write).
import { AlreadyExistsError, defineResource, Job, Operator, ownerReference } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Backup = defineResource({
  group: "backups.example.com",
  version: "v1",
  kind: "Backup",
  spec: z.object({ volume: z.string() }),
  status: z.object({ started: z.boolean().optional() }),
});

const LABEL = "backups.example.com/of";

/** Starts one Job per backup. It asks the server and no cache, but looking and creating are two requests. */
function operator(isFixed: boolean): Operator {
  const made = new Operator("backups");
  made.on(Backup).reconcile(async ({ object, name, namespace, client, status }) => {
    const { items } = await client.list(Job, { namespace, labelSelector: `${LABEL}=${name}` });
    if (items.length === 0) {
      const named = isFixed ? { name: `${name}-backup` } : { generateName: `${name}-` };
      const metadata = { namespace, labels: { [LABEL]: name }, ownerReferences: [ownerReference(object)], ...named };
      try {
        await client.create(Job, { metadata, spec: { template: { spec: { ...podSpec, restartPolicy: "Never" } } } });
      } catch (error) {
        if (!(error instanceof AlreadyExistsError)) throw error;
      }
    }
    status.set({ started: true });
  });
  made.permissions({ apiGroups: ["batch"], resources: ["jobs"], verbs: ["list", "create"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("backup_taken_twice", () => operator(isFixed));
  suite.scenario("a backup has a Job", async ({ given, then, cluster, expect, ref }) => {
    await given("a backup", () => cluster.create(Backup, { metadata: { name: "b" }, spec: { volume: "data" } }));
    await then("it has started", () => expect(ref(Backup, "b")).toMatch({ status: { started: true } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
