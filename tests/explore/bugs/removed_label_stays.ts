// Labels are merged into the Service: one that is removed from the object stays (minio/operator#2038). By specs.
import { defineResource, Operator, Service } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Bucket = defineResource({
  group: "buckets.example.com",
  version: "v1",
  kind: "Bucket",
  spec: z.object({
    labels: z.object({ team: z.enum(["red", "blue"]).optional(), stage: z.enum(["test", "live"]).optional() }).default(
      {},
    ),
  }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("buckets");
  made.on(Bucket).reconcile(async ({ name, namespace, spec, client, apply }) => {
    const desired = { spec: { selector: { app: name }, ports: [{ port: 9000 }] } };
    if (isFixed) return void await apply(Service, { ...desired, metadata: { labels: spec.labels } });
    await apply(Service, desired);
    await client.patch(Service, { namespace, name }, { type: "merge", body: { metadata: { labels: spec.labels } } });
  }, { owns: [Service] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("removed_label_stays", () => operator(isFixed));
  suite.scenario("a bucket labels its Service", async ({ given, when, then, cluster, expect, ref }) => {
    const bucket = ref(Bucket, "b"), service = ref(Service, "b");
    const create = () => cluster.create(Bucket, { metadata: { name: "b" }, spec: { labels: { team: "red" } } });
    await given("a bucket", create);
    await then("its Service has the label", () => expect(service).toMatch({ metadata: { labels: { team: "red" } } }));
    await when("there is another label", () => cluster.patch(bucket, { spec: { labels: { stage: "test" } } }));
    await then("its Service has that, too", () => expect(service).toMatch({ metadata: { labels: { stage: "test" } } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
