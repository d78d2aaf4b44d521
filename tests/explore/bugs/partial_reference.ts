// A reference without a key is read as if it had one, in a promise not awaited in time (redis-operator#286). By specs.
import { ConfigMap, defineResource, type ObjectOf, Operator, PermanentError, Secret } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Redis = defineResource({
  group: "redis.example.com",
  version: "v1",
  kind: "Redis",
  spec: z.object({
    password: z.object({ name: z.string().optional(), key: z.string().optional() }).optional(),
  }),
  status: z.object({ hasPassword: z.boolean().optional() }),
});

function operator(isFixed: boolean): Operator {
  const made = new Operator("redis");
  made.on(Redis).reconcile(async ({ namespace, spec, client, apply, status }) => {
    const { password } = spec;
    if (isFixed && password && !(password.name && password.key)) {
      throw new PermanentError("the password needs a name and a key", { reason: "InvalidPassword" });
    }
    const check = async () => {
      const key = password!.key!.toLowerCase(), { name = "" } = password!;
      const secret = await client.find<ObjectOf<typeof Secret>>(Secret, { namespace, name });
      return secret?.data?.[key] !== undefined;
    };
    const checked = password ? check() : Promise.resolve(false);
    await apply(ConfigMap, { data: { protected: `${password !== undefined}` } });
    status.set({ hasPassword: await checked });
  }, { owns: [ConfigMap] });
  made.permissions({ apiGroups: [""], resources: ["secrets"], verbs: ["get"] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("partial_reference", () => operator(isFixed));
  suite.scenario("a database has a password", async ({ given, then, cluster, expect, ref }) => {
    await given(
      "a Secret",
      () => cluster.create(Secret, { metadata: { name: "pw" }, data: { key: btoa("swordfish") } }),
    );
    const spec = { password: { name: "pw", key: "key" } };
    await given("a database", () => cluster.create(Redis, { metadata: { name: "r" }, spec }));
    await then("it has a password", () => expect(ref(Redis, "r")).toMatch({ status: { hasPassword: true } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
