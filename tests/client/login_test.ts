import { LoginCredentials } from "../../lib/client/login.ts";
import assert from "node:assert/strict";
import { UsageError, VirtualClock } from "../../lib/base/mod.ts";
import { type Login } from "../../lib/client/mod.ts";

function hook(...answers: readonly (Login | Error)[]) {
  let calls = 0;
  const call = () => {
    const answer = answers[Math.min(calls++, answers.length - 1)]!;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { call, calls: () => calls };
}

const server = "https://10.0.0.1:6443";

// FR-270
Deno.test("a hook is called at the start, when its credentials expire, and when the server refuses them; never by each request", async () => {
  const clock = new VirtualClock(), expiresAtMs = clock.now() + 60_000;
  const { call, calls } = hook({ server, token: "one", expiresAtMs }, { server, token: "two" }, {
    server,
    token: "three",
  });
  const { login, credentials } = await LoginCredentials.open(call, clock);
  assert.equal(login.server, server);
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer one" });
  assert.deepEqual([await credentials.headers(), calls()], [{ authorization: "Bearer one" }, 1]);
  await clock.advance(60_000);
  const both = await Promise.all([credentials.headers(), credentials.headers()]);
  assert.deepEqual([both, calls()], [[{ authorization: "Bearer two" }, { authorization: "Bearer two" }], 2]);
  credentials.invalidate();
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer three" });
});

// FR-270
Deno.test("other certificates make transports reconnect, the same ones do not", async () => {
  const clock = new VirtualClock(), first = { server, cert: "A", key: "B", caCerts: ["CA"] };
  const { call } = hook(first, { ...first }, { ...first, cert: "C" });
  const { credentials } = await LoginCredentials.open(call, clock), before = credentials.tls;
  credentials.invalidate();
  await credentials.headers();
  assert.equal(credentials.tls, before);
  credentials.invalidate();
  await credentials.headers();
  assert.deepEqual(credentials.tls, { caCerts: ["CA"], cert: "C", key: "B" });
});

Deno.test("a hook that fails, returns no server or hangs is a UsageError with its fix, and is called again later", async () => {
  const clock = new VirtualClock();
  await assert.rejects(LoginCredentials.open(hook(new Error("no vault")).call, clock), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, "the operator's login hook failed: no vault");
    return true;
  });
  await assert.rejects(LoginCredentials.open(() => ({} as Login), clock), /returned no server/);
  const never = LoginCredentials.open(() => new Promise(() => {}), clock);
  const refused = assert.rejects(never, /did not return within 30s/);
  await clock.advance(30_000);
  await refused;
  const { call } = hook({ server, token: "one" }, new Error("vault is sealed"), { server, token: "two" });
  const { credentials } = await LoginCredentials.open(call, clock);
  credentials.invalidate();
  await assert.rejects(credentials.headers(), /vault is sealed/);
  assert.deepEqual(await credentials.headers(), { authorization: "Bearer two" });
});
