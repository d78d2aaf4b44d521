// A Secret is owned by the database that was seen, maybe a former one: the garbage collector deletes it (owner).
import { defineResource, keyOf, Operator, ownerReference, Secret, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const group = "grants.example.com", version = "v1";
const Database = defineResource({ group, version, kind: "Database", spec: z.object({ host: z.string() }) });
const Grant = defineResource({ group, version, kind: "Grant", spec: z.object({ database: z.string().min(1) }) });

function operator(isFixed: boolean): Operator {
  const made = new Operator("grants");
  made.on(Database).event(({ type, log }) => log.debug("a database", { type }), { id: "log" });
  made.on(Grant).reconcile(async ({ namespace, spec, cached, apply }) => {
    const database = cached(Database).get({ namespace, name: spec.database });
    if (!database) throw new TemporaryError("the database does not exist", { delay: "5s", reason: "NoDatabase" });
    const data = { host: btoa(database.spec!.host) };
    if (isFixed) return void await apply(Secret, { data });
    const owner = ownerReference({ ...database, apiVersion: `${group}/${version}`, kind: "Database" });
    await apply(Secret, { metadata: { ownerReferences: [owner] }, data }, { owned: false });
  }, {
    owns: [Secret],
    watches: [{
      resource: Database,
      map: ({ object, primaries }) =>
        [...primaries].filter(({ metadata, spec }) =>
          metadata.namespace === object.metadata?.namespace && spec.database === object.metadata?.name
        ).map(keyOf),
    }],
  });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("wrong_owner", () => operator(isFixed));
  suite.scenario("a grant follows its database", async ({ given, when, then, cluster, expect, ref }) => {
    const database = ref(Database, "db"), secret = ref(Secret, "app");
    const create = (host: string) => () => cluster.create(Database, { metadata: { name: "db" }, spec: { host } });
    const annotations = { "grants.example.com/used-by": "app" };
    await given("a database", create("db-one.example.com"));
    await given("a grant", () => cluster.create(Grant, { metadata: { name: "app" }, spec: { database: "db" } }));
    await given("its Secret", () => expect(secret).toExist());
    await when("the database is deleted", async () => {
      await cluster.delete(database);
      await expect(database).toBeGone();
    });
    await when("it is created again", create("db-two.example.com"));
    await then("the Secret has its host", () => expect(secret).toMatch({ data: { host: btoa("db-two.example.com") } }));
    await when("an app uses it", () => cluster.patch(secret, { metadata: { annotations } }));
    await then("it stays", () => expect(secret).toMatch({ metadata: { annotations } }));
  });
  return suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
