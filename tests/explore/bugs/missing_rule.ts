// A Job that exists already is read to learn whose it is, which no rule allows: only a repetition gets there (RBAC).
import { AlreadyExistsError, defineResource, Job, Operator, ownerReference, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { podSpec } from "../pods.ts";

const Import = defineResource({
  group: "imports.example.com",
  version: "v1",
  kind: "DataImport",
  spec: z.object({ source: z.string().min(1) }),
  status: z.object({ job: z.string().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("imports");
  made.on(Import).reconcile(async ({ object, name, namespace, uid, client, status }) => {
    if (object.status?.job) return;
    try {
      await client.create(Job, {
        metadata: { name, namespace, ownerReferences: [ownerReference(object)] },
        spec: { template: { spec: { ...podSpec, restartPolicy: "Never" } } },
      });
    } catch (error) {
      if (!(error instanceof AlreadyExistsError)) throw error;
      const { metadata } = await client.get(Job, { namespace, name });
      if (!metadata?.ownerReferences?.some((owner) => owner.uid === uid)) {
        throw new TemporaryError("there is another Job of this name", { delay: "10s", reason: "Taken" });
      }
    }
    status.set({ job: name });
  });
  made.permissions({ apiGroups: ["batch"], resources: ["jobs"], verbs: isFixed ? ["create", "get"] : ["create"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("missing_rule", () => operator(isFixed));
  suite.scenario("an import has a Job", async ({ given, then, cluster, expect, ref }) => {
    await given("an import", () => cluster.create(Import, { metadata: { name: "i" }, spec: { source: "ftp" } }));
    await then("its Job is known", () => expect(ref(Import, "i")).toMatch({ status: { job: "i" } }));
    await then("the Job exists", () => expect(ref(Job, "i")).toExist());
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
