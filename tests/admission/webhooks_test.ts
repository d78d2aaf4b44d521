import type { AdmissionRecord } from "../../lib/admission/webhooks.ts";
import { PRESENT } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as z from "zod";
import {
  createLogger,
  type LogRecord,
  PermanentError,
  sleep,
  TemporaryError,
  UsageError,
  VirtualClock,
} from "../../lib/base/mod.ts";
import { Memo } from "../../lib/base/memo.ts";
import { applyJsonPatch, jsonPatchBetween } from "../../lib/apimachinery/mod.ts";
import {
  type AdmissionDeclaration,
  AdmissionError,
  type AdmissionHost,
  AdmissionWebhooks,
} from "../../lib/admission/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { defineResource, Operator } from "../../lib/operator/mod.ts";

const Widget = defineResource({
  group: "shop.example.com",
  version: "v1",
  kind: "Widget",
  spec: z.object({ size: z.int().min(1).default(1), note: z.string().optional() }).refine(
    ({ size, note }) => size < 10 || note !== undefined,
    { error: "a large widget needs a note", path: ["note"] },
  ),
});

const widget = (spec: Record<string, unknown>, metadata: Record<string, unknown> = {}) => ({
  apiVersion: "shop.example.com/v1",
  kind: "Widget",
  metadata: { name: "a", namespace: "shop", ...metadata },
  spec,
});

const silent = { fetch: () => Promise.reject(new TypeError("no handler of these tests reads")), close: () => {} };

/** One operator's webhooks on a virtual clock. */
class Endpoint {
  readonly clock = new VirtualClock();
  readonly stop = new AbortController();
  readonly lines: LogRecord[] = [];
  readonly records: AdmissionRecord[] = [];
  readonly webhooks: AdmissionWebhooks;

  constructor(readonly declarations: readonly AdmissionDeclaration[], bounds = {}) {
    const host: AdmissionHost = {
      clock: this.clock,
      logger: createLogger((record) => this.lines.push(record)),
      reader: (signal) => new Client(silent, { fieldManager: "widgets", retriesMax: 0 }).with({ signal }),
      index: () => assert.fail("no handler of these tests uses an index"),
      shared: new Memo(),
      signal: this.stop.signal,
      onReview: (record) => this.records.push(record),
    };
    this.webhooks = new AdmissionWebhooks(declarations, host, bounds);
  }

  post(body: unknown, path = `/${this.declarations[0]!.type}/${this.declarations[0]!.webhook}`): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return this.webhooks.fetch(path, {
      method: "POST",
      headers,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  // deno-lint-ignore no-explicit-any -- the cases read JSON of any shape
  async review(request: Record<string, unknown>, path?: string): Promise<any> {
    const answer = await this.post(review(request), path);
    assert.equal(answer.status, 200, answer.status === 200 ? "" : await answer.text());
    const { response, ...rest } = await answer.json();
    assert.deepEqual(rest, { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
    assert.equal(response.uid, "u1");
    return response;
  }
}

const review = (request: Record<string, unknown>) => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "u1",
    operation: request.oldObject ? request.object ? "UPDATE" : "DELETE" : "CREATE",
    name: "a",
    namespace: "shop",
    userInfo: { username: "ann", groups: ["team"] },
    ...request,
  },
});

const widgets = (operator: Operator) => operator.on(Widget);

function on(declare: (handlers: ReturnType<typeof widgets>) => unknown): Endpoint {
  const operator = new Operator("widgets");
  declare(widgets(operator));
  return new Endpoint(operator.admission);
}

// FR-240
Deno.test("a validating handler gets the typed request, and allows it by returning", async () => {
  let seen: unknown;
  const endpoint = on((widgets) =>
    widgets.validate(({ spec, oldSpec, old, diff, operation, name, namespace, user, dryRun, subresource, param }) => {
      seen = {
        size: spec.size,
        was: oldSpec?.size,
        old: old?.spec.size,
        diff,
        operation,
        name,
        namespace,
        user,
        dryRun,
        subresource,
        param,
      };
    }, { id: "check", param: 7 })
  );
  const verdict = await endpoint.review({ object: widget({}), oldObject: widget({ size: 2 }), dryRun: true });
  assert.deepEqual(verdict, { uid: "u1", allowed: true });
  assert.deepEqual(seen, {
    size: 1,
    was: 2,
    old: 2,
    diff: [{ operation: "remove", path: ["spec", "size"], old: 2 }],
    operation: "UPDATE",
    name: "a",
    namespace: "shop",
    user: { username: "ann", groups: ["team"], extra: {} },
    dryRun: true,
    subresource: undefined,
    param: 7,
  });
});

// FR-258
Deno.test("headers of a review reach its handler, but for those that hold credentials", async () => {
  let seen: unknown;
  const endpoint = on((widgets) => widgets.validate(({ headers }) => void (seen = headers), { id: "check" }));
  const kept = {
    "content-type": "application/json",
    "user-agent": "kube-apiserver-admission",
    traceparent: "00-1-2-00",
  };
  const secret = { authorization: "Bearer hunter2", "proxy-authorization": "Basic hunter2", cookie: "session=hunter2" };
  const body = JSON.stringify(review({ object: widget({}) }));
  const headers = { ...kept, ...secret };
  await endpoint.webhooks.fetch("/validate/check.widgets.shop.example.com", { method: "POST", headers, body });
  assert.deepEqual(seen, kept);
  assert.ok(!JSON.stringify(endpoint.lines).includes("hunter2"));
});

// FR-258
Deno.test("state of an object that is not stored yet lasts for one review, and the operator's for all", async () => {
  const counts: number[][] = [], own = () => ({ count: 0 }), all = () => ({ count: 0 });
  const endpoint = on((widgets) =>
    widgets.validate(({ memo, shared }) => {
      memo(own).count++;
      counts.push([++memo(own).count, ++shared(all).count]);
    }, { id: "count" })
  );
  await endpoint.review({ object: widget({}) });
  await endpoint.review({ object: widget({}) });
  await endpoint.review({ object: widget({}), oldObject: widget({}) }); // nothing watches the kind here
  assert.deepEqual(counts, [[2, 1], [2, 2], [2, 3]]);
});

// FR-240, FR-252
Deno.test("an AdmissionError refuses the request with its message, its code and the warnings", async () => {
  const endpoint = on((widgets) =>
    widgets.validate(({ warn }) => {
      warn("sizes above 5 are costly");
      throw new AdmissionError("no widgets today", { code: 409 });
    }, { id: "closed" })
  );
  assert.deepEqual(await endpoint.review({ object: widget({}) }), {
    uid: "u1",
    allowed: false,
    status: { code: 409, message: "no widgets today" },
    warnings: ["sizes above 5 are costly"],
  });
  const webhook = "/validate/closed.widgets.shop.example.com";
  assert.deepEqual(endpoint.records, [{ webhook, code: 200, denied: true, durationMs: 0 }]);
  assert.throws(() => new AdmissionError("x", { code: 200 }), RangeError);
});

// FR-240
Deno.test("a spec that only the program's schema refuses is refused with 422 and the field, when it is read", async () => {
  const endpoint = on((widgets) => widgets.validate(({ spec }) => void spec, { id: "schema" }));
  const { allowed, status } = await endpoint.review({ object: widget({ size: 11 }) });
  assert.equal(allowed, false);
  assert.deepEqual(status, { code: 422, message: "spec.note: a large widget needs a note" });
  assert.equal((await endpoint.review({ object: widget({ size: 11, note: "n" }) })).allowed, true);
});

Deno.test("a former spec that the schema refuses today does not block a valid one", async () => {
  let former: unknown = "unread";
  const endpoint = on((widgets) =>
    widgets.validate(({ spec, oldSpec }) => void (former = spec && oldSpec), { id: "former" })
  );
  const verdict = await endpoint.review({ object: widget({ size: 2 }), oldObject: widget({ size: 11 }) });
  assert.equal(verdict.allowed, true);
  assert.equal(former, undefined);
});

// FR-240
Deno.test("a mutating handler edits a draft, and the difference is the patch", async () => {
  const endpoint = on((widgets) =>
    widgets.mutate(({ draft }) => {
      draft.spec.size = 3;
      delete draft.spec.note;
      (draft.metadata.labels ??= {})["shop.example.com/size~"] = "3";
    }, { id: "defaults" })
  );
  const object = widget({ size: 1, note: "n" });
  const { patch, patchType, allowed } = await endpoint.review({ object });
  assert.equal(allowed, true);
  assert.equal(patchType, "JSONPatch");
  const operations = JSON.parse(Buffer.from(patch, "base64").toString());
  assert.deepEqual(operations, [
    { op: "add", path: "/metadata/labels", value: { "shop.example.com/size~": "3" } },
    { op: "replace", path: "/spec/size", value: 3 },
    { op: "remove", path: "/spec/note" },
  ]);
  assert.deepEqual(applyJsonPatch(object, operations).spec, { size: 3 });
});

Deno.test("a mutating handler that changes nothing answers without a patch, and one that throws changes nothing", async () => {
  const calm = on((widgets) => widgets.mutate(() => {}, { id: "calm" }));
  assert.deepEqual(await calm.review({ object: widget({}) }), { uid: "u1", allowed: true });
  const cross = on((widgets) =>
    widgets.mutate(({ draft }) => {
      draft.spec.size = 9;
      throw new PermanentError("not this one");
    }, { id: "cross" })
  );
  const verdict = await cross.review({ object: widget({}) });
  assert.deepEqual(verdict, { uid: "u1", allowed: false, status: { code: 422, message: "not this one" } });
});

Deno.test("a patch adds at the end of lists, replaces other lists whole, and escapes keys", () => {
  const old = { list: [1], other: [1, 2], deep: { "a/b": 1, "c~d": 1, same: { x: [1] } } };
  const next = { list: [1, 2, 3], other: [2], deep: { "a/b": 2, same: { x: [1] } }, fresh: null };
  const operations = jsonPatchBetween(old, next);
  assert.deepEqual(operations, [
    { op: "add", path: "/list/-", value: 2 },
    { op: "add", path: "/list/-", value: 3 },
    { op: "replace", path: "/other", value: [2] },
    { op: "replace", path: "/deep/a~1b", value: 2 },
    { op: "remove", path: "/deep/c~0d" },
    { op: "add", path: "/fresh", value: null },
  ]);
  assert.deepEqual(applyJsonPatch(old, operations), next);
});

for (
  const [what, error] of [["an error", new Error("token s3cr3t")], [
    "a temporary error",
    new TemporaryError("s3cr3t"),
  ]] as const
) {
  // FR-241
  Deno.test(`${what} that is not a denial is a failure of the webhook, and its text stays in the log`, async () => {
    const endpoint = on((widgets) =>
      widgets.validate(() => {
        throw error;
      }, { id: "broken" })
    );
    const answer = await endpoint.post(review({ object: widget({}) }));
    assert.equal(answer.status, 500);
    assert.equal(await answer.text(), 'the validate handler "broken" failed: the reason is in the operator\'s log\n');
    assert.equal(endpoint.lines.at(-1)?.message, "an admission handler failed");
    assert.deepEqual(endpoint.records.map(({ code, denied }) => [code, denied]), [[500, false]]);
  });
}

// FR-241
Deno.test("a handler is ended before the API server's timeout", async () => {
  let reason: unknown;
  const endpoint = on((widgets) =>
    widgets.validate(({ signal, clock }) => sleep(clock, 60_000, signal).catch((error) => reason = error), {
      id: "slow",
      timeout: "20s",
    })
  );
  const answering = endpoint.post(review({ object: widget({}) }), "/validate/slow.widgets.shop.example.com?timeout=5s");
  await endpoint.clock.advance(4_500);
  const answer = await answering;
  assert.equal(answer.status, 500);
  await answer.body?.cancel();
  assert.match(String(reason), /did not finish within 4.5s/);
  assert.equal(endpoint.clock.pending, 0);
});

// FR-241
Deno.test("a stop of the operator ends a handler that runs", async () => {
  const endpoint = on((widgets) => widgets.validate(() => new Promise(() => {}), { id: "stuck" }));
  const answering = endpoint.post(review({ object: widget({}) }));
  endpoint.stop.abort(new Error("the operator stops"));
  const answer = await answering;
  assert.equal(answer.status, 500);
  await answer.body?.cancel();
});

// FR-240
Deno.test("objects that a filter leaves out pass without a call", async () => {
  const endpoint = on((widgets) =>
    widgets.validate(() => {
      throw new AdmissionError("called");
    }, { id: "filtered", labels: { checked: PRESENT }, field: "spec.size", value: (size) => size === 5 })
  );
  const allowed = async (object: unknown) => (await endpoint.review({ object })).allowed;
  assert.equal(await allowed(widget({ size: 5 })), true);
  assert.equal(await allowed(widget({ size: 4 }, { labels: { checked: "" } })), true);
  assert.equal(await allowed(widget({ size: 5 }, { labels: { checked: "" } })), false);
});

// FR-240
Deno.test("a handler of deletions sees the object that goes", async () => {
  const endpoint = on((widgets) =>
    widgets.validate(({ object, old, operation }) => {
      assert.equal(object, old);
      throw new AdmissionError(`${operation} of ${object.metadata.name}`);
    }, { id: "keep", operations: ["DELETE"] })
  );
  assert.equal((await endpoint.review({ oldObject: widget({}) })).status.message, "DELETE of a");
});

// FR-241
Deno.test("objects are frozen: an edit of anything but the draft is a failure", async () => {
  const endpoint = on((widgets) =>
    widgets.mutate(({ object }) => {
      object.spec.size = 5;
    }, { id: "careless" })
  );
  const answer = await endpoint.post(review({ object: widget({ size: 1 }) }));
  assert.equal(answer.status, 500);
  await answer.body?.cancel();
});

// FR-242
Deno.test("an unreadable review is refused, and none of its values is repeated", async () => {
  const endpoint = on((widgets) => widgets.validate(() => {}, { id: "any" }));
  const good = review({ object: widget({}) });
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ["{", /not JSON/],
    [[], /of kind AdmissionReview/],
    [
      { ...good, apiVersion: "admission.k8s.io/v1beta1" },
      /not of kind AdmissionReview, apiVersion admission.k8s.io\/v1/,
    ],
    [{ ...good, request: undefined }, /request is missing/],
    [{ ...good, request: { ...good.request, uid: "" } }, /request.uid/],
    [{ ...good, request: { ...good.request, operation: "s3cr3t" } }, /request.operation must be one of/],
    [{ ...good, request: { ...good.request, object: "s3cr3t" } }, /request.object is not an object/],
    [{ ...good, request: { ...good.request, object: undefined } }, /request.object is missing/],
    [{ ...good, request: { ...good.request, operation: "DELETE" } }, /request.oldObject is missing/],
    [{ ...good, request: { ...good.request, userInfo: { groups: "s3cr3t" } } }, /request.userInfo/],
  ];
  for (const [body, why] of cases) {
    const answer = await endpoint.post(body), text = await answer.text();
    assert.equal(answer.status, 400, text);
    assert.match(text, why);
    assert.doesNotMatch(text, /s3cr3t/);
  }
});

// FR-242
Deno.test("a request that is not a webhook call is refused", async () => {
  const endpoint = on((widgets) => widgets.validate(() => {}, { id: "any" }));
  const path = "/validate/any.widgets.shop.example.com", { webhooks } = endpoint;
  const status = async (...[at, request]: Parameters<AdmissionWebhooks["fetch"]>) => {
    const answer = await webhooks.fetch(at, request);
    await answer.body?.cancel();
    return answer.status;
  };
  const headers = { "content-type": "application/json" };
  assert.equal(await status("/elsewhere", { method: "POST", headers, body: "{}" }), 404);
  assert.equal(await status(path, { headers }), 405);
  assert.equal(await status(path, { method: "POST", headers: { "content-type": "text/plain" }, body: "{}" }), 415);
  const small = new Endpoint(endpoint.declarations, { bodyBytesMax: 100 });
  const large = await small.post(review({ object: widget({ note: "x".repeat(100) }) }));
  assert.equal(large.status, 413);
  await large.body?.cancel();
});

// FR-242
Deno.test("reviews beyond the bound are refused at once, and an answered one makes place", async () => {
  const open = Promise.withResolvers<void>();
  const operator = new Operator("widgets");
  operator.on(Widget).validate(() => open.promise, { id: "slow" });
  const endpoint = new Endpoint(operator.admission, { inFlightMax: 1 });
  const first = endpoint.review({ object: widget({}) });
  const second = await endpoint.post(review({ object: widget({}) }));
  assert.equal(second.status, 429);
  await second.body?.cancel();
  open.resolve();
  assert.equal((await first).allowed, true);
  assert.equal((await endpoint.review({ object: widget({}) })).allowed, true);
});

// FR-242
Deno.test("warnings are bounded in number and length", async () => {
  const endpoint = on((widgets) =>
    widgets.validate(({ warn }) => {
      for (let count = 0; count < 100; count++) warn("w".repeat(1_000));
    }, { id: "chatty" })
  );
  const { warnings } = await endpoint.review({ object: widget({}) });
  assert.equal(warnings.length, 16);
  assert.equal(warnings[0].length, 256);
});

// FR-243
Deno.test("a webhook is named after its function, and an invalid one is refused where it is declared", () => {
  const operator = new Operator("widgets");
  operator.on(Widget).validate(function checkSize() {});
  assert.equal(operator.admission[0]?.webhook, "check-size.widgets.shop.example.com");
  const declare = () => operator.on(Widget);
  assert.throws(() => declare().validate(function checkSize() {}), UsageError);
  assert.throws(() => declare().validate(() => {}, { id: "Not OK" }), UsageError);
  assert.throws(() => declare().validate(() => {}, { id: "a", operations: [] }), UsageError);
  for (const timeout of ["0s", "31s", "1500ms"] as const) {
    assert.throws(() => declare().validate(() => {}, { id: "a", timeout }), UsageError, timeout);
  }
  assert.throws(() => declare().validate(() => {}, { id: "a", field: "spec..size" as "spec.size" }), RangeError);
});

// FR-243
Deno.test("a kind that is only admitted is not watched", () => {
  const operator = new Operator("widgets");
  operator.on(Widget).validate(() => {}, { id: "a" });
  assert.deepEqual(operator.declarations, []);
  assert.deepEqual(operator.rules(), []);
  assert.equal(operator.crds().length, 1);
  operator.on(Widget).reconcile(() => {});
  assert.equal(operator.declarations.length, 1);
});

// FR-290
Deno.test("a mutating handler sees an int64 beyond 2^53 as it is, and its patch writes it so", async () => {
  const operator = new Operator("tanks"), seen: unknown[] = [];
  const Tank = defineResource({
    group: "shop.example.com",
    version: "v1",
    kind: "Tank",
    spec: z.object({ bytes: z.int64(), copy: z.int64().optional() }),
  });
  operator.on(Tank).mutate(({ spec, draft }) => {
    seen.push(spec.bytes);
    draft.spec.copy = spec.bytes;
  }, { id: "copy" });
  const endpoint = new Endpoint(operator.admission);
  const object =
    '{"apiVersion":"shop.example.com/v1","kind":"Tank","metadata":{"name":"a"},"spec":{"bytes":9007199254740993}}';
  const text = JSON.stringify(review({ object: "OBJECT" })).replace('"OBJECT"', object);
  const { response } = await (await endpoint.post(text)).json();
  assert.equal(
    Buffer.from(response.patch, "base64").toString(),
    '[{"op":"add","path":"/spec/copy","value":9007199254740993}]',
  );
  assert.deepEqual(seen, [9_007_199_254_740_993n]);
});
