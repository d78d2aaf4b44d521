// Correct: a password is random and made once. Its value differs from run to run.
import { defineResource, type ObjectOf, Operator, Secret } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const User = defineResource({
  group: "users.example.com",
  version: "v1",
  kind: "DatabaseUser",
  spec: z.object({ role: z.string().default("reader") }),
});

function operator(): Operator {
  const made = new Operator("users");
  made.on(User).reconcile(async ({ name, namespace, spec, client, apply }) => {
    const known = await client.find<ObjectOf<typeof Secret>>(Secret, { namespace, name });
    const password = known?.data?.password ?? btoa(crypto.randomUUID());
    await apply(Secret, { data: { role: btoa(spec.role), password } });
  }, { owns: [Secret] });
  return made;
}

export const correct: Suite = new Suite("random_passwords", operator);

correct.scenario("a user has a password", async ({ given, when, then, cluster, expect, ref }) => {
  const user = ref(User, "ann"), secret = ref(Secret, "ann");
  await given("a user", () => cluster.create(User, { metadata: { name: "ann" }, spec: {} }));
  await then("there is a password", () => expect(secret).toExist());
  await when("its role changes", () => cluster.patch(user, { spec: { role: "writer" } }));
  await then("the Secret follows", () => expect(secret).toMatch({ data: { role: btoa("writer") } }));
});
