import assert from "node:assert/strict";
import { type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { isRefusal, RequestAuthorizer, TOKEN_AUDIENCE, TOKEN_HEADER } from "../../lib/health/mod.ts";

const WIDGET = { verb: "get", resource: { group: "example.com", plural: "widgets" }, namespace: "home", name: "w" };

/** An API server that knows the token `known`, whose user may get what is in `home`. */
function open(options: { readonly code?: number } = {}) {
  const clock = new VirtualClock(), reviews: Record<string, never>[] = [];
  const transport: Transport = {
    fetch: (path, { body = "" } = {}) => {
      const { spec } = JSON.parse(body);
      reviews.push(spec);
      if (options.code) {
        const status = { kind: "Status", status: "Failure", reason: "Forbidden", code: options.code, message: "no" };
        return Promise.resolve(Response.json(status, { status: options.code }));
      }
      const user = { username: "ada", uid: "7", groups: ["dev"], extra: { scopes: ["read"] } };
      const status = path.includes("tokenreviews")
        ? spec.token === "known" ? { authenticated: true, user } : { user: {}, error: "unknown" }
        : { allowed: spec.resourceAttributes.namespace === "home" };
      return Promise.resolve(Response.json({ metadata: {}, status }, { status: 201 }));
    },
    close: () => {},
  };
  const authorizer = new RequestAuthorizer(new Client(transport, { fieldManager: "test", clock }), clock);
  const caller = (headers: Record<string, string>) =>
    authorizer.authenticate(new Request("http://127.0.0.1/explain", { headers }));
  return { authorizer, caller, reviews, clock };
}

// FR-512
Deno.test("a caller is who its token says, in either header; without a token, or with an unknown one, it is refused", async () => {
  const { caller, reviews } = open(), ada = { name: "ada", uid: "7", groups: ["dev"], extra: { scopes: ["read"] } };
  assert.deepEqual(await caller({ [TOKEN_HEADER]: "Bearer known" }), ada);
  assert.deepEqual(await caller({ authorization: "bearer known" }), ada);
  assert.deepEqual(reviews, [{ token: "known", audiences: [TOKEN_AUDIENCE] }], "it was reviewed once");
  for (
    const headers of [{}, { authorization: "Basic YTpi" }, { authorization: "Bearer" }] as Record<string, string>[]
  ) {
    assert.deepEqual(await caller(headers), { status: 401, problem: "a bearer token is missing" });
  }
  const unknown = await caller({ authorization: "Bearer other" });
  assert.ok(isRefusal(unknown) && unknown.status === 401 && unknown.problem.includes(TOKEN_AUDIENCE), `${unknown}`);
});

// FR-512
Deno.test("a user that may not get an object is refused with the missing permission; all it was authenticated with is reviewed", async () => {
  const { authorizer, caller, reviews } = open(), user = await caller({ authorization: "Bearer known" });
  assert.ok(!isRefusal(user));
  assert.equal(await authorizer.refusal(user, WIDGET), undefined);
  assert.deepEqual(reviews.at(-1), {
    user: "ada",
    uid: "7",
    groups: ["dev"],
    extra: { scopes: ["read"] },
    resourceAttributes: { verb: "get", group: "example.com", resource: "widgets", namespace: "home", name: "w" },
  });
  assert.deepEqual(await authorizer.refusal(user, { ...WIDGET, namespace: "away" }), {
    status: 403,
    problem: 'user "ada" cannot get resource "widgets" in API group "example.com" in the namespace "away" ("w")',
  });
});

// FR-512
Deno.test("a review counts for ten seconds", async () => {
  const { caller, reviews, clock } = open();
  for (const stepMs of [0, 9_999, 1, 5_000]) {
    await clock.advance(stepMs);
    await caller({ authorization: "Bearer known" });
  }
  assert.equal(reviews.length, 2);
});

// FR-512
Deno.test("callers with ever new tokens do not load the API server", async () => {
  const { caller, reviews, clock } = open(), statuses: number[] = [];
  for (let index = 0; index < 60; index++) {
    const refusal = await caller({ authorization: `Bearer ${index}` });
    statuses.push(isRefusal(refusal) ? refusal.status : 200);
  }
  assert.deepEqual([statuses[0], statuses.at(-1), reviews.length], [401, 429, 50]);
  await clock.advance(1_000);
  assert.ok(!isRefusal(await caller({ authorization: "Bearer known" })), "others are served again soon");
});

// FR-512
Deno.test("an operator that may not review says so, and asks again the next time", async () => {
  const { caller, reviews } = open({ code: 403 });
  for (let times = 1; times <= 2; times++) {
    const refusal = await caller({ authorization: "Bearer known" });
    assert.ok(isRefusal(refusal) && refusal.status === 503, JSON.stringify(refusal));
    assert.match(refusal.problem, /the operator cannot review the request.*RBAC rules up to date with `install`/s);
    assert.equal(reviews.length, times);
  }
});
