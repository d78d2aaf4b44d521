// Correct: a record outside of the cluster is found by the object's uid before it is made, and goes with the object.
import { defineResource, Operator, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Host = defineResource({
  group: "dns.example.com",
  version: "v1",
  kind: "HostRecord",
  spec: z.object({ host: z.string() }),
  status: z.object({ record: z.string().optional() }),
});

/** A provider that gives each record an id. */
class Provider {
  readonly records = new Map<string, { host: string; owner: string }>();
  #next = 1;

  find(owner: string): string | undefined {
    return [...this.records].find(([, record]) => record.owner === owner)?.[0];
  }

  register(host: string, owner: string): string {
    const id = `record-${this.#next++}`;
    this.records.set(id, { host, owner });
    return id;
  }

  remove(id: string): void {
    this.records.delete(id);
  }
}

function operator(provider: Provider): Operator {
  const ask = <T>(call: () => T): T => {
    try {
      return call();
    } catch (cause) {
      throw new TemporaryError("the provider does not answer", { delay: "5m", cause });
    }
  };
  const made = new Operator("hosts");
  made.on(Host)
    .reconcile(({ uid, spec, status }) => {
      status.set({ record: ask(() => provider.find(uid)) ?? ask(() => provider.register(spec.host, uid)) });
    })
    .delete(({ uid }) => {
      const id = ask(() => provider.find(uid));
      if (id) ask(() => provider.remove(id));
    }, { backoff: "10s" });
  return made;
}

export const correct: Suite<Provider> = new Suite<Provider>("released_records", {
  world: () => new Provider(),
  operator,
});

correct.scenario("a host has a record, which goes with it", async ({ given, when, then, cluster, expect, ref }) => {
  const host = ref(Host, "www");
  await given("a host", () => cluster.create(Host, { metadata: { name: "www" }, spec: { host: "www.example.com" } }));
  await then("it has a record", () => expect(host).toMatch({ status: { record: /record/ } }));
  await when("it is deleted", () => cluster.delete(host));
  await then("it is gone", () => expect(host).toBeGone());
});
