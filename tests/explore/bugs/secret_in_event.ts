// What failed is posted with its input: an Event shows the token that goes into a Secret later (secret in an Event).
import { ConfigMap, defineResource, Operator, Secret } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Login = defineResource({
  group: "logins.example.com",
  version: "v1",
  kind: "Login",
  spec: z.object({ user: z.string().min(1) }),
});

/** A service that gives each user a token. */
class Issuer {
  token(user: string): string {
    return `token-of-${user}-5e884898da280471`;
  }
}

function operator(issuer: Issuer, isFixed: boolean): Operator {
  const made = new Operator("logins");
  made.on(Login).reconcile(async ({ spec, apply, events }) => {
    const token = issuer.token(spec.user), login = { user: spec.user, token };
    try {
      await apply(ConfigMap, { data: { user: spec.user } });
    } catch (error) {
      events.warning("LoginFailed", `cannot store ${isFixed ? login.user : JSON.stringify(login)}`);
      throw error;
    }
    await apply(Secret, { data: { token: btoa(token) } });
  }, { owns: [ConfigMap, Secret] });
  return made;
}

function suiteOf(isFixed: boolean): Suite {
  const suite = new Suite("secret_in_event", {
    world: () => new Issuer(),
    operator: (issuer) => operator(issuer, isFixed),
  });
  suite.scenario("a user has a token", async ({ given, then, cluster, expect, ref }) => {
    await given("a login", () => cluster.create(Login, { metadata: { name: "ann" }, spec: { user: "ann" } }));
    await then("there is a token", () => expect(ref(Secret, "ann")).toExist());
    await then("it is ready", () => expect(ref(Login, "ann")).toHaveCondition("Ready"));
  });
  return suite as Suite;
}

export const buggy: Suite = suiteOf(false);
export const fixed: Suite = suiteOf(true);
