import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { CertificateAuthority } from "../../lib/apiserver/mod.ts";
import { type Case, conformance } from "./conformance_case.ts";
import { patch, WebhookServer } from "./webhook_server.ts";

const names = (webhooks: WebhookServer) => webhooks.seen.map(({ webhook }) => webhook);

function make(test: Case, name: string, rest: { metadata?: object; data?: object } = {}, query = "") {
  return test.post(`${test.core("configmaps")}${query}`, { ...rest, metadata: { ...rest.metadata, name } });
}

// FR-244
conformance("a validating webhook refuses with its code and message, and warns", async (test) => {
  await using webhooks = new WebhookServer(test);
  const refuse = ({ object }: { object: { data?: { size?: string } } }) =>
    object?.data?.size === "9"
      ? { allowed: false, status: { code: 409, message: "too large", reason: "Conflict" }, warnings: ["9 is a lot"] }
      : { warnings: ["seen"] };
  await webhooks.install("validating", [webhooks.webhook("size", refuse)]);
  const refused = await make(test, "a", { data: { size: "9" } });
  assert.equal(refused.code, 409);
  assert.equal(refused.body.message, 'admission webhook "size.case.example.com" denied the request: too large');
  assert.equal(refused.body.reason, "Conflict");
  assert.match(refused.headers.get("warning") ?? "", /299 .*"9 is a lot"/);
  assert.equal((await test.get(test.core("configmaps", "a"))).code, 404);
  const made = await make(test, "a", { data: { size: "8" } });
  assert.equal(made.code, 201);
  assert.match(made.headers.get("warning") ?? "", /"seen"/);
  const changed = await test.patch(test.core("configmaps", "a"), "merge", { data: { size: "9" } });
  assert.equal(changed.code, 409);
});

conformance("a refusal without a word is a 400 that says so", async (test) => {
  await using webhooks = new WebhookServer(test);
  await webhooks.install("validating", [webhooks.webhook("mute", () => ({ allowed: false }))]);
  const refused = await make(test, "a");
  assert.equal(refused.code, 400);
  assert.equal(
    refused.body.message,
    'admission webhook "mute.case.example.com" denied the request without explanation',
  );
});

// FR-244
conformance("a webhook is told who wants to do what, with the object after defaults and before", async (test) => {
  await using webhooks = new WebhookServer(test);
  await webhooks.install("validating", [webhooks.webhook("look", () => undefined)]);
  await make(test, "a", { data: { k: "1" } });
  await test.patch(test.core("configmaps", "a"), "merge", { data: { k: "2" } });
  await test.delete(test.core("configmaps", "a"));
  // A new namespace gets a ConfigMap of the controller manager's, sooner or later.
  const [create, update, remove] = webhooks.seen.map(({ request }) => request).filter(({ name }) => name === "a");
  const { uid, userInfo, options, object, oldObject, ...rest } = create;
  assert.match(uid, /^[0-9a-f-]{36}$/);
  assert.ok(userInfo.groups.includes("system:masters"), JSON.stringify(userInfo));
  assert.equal(options.kind, "CreateOptions");
  assert.equal(object.data.k, "1");
  assert.ok(object.metadata.uid && object.metadata.managedFields);
  assert.equal(oldObject, null);
  assert.deepEqual(rest, {
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    resource: { group: "", version: "v1", resource: "configmaps" },
    requestKind: { group: "", version: "v1", kind: "ConfigMap" },
    requestResource: { group: "", version: "v1", resource: "configmaps" },
    name: "a",
    namespace: test.namespace,
    operation: "CREATE",
    dryRun: false,
  });
  assert.deepEqual([update.operation, update.oldObject.data.k, update.object.data.k], ["UPDATE", "1", "2"]);
  assert.deepEqual([remove.operation, remove.oldObject.data.k, remove.object], ["DELETE", "2", null]);
});

// FR-244
conformance("a deletion that a webhook refuses does not happen", async (test) => {
  await using webhooks = new WebhookServer(test);
  const keep = ({ operation }: { operation: string }) => operation === "DELETE" ? { allowed: false } : undefined;
  await webhooks.install("validating", [
    webhooks.webhook("keep", keep, { objectSelector: { matchExpressions: [{ key: "probe", operator: "Exists" }] } }),
  ]);
  await make(test, "a", { metadata: { labels: { probe: "" } } });
  await make(test, "b");
  assert.equal((await test.delete(test.core("configmaps", "a"))).code, 400);
  assert.equal((await test.get(test.core("configmaps", "a"))).code, 200);
  assert.equal((await test.delete(test.core("configmaps", "b"))).code, 200, "the selector leaves it out");
  assert.deepEqual(webhooks.seen.map(({ request }) => `${request.operation} ${request.name}`), [
    "CREATE a",
    "DELETE a",
  ]);
});

// FR-244
conformance(
  "mutating webhooks go in the order of their names, each on what the former made, and again where it was changed",
  async (test) => {
    await using webhooks = new WebhookServer(test);
    const add = (key: string) => ({ object }: { object: { data?: Record<string, string> } }) =>
      object?.data && !(key in object.data)
        ? patch({ op: "add", path: `/data/${key}`, value: Object.keys(object.data).sort().join("") })
        : undefined;
    await webhooks.install("mutating", [
      webhooks.webhook("second", add("c"), { reinvocationPolicy: "IfNeeded" }),
      webhooks.webhook("third", add("d")),
    ], { name: "m2" });
    await webhooks.install("mutating", [webhooks.webhook("first", add("b"), { reinvocationPolicy: "IfNeeded" })], {
      name: "m1",
    });
    await webhooks.install("validating", [webhooks.webhook("last", () => undefined)]);
    const made = await make(test, "a", { data: { a: "" } });
    assert.deepEqual(made.body.data, { a: "", b: "a", c: "ab", d: "abc" });
    assert.deepEqual(names(webhooks), ["first", "second", "third", "first", "second", "last"]);
    const [{ manager, fieldsV1 }] = made.body.metadata.managedFields;
    assert.deepEqual(
      [manager, fieldsV1],
      ["case", { "f:data": { ".": {}, "f:a": {} } }],
      "what webhooks add has no manager",
    );
  },
);

// FR-244
conformance(
  "what a webhook makes of an object is judged like any other, and a patch that does not fit fails the request",
  async (test) => {
    await using webhooks = new WebhookServer(test);
    const bad = ({ name }: { name: string }) =>
      name === "a"
        ? patch({ op: "add", path: "/metadata/labels", value: { "not ok": "" } })
        : patch({ op: "remove", path: "/data/absent" });
    await webhooks.install("mutating", [webhooks.webhook("bad", bad, { failurePolicy: "Ignore" })]);
    const invalid = await make(test, "a");
    assert.deepEqual([invalid.code, invalid.body.details.causes[0].field], [422, "metadata.labels"]);
    const unfit = await make(test, "b", { data: { k: "" } });
    assert.deepEqual([unfit.code, unfit.body.reason], [500, "InternalError"], JSON.stringify(unfit.body));
  },
);

// FR-245
conformance("a webhook that is not there fails requests, and lets them pass where its policy says so", async (test) => {
  await using webhooks = new WebhookServer(test);
  const nowhere = { clientConfig: { url: "https://127.0.0.1:1/" } };
  const until = async () => (await make(test, "probe", {}, "?dryRun=All")).code === 500;
  await webhooks.install("validating", [webhooks.webhook("gone", () => undefined, nowhere)], { until });
  const refused = await make(test, "a");
  assert.deepEqual([refused.code, refused.body.reason], [500, "InternalError"]);
  assert.match(
    refused.body.message,
    /^Internal error occurred: failed calling webhook "gone.case.example.com": failed to call webhook: Post "https:\/\/127.0.0.1:1\/\?timeout=10s"/,
  );
});

// FR-245
conformance("where the policy ignores failures, the next webhook is asked all the same", async (test) => {
  await using webhooks = new WebhookServer(test);
  const nowhere = { clientConfig: { url: "https://127.0.0.1:1/" }, failurePolicy: "Ignore" };
  const gone = webhooks.webhook("gone", () => undefined, nowhere);
  const until = async () => (await make(test, "a", {}, "?dryRun=All")).code === 400;
  await webhooks.install("validating", [gone, webhooks.webhook("there", () => ({ allowed: false }))], { until });
  assert.deepEqual([...new Set(names(webhooks))], ["there"]);
});

// FR-245
conformance("a server with a certificate of another authority is not trusted", async (test) => {
  await using webhooks = new WebhookServer(test);
  const { clientConfig, ...webhook } = webhooks.webhook("foreign", () => undefined);
  const caBundle = Buffer.from(new CertificateAuthority(Date.now()).certificate).toString("base64");
  const until = async () => (await make(test, "probe", {}, "?dryRun=All")).code === 500;
  await webhooks.install("validating", [{ ...webhook, clientConfig: { ...clientConfig, caBundle } } as never], {
    until,
  });
  assert.match((await make(test, "a")).body.message, /failed calling webhook "foreign/);
  assert.deepEqual(webhooks.seen, []);
});

// FR-245
conformance("a webhook that does not answer in time has failed", async (test) => {
  await using webhooks = new WebhookServer(test);
  const late = Promise.withResolvers<undefined>();
  await webhooks.install("validating", [webhooks.webhook("slow", () => late.promise, { timeoutSeconds: 1 })]);
  const refused = await make(test, "a");
  late.resolve(undefined);
  assert.equal(refused.code, 500);
  assert.match(refused.body.message, /failed calling webhook "slow.case.example.com".*timeout=1s.*deadline exceeded/);
});

// FR-245
conformance("an answer that is none has failed", async (test) => {
  await using webhooks = new WebhookServer(test);
  const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" };
  const answers: Record<string, string> = {
    text: "yes",
    empty: JSON.stringify(review),
    other: JSON.stringify({ ...review, response: { uid: "another", allowed: true } }),
    typeless: JSON.stringify({ response: { uid: "another", allowed: true } }),
  };
  await webhooks.install("validating", [webhooks.webhook("odd", ({ name }: { name: string }) => answers[name])]);
  for (const name of Object.keys(answers)) {
    const refused = await make(test, name);
    assert.deepEqual([refused.code, refused.body.reason], [500, "InternalError"], name);
    assert.match(refused.body.message, /failed calling webhook "odd.case.example.com"/, name);
  }
});

// FR-244
conformance("a dry run is told as one, keeps nothing and is refused like any other", async (test) => {
  await using webhooks = new WebhookServer(test);
  const even = ({ name }: { name: string }) =>
    name === "b" ? { allowed: false } : patch({ op: "add", path: "/data", value: { added: "1" } });
  await webhooks.install("mutating", [webhooks.webhook("try", even, { sideEffects: "NoneOnDryRun" })]);
  const tried = await make(test, "a", {}, "?dryRun=All");
  assert.deepEqual([tried.code, tried.body.data], [201, { added: "1" }]);
  assert.equal((await make(test, "b", {}, "?dryRun=All")).code, 400);
  assert.deepEqual(webhooks.seen.map(({ request }) => request.dryRun), [true, true]);
  assert.equal((await test.get(test.core("configmaps", "a"))).code, 404);
});

// FR-244
conformance("a write that came between is not lost: the patch is applied to it and admitted again", async (test) => {
  await using webhooks = new WebhookServer(test);
  let between = 0;
  const race = async ({ object }: { object: { data?: Record<string, string> } }) => {
    if (object?.data?.mine && between++ === 0) {
      await test.patch(test.core("configmaps", "a"), "merge", { metadata: { annotations: { between: "1" } } });
    }
    return undefined;
  };
  await webhooks.install("validating", [webhooks.webhook("race", race)]);
  const made = await make(test, "a", { data: { k: "" } });
  const changed = await test.patch(test.core("configmaps", "a"), "merge", { data: { mine: "1" } });
  assert.equal(changed.code, 200);
  assert.deepEqual([changed.body.data.mine, changed.body.metadata.annotations?.between], ["1", "1"]);
  between = 0;
  const stale = await test.put(test.core("configmaps", "a"), { ...made.body, data: { mine: "2" } });
  assert.equal(stale.code, 409, "a write that names a version keeps to it");
});

// FR-244
conformance(
  "a rule for one version sees writes by another one as its own, and status is a door of its own",
  async (test) => {
    await using webhooks = new WebhookServer(test);
    const group = `${test.namespace}.example.com`;
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const version = (name: string) => ({
      name,
      served: true,
      storage: name === "v1",
      subresources: { status: {} },
      schema,
    });
    const names = { plural: "things", kind: "Thing" }, crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const crd = {
      metadata: { name: `things.${group}` },
      spec: { group, scope: "Namespaced", names, versions: [version("v1"), version("v2")] },
    };
    assert.equal(
      (await test.post(crds, { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", ...crd })).code,
      201,
    );
    try {
      await test.until(`${crds}/things.${group}`, (object) =>
        (object?.status as { conditions?: { type: string; status: string }[] })?.conditions?.some(({ type, status }) =>
          type === "Established" && status === "True"
        ) ?? false);
      const thing = (name: string) => ({ apiVersion: `${group}/v2`, kind: "Thing", metadata: { name }, spec: {} });
      const things = test.in(`${group}/v2`, "things");
      const rules = (resource: string) => ({
        rules: [{ apiGroups: [group], apiVersions: ["v1"], operations: ["*"], resources: [resource] }],
      });
      const reached = new Set<string>();
      const note = (name: string) => () => void reached.add(name) as undefined;
      const until = async () => {
        await test.post(`${things}?dryRun=All`, thing("early"));
        return reached.has("any");
      };
      const exact = { ...rules("things"), matchPolicy: "Exact" };
      await webhooks.install("validating", [
        webhooks.webhook("any", note("any"), rules("things")),
        webhooks.webhook("exact", note("exact"), exact),
        webhooks.webhook("status", note("status"), rules("things/status")),
      ], { until });
      webhooks.seen.length = 0;
      assert.equal((await test.post(things, thing("a"))).code, 201);
      const patched = await test.patch(`${things}/a/status`, "merge", { status: { phase: "x" } });
      assert.equal(patched.code, 200);
      const seen = webhooks.seen.map((
        { webhook, request },
      ) => [
        webhook,
        request.operation,
        request.object.apiVersion,
        request.kind.version,
        request.requestKind.version,
        request.subResource,
      ]);
      assert.deepEqual(seen, [
        ["any", "CREATE", `${group}/v1`, "v1", "v2", undefined],
        ["status", "UPDATE", `${group}/v1`, "v1", "v2", "status"],
      ]);
      assert.equal(webhooks.seen[1]!.request.object.status.phase, "x");
    } finally {
      await test.delete(`${crds}/things.${group}`);
    }
  },
);

// FR-244
conformance("a large object reaches a webhook whole", async (test) => {
  await using webhooks = new WebhookServer(test);
  await webhooks.install("validating", [webhooks.webhook("large", () => undefined)]);
  const value = "x".repeat(900_000);
  assert.equal((await make(test, "a", { data: { value } })).code, 201);
  assert.equal(webhooks.seen[0]!.request.object.data.value.length, value.length);
});

// FR-244
conformance("a match condition keeps a webhook out, and one that fails is a failure of the webhook", async (test) => {
  await using webhooks = new WebhookServer(test);
  const matchConditions = [
    { name: "no-others", expression: "request.name != 'other'" },
    { name: "with-k", expression: "request.name == 'probe' || object.data.k == '1'" },
  ];
  await webhooks.install("validating", [webhooks.webhook("some", () => ({ allowed: false }), { matchConditions })]);
  assert.equal((await make(test, "other")).code, 201);
  assert.equal((await make(test, "zero", { data: { k: "0" } })).code, 201);
  assert.equal((await make(test, "one", { data: { k: "1" } })).code, 400);
  assert.deepEqual(webhooks.seen.map(({ request }) => request.name), ["one"]);
  assert.ok((await make(test, "bare")).code >= 400, "there is no data to look into");
});

// FR-244
conformance("a configuration that no server could obey is refused, field by field", async (test) => {
  await using webhooks = new WebhookServer(test);
  const cases: [Record<string, unknown>, string][] = [
    [{ name: "short" }, "webhooks[0].name"],
    [{ sideEffects: "Some" }, "webhooks[0].sideEffects"],
    [{ timeoutSeconds: 31 }, "webhooks[0].timeoutSeconds"],
    [{ failurePolicy: "Maybe" }, "webhooks[0].failurePolicy"],
    [{ matchPolicy: "Maybe" }, "webhooks[0].matchPolicy"],
    [{ admissionReviewVersions: ["v7"] }, "webhooks[0].admissionReviewVersions"],
    [{ clientConfig: {} }, "webhooks[0].clientConfig"],
    [{ clientConfig: { url: "http://127.0.0.1/" } }, "webhooks[0].clientConfig.url"],
    [{ clientConfig: { url: "https://127.0.0.1/?a=b" } }, "webhooks[0].clientConfig.url"],
    [
      { rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: [], resources: ["configmaps"] }] },
      "webhooks[0].rules[0].operations",
    ],
    [{ matchConditions: [{ name: "a", expression: "1 +" }] }, "webhooks[0].matchConditions[0].expression"],
  ];
  for (const [wrong, field] of cases) {
    const refused = await webhooks.install("validating", [webhooks.webhook("never", () => undefined, wrong)]);
    assert.equal(refused.code, 422, field);
    assert.equal(refused.body.details.causes[0].field, field, JSON.stringify(refused.body.details.causes));
  }
});
