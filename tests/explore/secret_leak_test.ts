import assert from "node:assert/strict";
import { defineResource, Operator, requeueAfter, Secret } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";
import { explore } from "../../lib/explore/mod.ts";
import { planRun } from "../../lib/harness/mod.ts";

const Login = defineResource({
  group: "logins.example.com",
  version: "v1",
  kind: "Login",
  spec: z.object({ user: z.string() }),
  status: z.object({ state: z.string().optional() }),
});

class Database {
  readonly users = new Set<string>();

  add(user: string): void {
    this.users.add(user);
  }
}

/** Adds a user to a database, then writes its password to a Secret. The status says what failed. */
async function leaksOf(describe: (password: string) => string): Promise<string[]> {
  const suite = new Suite("logins", {
    world: () => new Database(),
    operator: (database) => {
      const made = new Operator("logins");
      made.on(Login).reconcile(async ({ uid, spec, status, apply, memo }) => {
        const mine = memo(newPassword);
        try {
          database.add(spec.user);
        } catch {
          status.set({ state: `no answer for ${describe(mine.password)}` });
          return requeueAfter("5s");
        }
        await apply(Secret, { metadata: { name: uid }, data: { password: btoa(mine.password) } });
        status.set({ state: "Open" });
      }, { owns: [Secret] });
      return made;
    },
  });
  suite.scenario("a login is opened and closed", async ({ given, when, then, cluster, expect, ref }) => {
    const login = ref(Login, "a");
    const { uid = "" } = (await given("a login", async () => {
      await cluster.create(Login, { metadata: { name: "a" }, spec: { user: "app" } });
      return await expect(login).toMatch({ status: { state: "Open" } });
    })).metadata!;
    await when("it goes", () => cluster.delete(login));
    await then("its Secret goes", () => expect(ref(Secret, uid)).toBeGone());
  });
  const options = { seed: 7, waitMsMax: 600_000, signal: new AbortController().signal, kinds: ["errors" as const] };
  const { problem, failures } = await explore(planRun([suite as Suite])[0]!, options);
  assert.equal(problem, undefined);
  return failures.flatMap(({ findings }) => findings.map(({ kind, message }) => `${kind}: ${message.split("/")[0]}`));
}

const newPassword = () => ({ password: `app-${crypto.randomUUID()}` });

// FR-600
Deno.test("a value of a Secret in a status is found, plain and in base64, even if a later write hides it", async () => {
  const found = ["secret: the status of Login run-home"];
  assert.deepEqual(await leaksOf((password) => `app:${password}@db`), found);
  assert.deepEqual(await leaksOf((password) => JSON.stringify({ data: btoa(password) })), found);
  assert.deepEqual(await leaksOf(() => "app@db"), []);
});
