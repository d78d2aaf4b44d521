// Another port deletes the Service: an old port does, too, and the address is lost (yugabyte-operator#36).
import { defineResource, type ObjectOf, Operator, Service } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { remove } from "../remove.ts";

const Table = defineResource({
  group: "tables.example.com",
  version: "v1",
  kind: "Table",
  spec: z.object({ port: z.int().min(1).max(65_535).default(5433) }),
  status: z.object({ port: z.int().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("tables");
  made.on(Table).reconcile(async ({ name, namespace, spec, client, apply, status }) => {
    const key = { namespace, name }, service = await client.find<ObjectOf<typeof Service>>(Service, key);
    if (service && service.spec?.ports?.[0]?.port !== spec.port) {
      if (!isFixed) await remove(client, Service, key, { uid: service.metadata!.uid });
    }
    await apply(Service, { spec: { selector: { app: name }, type: "LoadBalancer", ports: [{ port: spec.port }] } });
    status.set({ port: spec.port });
  }, { owns: [Service] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("port_deletes_service", () => operator(isFixed));
  suite.scenario("a table is served at another port", async ({ given, when, then, cluster, expect, ref }) => {
    const table = ref(Table, "t"), service = ref(Service, "t");
    await given("a table", () => cluster.create(Table, { metadata: { name: "t" }, spec: {} }));
    await given("its port", () => expect(table).toMatch({ status: { port: 5433 } }));
    await when("it gets another port", () => cluster.patch(table, { spec: { port: 5434 } }));
    await then("its Service has it", async () => {
      await expect(table).toMatch({ status: { port: 5434 } });
      await expect(service).toMatch({ spec: { ports: [{ port: 5434 }] } });
    });
    await when("the cloud gives it an address", () =>
      cluster.client.patch(Service, service.key, {
        type: "merge",
        subresource: "status",
        body: { status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } },
      }));
    await then(
      "it keeps the address",
      () => expect(service).toMatch({ status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } }),
    );
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
