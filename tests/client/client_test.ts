import { TooManyRequestsError } from "../../lib/client/api_error.ts";
import { InvariantError } from "../../lib/base/errors.ts";
import assert from "node:assert/strict";
import { type JsonValue, SeededRandom, VirtualClock } from "../../lib/base/mod.ts";
import {
  AlreadyExistsError,
  Client,
  ConflictError,
  discover,
  findResource,
  ForbiddenError,
  GoneError,
  InvalidError,
  isNotFound,
  MalformedAnswerError,
  NamespaceTerminatingError,
  type RequestRecord,
  serverVersion,
  UnauthorizedError,
  type WriteRecord,
} from "../../lib/client/mod.ts";
import { answer, refuse, ScriptedTransport, SECRETS, type Step, WIDGETS } from "./scripted_transport.ts";

const KEY = { namespace: "shop", name: "a" };

function setUp(...steps: Step[]) {
  const transport = new ScriptedTransport(...steps), records: RequestRecord[] = [];
  const client = new Client(transport, {
    fieldManager: "keeper",
    clock: new VirtualClock(),
    random: new SeededRandom(1),
    retriesMax: 0,
    onRequest: (record) => records.push(record),
  });
  return { transport, client, records };
}

// FR-476
Deno.test("a client with onWrite records each write that was stored, and no dry run, failure or read", async () => {
  const object = { metadata: { ...KEY, resourceVersion: "7", labels: { app: "x" } } }, ok = answer(object);
  const { client, transport } = setUp(ok, ok, ok, ok, ok, ok, ok, refuse(409, "Conflict"));
  const writes: WriteRecord[] = [], recording = client.with({ onWrite: (write) => writes.push(write) });
  await recording.create(WIDGETS, object);
  await recording.replace(WIDGETS, object, { subresource: "status" });
  await recording.apply(WIDGETS, object);
  await recording.patch(WIDGETS, KEY, { type: "merge", body: {} });
  await recording.delete(WIDGETS, KEY);
  const made = { resource: WIDGETS, key: KEY, subresource: undefined, resourceVersion: "7", labels: { app: "x" } };
  assert.deepEqual(writes, [
    { ...made, verb: "create" },
    { ...made, verb: "replace", subresource: "status" },
    { ...made, verb: "apply" },
    { ...made, verb: "patch" },
    { verb: "delete", resource: WIDGETS, key: KEY },
  ]);
  await recording.apply(WIDGETS, object, { dryRun: true });
  await recording.get(WIDGETS, KEY);
  await assert.rejects(recording.replace(WIDGETS, object), ConflictError);
  assert.equal(writes.length, 5);
  assert.equal(transport.left, 0);
});

// FR-476
Deno.test("a client that is given another onWrite still calls the one before", async () => {
  const { client } = setUp(answer({ metadata: KEY })), calls: string[] = [];
  const engine = client.with({ onWrite: () => calls.push("engine") });
  await engine.with({ onWrite: () => calls.push("handler") }).apply(WIDGETS, { metadata: KEY });
  assert.deepEqual(calls, ["engine", "handler"]);
});

// FR-476
Deno.test("a client for dry runs stays one, whatever options it is given", async () => {
  const ok = answer({ metadata: KEY }), { client, transport } = setUp(ok, ok);
  const planning = client.with({ dryRun: true }).with({ dryRun: false, signal: new AbortController().signal });
  assert.ok(planning.dryRun && !client.dryRun);
  await planning.apply(WIDGETS, { metadata: KEY });
  await client.apply(WIDGETS, { metadata: KEY });
  assert.deepEqual(transport.seen.map(({ query }) => query.get("dryRun")), ["All", null]);
});

// FR-476
Deno.test("the signal of a client and that of a call each end a request and a watch", async () => {
  const hangs: Step = ({ signal }) =>
    new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason), { once: true }));
  for (const which of ["client", "call"] as const) {
    const own = new AbortController(), given = new AbortController(), { client } = setUp(hangs, hangs);
    const bounded = client.with({ signal: own.signal }), { signal } = given;
    const get = bounded.get(WIDGETS, KEY, { signal }), watching = bounded.watch(WIDGETS, { signal }).next();
    (which === "client" ? own : given).abort(new Error(`the ${which} ends`));
    await assert.rejects(get, { message: `the ${which} ends` });
    assert.deepEqual(await watching, { done: true, value: undefined });
  }
  const ended = AbortSignal.abort(new Error("over")), { client, transport } = setUp();
  await assert.rejects(client.with({ signal: ended }).list(WIDGETS), { message: "over" });
  assert.deepEqual(transport.seen, []);
});

// FR-476
Deno.test("a client with a second signal still obeys the first, and either ends a request and a watch", async () => {
  const hangs: Step = ({ signal }) =>
    new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason), { once: true }));
  for (const which of ["first", "second"] as const) {
    const first = new AbortController(), second = new AbortController(), { client } = setUp(hangs, hangs);
    const bounded = client.with({ signal: first.signal }).with({ signal: second.signal }).with({ dryRun: true });
    const get = bounded.get(WIDGETS, KEY);
    const watching = bounded.watch(WIDGETS, { signal: new AbortController().signal }).next();
    (which === "first" ? first : second).abort(new Error(`the ${which} ends`));
    await assert.rejects(get, { message: `the ${which} ends` });
    assert.deepEqual(await watching, { done: true, value: undefined });
  }
});

// FR-476
Deno.test("a replace sends no managedFields: a part of them would take the rest from their managers", async () => {
  const { client, transport } = setUp(answer({ metadata: KEY }));
  await client.replace(WIDGETS, { metadata: { ...KEY, managedFields: [{ manager: "x" }] } });
  assert.equal(JSON.parse(transport.seen[0]!.body!).metadata.managedFields, undefined);
});

Deno.test("every write names the field manager, and reads do not", async () => {
  const object = { metadata: { ...KEY, managedFields: [{ manager: "x" }] } }, ok = answer(object);
  const { client, transport } = setUp(ok, ok, ok, ok, ok);
  await client.create(WIDGETS, object);
  await client.replace(WIDGETS, object, { subresource: "status" });
  await client.apply(WIDGETS, object, { dryRun: true });
  await client.patch(WIDGETS, KEY, { type: "merge", metadataOnly: true, body: { spec: 1 } });
  await client.get(WIDGETS, KEY);
  const [create, replace, apply, patch, get] = transport.seen;
  for (const write of [create, replace, apply, patch]) assert.equal(write!.query.get("fieldManager"), "keeper");
  assert.equal(get!.query.get("fieldManager"), null);
  assert.equal(`${create!.method} ${create!.path}`, "POST /apis/shop.example.com/v1/namespaces/shop/widgets");
  assert.equal(`${replace!.method} ${replace!.path}`, "PUT /apis/shop.example.com/v1/namespaces/shop/widgets/a/status");
  assert.equal(apply!.headers!["content-type"], "application/apply-patch+yaml");
  assert.equal(apply!.query.get("force"), "true");
  assert.equal(apply!.query.get("dryRun"), "All");
  const applied = JSON.parse(apply!.body!);
  assert.equal(applied.kind, "Widget");
  assert.equal(applied.metadata.managedFields, undefined, "an apply that brings managedFields is refused");
  assert.deepEqual(object.metadata.managedFields, [{ manager: "x" }], "the caller's object is not edited");
  assert.match(patch!.headers!.accept!, /PartialObjectMetadata/);
  assert.match(get!.headers!["user-agent"]!, /^pintle/);
});

Deno.test("a request without a name, or without a namespace where one is needed, is never sent", async () => {
  const { client, transport } = setUp();
  await assert.rejects(client.delete(WIDGETS, { namespace: "shop", name: "" }), InvariantError);
  await assert.rejects(client.get(WIDGETS, { name: "a" }), InvariantError);
  assert.throws(() => client.create(WIDGETS, { metadata: { name: "a" } }), InvariantError);
  assert.equal(transport.seen.length, 0);
});

// FR-34
Deno.test("a delete carries its preconditions", async () => {
  const { client, transport } = setUp(answer({ kind: "Status" }));
  await client.delete(WIDGETS, KEY, { uid: "u", resourceVersion: "7", propagationPolicy: "Foreground" });
  const { preconditions, propagationPolicy } = JSON.parse(transport.seen[0]!.body!);
  assert.deepEqual({ preconditions, propagationPolicy }, {
    preconditions: { uid: "u", resourceVersion: "7" },
    propagationPolicy: "Foreground",
  });
});

Deno.test("a list is all of its pages, and its items know their kind", async () => {
  const page = (names: string[], next?: string) =>
    answer({
      metadata: { resourceVersion: "9", continue: next },
      items: names.map((name) => ({ metadata: { name } })),
    });
  const { client, transport } = setUp(page(["a", "b"], "more"), page(["c"]));
  const list = await client.list(SECRETS, {
    namespace: "shop",
    limit: 2,
    labelSelector: "a in (b,c)",
    resourceVersion: "5",
  });
  assert.deepEqual(list.items.map((item) => `${item.apiVersion} ${item.kind} ${item.metadata?.name}`), [
    "v1 Secret a",
    "v1 Secret b",
    "v1 Secret c",
  ]);
  assert.equal(list.metadata?.resourceVersion, "9");
  const [first, second] = transport.seen;
  assert.equal(first!.query.get("labelSelector"), "a in (b,c)");
  assert.equal(first!.query.get("resourceVersion"), "5");
  assert.equal(second!.query.get("continue"), "more");
  assert.equal(second!.query.get("resourceVersion"), null, "the server refuses a version beside a continue token");
});

Deno.test("a list that expires in the middle is read again in one piece", async () => {
  const item = (name: string) => ({ metadata: { name } });
  const { client, transport } = setUp(
    answer({ metadata: { resourceVersion: "1", continue: "x" }, items: [item("old")] }),
    refuse(410, "Expired"),
    answer({ metadata: { resourceVersion: "8" }, items: [item("a"), item("b")] }),
  );
  const list = await client.list(WIDGETS);
  assert.deepEqual(list.items.map((one) => one.metadata?.name), ["a", "b"]);
  assert.equal(list.metadata?.resourceVersion, "8");
  assert.equal(transport.seen[2]!.query.get("limit"), null);
});

Deno.test("find turns a missing object into undefined, and nothing else", async () => {
  const { client } = setUp(refuse(404, "NotFound"), refuse(403, "Forbidden"));
  assert.equal(await client.find(WIDGETS, KEY), undefined);
  await assert.rejects(client.find(WIDGETS, KEY), ForbiddenError);
});

// FR-124
Deno.test("each refusal is an error of its class", async () => {
  const cases: [number, string, new (...args: never[]) => Error][] = [
    [401, "Unauthorized", UnauthorizedError],
    [403, "Forbidden", ForbiddenError],
    [409, "Conflict", ConflictError],
    [409, "AlreadyExists", AlreadyExistsError],
    [410, "Expired", GoneError],
    [422, "Invalid", InvalidError],
    [429, "TooManyRequests", TooManyRequestsError],
  ];
  for (const [code, reason, type] of cases) {
    const { client, records } = setUp(refuse(code, reason, `because of ${reason}`));
    await assert.rejects(client.get(WIDGETS, KEY), (error: Error) => {
      assert.ok(error instanceof type, `${code} ${reason} gave ${error.name}`);
      assert.match(error.message, /cannot get widgets\.shop\.example\.com shop\/a: because of/);
      return true;
    });
    assert.equal(records[0]?.code, code);
  }
});

// FR-124
Deno.test("a 403 of the authorizer names the missing rule, and which verb an apply lacked", async () => {
  const message =
    'widgets.shop.example.com "a" is forbidden: User "system:serviceaccount:ops:keeper" cannot create resource ' +
    '"widgets/status" in API group "shop.example.com" in the namespace "shop"';
  const { client } = setUp(refuse(403, "Forbidden", message));
  await assert.rejects(client.apply(WIDGETS, { metadata: KEY }), (error: Error) => {
    assert.ok(error instanceof ForbiddenError);
    assert.deepEqual(error.rule, { apiGroups: ["shop.example.com"], resources: ["widgets/status"], verbs: ["create"] });
    assert.equal(error.refusedBy, "authorization");
    assert.match(error.message, /verbs: \["create"\]/);
    return true;
  });
});

Deno.test("a 403 of a quota gives no advice on RBAC", async () => {
  const { client } = setUp(
    refuse(403, "Forbidden", 'widgets "a" is forbidden: exceeded quota: q, requested: 1, used: 1'),
  );
  await assert.rejects(client.create(WIDGETS, { metadata: KEY }), (error: Error) => {
    assert.ok(error instanceof ForbiddenError);
    assert.equal(error.refusedBy, "admission");
    assert.ok(!error.message.includes("grant"), error.message);
    return true;
  });
});

Deno.test("a create in a terminating namespace has its own class", async () => {
  const details = { causes: [{ reason: "NamespaceTerminating", message: "namespace shop is being terminated" }] };
  const { client } = setUp(refuse(403, "Forbidden", "unable to create", { details }));
  await assert.rejects(client.create(WIDGETS, { metadata: KEY }), NamespaceTerminatingError);
});

// FR-65
Deno.test("no value of a Secret is in any error about it", async () => {
  const value = "hunter2-hunter2", encoded = btoa(value);
  const secret = { metadata: KEY, stringData: { password: value }, data: { other: encoded } };
  const causes = [{ reason: "FieldValueInvalid", field: "data[x y]", message: `Invalid value: "${encoded}"` }];
  const steps = [
    refuse(422, "Invalid", `Secret "a" is invalid: data: Invalid value: "${value}"`, {
      details: { name: "a", causes },
    }),
    refuse(400, "BadRequest", `cannot decode ${encoded}`),
    refuse(403, "Forbidden", `admission webhook "w" denied the request: ${value} is too weak`),
    refuse(500, "InternalError", `failed on ${value}`),
  ];
  for (const step of steps) {
    const { client } = setUp(step);
    await assert.rejects(client.create(SECRETS, secret), (error: Error) => {
      const text = `${error.message} ${error.stack} ${JSON.stringify(error)} ${Deno.inspect(error)}`;
      assert.ok(!text.includes(value) && !text.includes(encoded), text);
      return true;
    });
  }
});

// FR-285
Deno.test("a refusal of a Secret keeps the name and the message of its policy, with any code", async () => {
  const secret = {
    metadata: { ...KEY, labels: { tier: "test" } },
    stringData: { password: "admin-prod", longer: "admin-prod-S3cr3t", pin: "4711" },
  };
  const message = (value: string, pin: string) =>
    `admission webhook "no-weak.example.com" denied the request: ${value} of "a" (tier test, pin ${pin}) is weak`;
  for (const code of [400, 403, 422, 500]) {
    const { client } = setUp(refuse(code, "Invalid", message("admin-prod-S3cr3t", "4711")));
    await assert.rejects(client.create(SECRETS, secret), (error: Error) => {
      assert.ok(error.message.includes(message("[secret]", "[secret]")), error.message);
      return true;
    });
  }
});

// FR-285
Deno.test("a refused Secret still names the invalid field", async () => {
  const details = { name: "a", causes: [{ reason: "FieldValueInvalid", field: "data[x y]", message: "value abc" }] };
  const { client } = setUp(refuse(422, "Invalid", "…", { details }));
  await assert.rejects(client.create(SECRETS, { metadata: KEY }), /data\[x y\]: FieldValueInvalid/);
});

Deno.test("an error page of a proxy becomes one line", async () => {
  const html = `<html><style>b{}</style><body><h1>502 Bad Gateway</h1>\n<p>${"x".repeat(5_000)}</p></body></html>`;
  const { client } = setUp(() => new Response(html, { status: 502, headers: { "content-type": "text/html" } }));
  await assert.rejects(client.get(WIDGETS, KEY), (error: Error) => {
    assert.match(error.message, /502 Bad Gateway x/);
    assert.ok(!error.message.includes("\n") && !error.message.includes("<") && error.message.length < 400);
    return true;
  });
});

Deno.test("a login page with status 200 is not an object", async () => {
  const { client } = setUp(() => new Response("<html>sign in</html>"));
  await assert.rejects(client.get(WIDGETS, KEY), MalformedAnswerError);
});

Deno.test("the body of a refusal is read to its bound and then cancelled", async () => {
  let cancelled = false, pulled = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(4_096).fill(0x61));
    },
    cancel: () => void (cancelled = true),
  });
  const { client } = setUp(() => new Response(endless, { status: 404 }));
  await assert.rejects(client.get(WIDGETS, KEY), isNotFound);
  assert.ok(cancelled);
  assert.ok(pulled < 32);
});

Deno.test("an access review returns a boolean", async () => {
  const { client, transport } = setUp(answer({ status: { allowed: true } }, 201), answer({ status: {} }, 201));
  assert.equal(
    await client.can({ verb: "update", resource: { ...WIDGETS, subresource: "status" }, namespace: "shop", name: "a" }),
    true,
  );
  assert.equal(await client.can({ verb: "update", resource: WIDGETS }), false);
  assert.deepEqual(JSON.parse(transport.seen[0]!.body!).spec.resourceAttributes, {
    verb: "update",
    group: "shop.example.com",
    resource: "widgets",
    subresource: "status",
    namespace: "shop",
    name: "a",
  });
});

Deno.test("every attempt is recorded, failed ones too", async () => {
  const { client, records } = setUp(answer({ metadata: {} }), () => Promise.reject(new TypeError("fetch failed")));
  await client.get(WIDGETS, KEY, { subresource: "status" });
  await assert.rejects(client.get(WIDGETS, KEY));
  const common = { verb: "get", namespace: "shop", name: "a", durationMs: 0 };
  assert.deepEqual(records, [
    { ...common, resource: "widgets.shop.example.com/status", code: 200 },
    { ...common, resource: "widgets.shop.example.com", code: 0 },
  ]);
});

Deno.test("discovery reads the aggregated form and that of older servers", async () => {
  const aggregated = {
    kind: "APIGroupDiscoveryList",
    items: [{
      metadata: { name: "shop.example.com" },
      versions: [{
        version: "v1",
        resources: [{
          resource: "widgets",
          responseKind: { kind: "Widget" },
          scope: "Namespaced",
          singularResource: "widget",
          shortNames: ["wd"],
          verbs: ["get"],
          subresources: [{ subresource: "status" }],
        }],
      }],
    }],
  };
  const group = {
    kind: "APIGroupList",
    groups: [{
      versions: [{ groupVersion: "shop.example.com/v1beta1" }, { groupVersion: "shop.example.com/v1" }],
      preferredVersion: { groupVersion: "shop.example.com/v1" },
    }],
  };
  const resources = (plural: string) => ({
    resources: [
      { name: plural, kind: "Widget", namespaced: true, singularName: "widget", shortNames: ["wd"], verbs: ["get"] },
      { name: `${plural}/status`, kind: "Widget" },
    ],
  });
  const modern = setUp(answer({ kind: "APIGroupDiscoveryList", items: [] }), answer(aggregated));
  const old = setUp(answer({ versions: [] }), answer(group), answer(resources("widgets")), refuse(404, "NotFound"));
  const expected = {
    ...WIDGETS,
    singular: "widget",
    shortNames: ["wd"],
    categories: [],
    verbs: ["get"],
    subresources: ["status"],
  };
  assert.deepEqual(await discover(modern.client), [expected]);
  const found = await discover(old.client);
  assert.deepEqual(found, [expected]);
  assert.equal(old.transport.seen[2]!.path, "/apis/shop.example.com/v1", "the preferred version comes first");
  assert.equal(findResource(found, "shop.example.com", "Widget")?.plural, "widgets");
  assert.equal(findResource(found, "shop.example.com", "Widget", "v2"), undefined);
});

Deno.test("a server's version is numbers, also with the suffix of a distribution", async () => {
  const { client } = setUp(answer({ gitVersion: "v1.31.2-eks", major: "1", minor: "31+" }));
  assert.deepEqual(await serverVersion(client), { gitVersion: "v1.31.2-eks", major: 1, minor: 31 });
});

// FR-462
Deno.test("a patch in list form is sent unchanged", async () => {
  const { client, transport } = setUp(answer({ metadata: {} }));
  const body: JsonValue = [{ op: "test", path: "/metadata/resourceVersion", value: "1" }];
  await client.patch(WIDGETS, KEY, { type: "json", body });
  assert.deepEqual(JSON.parse(transport.seen[0]!.body!), body);
  assert.equal(transport.seen[0]!.headers!["content-type"], "application/json-patch+json");
});
