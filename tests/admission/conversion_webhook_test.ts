import assert from "node:assert/strict";
import * as z from "zod";
import { createLogger, type LogRecord, PermanentError, VirtualClock } from "../../lib/base/mod.ts";
import { defineResource } from "../../lib/operator/mod.ts";
import { ConversionWebhook } from "../../lib/admission/conversion_webhook.ts";
import { WebhookRoutes } from "../../lib/admission/webhook_routes.ts";
import { type AdmissionRecord, AdmissionWebhooks } from "../../lib/admission/webhooks.ts";

const GROUP = "convert.example.com";
const Disk = defineResource({
  group: GROUP,
  version: "v2",
  kind: "Disk",
  spec: z.object({ mebibytes: z.int().min(1) }),
}).withVersion({
  version: "v1",
  spec: z.object({ gibibytes: z.int() }),
  toHub: ({ spec: { gibibytes } }) => {
    if (gibibytes === 13) throw new PermanentError("spec.gibibytes brings bad luck");
    if (gibibytes === 7) throw new Error("password hunter2");
    return { spec: { mebibytes: gibibytes * 1024 } };
  },
  fromHub: ({ spec }) => ({ spec: { gibibytes: spec.mebibytes / 1024 } }),
});

function open(bodyBytesMax?: number) {
  const lines: LogRecord[] = [], reviews: AdmissionRecord[] = [], clock = new VirtualClock(0);
  const webhook = new ConversionWebhook([Disk.conversion()!], {
    clock,
    logger: createLogger((record) => lines.push(record)),
    onReview: (record) => reviews.push(record),
  }, bodyBytesMax === undefined ? {} : { bodyBytesMax });
  return { webhook, lines, reviews };
}

const v1 = (name: string, gibibytes: unknown, kind = "Disk") => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name, namespace: "shop" },
  spec: { gibibytes },
});

async function review(webhook: ConversionWebhook, objects: unknown, more: object = {}, change: object = {}) {
  const request = { uid: "r-1", desiredAPIVersion: `${GROUP}/v2`, objects, ...more };
  const body = JSON.stringify({ apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview", request, ...change });
  const answer = await webhook.fetch({ method: "POST", headers: { "content-type": "application/json" }, body });
  const text = await answer.text();
  return { status: answer.status, text, response: answer.ok ? JSON.parse(text).response : undefined };
}

// FR-255
Deno.test("the objects of a review are returned in their order and in the requested version, with its uid", async () => {
  const { webhook, reviews } = open();
  const there = { ...v1("b", 0), apiVersion: `${GROUP}/v2`, spec: { mebibytes: 5 } };
  const { response } = await review(webhook, [v1("a", 1), there, v1("c", 3)]);
  assert.deepEqual(response, {
    uid: "r-1",
    convertedObjects: [
      { ...there, metadata: { name: "a", namespace: "shop" }, spec: { mebibytes: 1024 } },
      there,
      { ...there, metadata: { name: "c", namespace: "shop" }, spec: { mebibytes: 3072 } },
    ],
    result: { status: "Success" },
  });
  assert.deepEqual(reviews, [{ webhook: "/convert", code: 200, denied: false, durationMs: 0 }]);
  assert.deepEqual((await review(webhook, [])).response.convertedObjects, []);
});

// FR-255
Deno.test("one object that is refused fails the review in its function's words, with its name and both versions", async () => {
  const { webhook, reviews, lines } = open();
  const { response } = await review(webhook, [v1("a", 1), v1("b", 13)]);
  assert.deepEqual(response, {
    uid: "r-1",
    convertedObjects: [],
    result: {
      status: "Failure",
      message: "Disk shop/b cannot be converted from v1 to v2: spec.gibibytes brings bad luck",
    },
  });
  assert.equal(reviews[0]!.denied, true);
  assert.deepEqual(lines.map(({ level, fields }) => [level, fields]), [["error", {
    kind: "Disk",
    object: "shop/b",
    from: `${GROUP}/v1`,
    to: `${GROUP}/v2`,
    error: "spec.gibibytes brings bad luck",
  }]]);
});

// FR-255
Deno.test("an unexpected error of a function is in the log and not in the response", async () => {
  const { webhook, lines } = open();
  const { text, response } = await review(webhook, [v1("a", 7)]);
  assert.equal(
    response.result.message,
    "Disk shop/a cannot be converted from v1 to v2: toHub of Disk v1 failed: the reason is in the operator's log",
  );
  assert.ok(!text.includes("hunter2"));
  assert.equal(lines[0]!.fields.error, "password hunter2");
});

// FR-255
Deno.test("a result that the schema refuses passes, and is logged once with object, version and field", async () => {
  const { webhook, lines } = open();
  for (let times = 0; times < 3; times++) {
    assert.deepEqual((await review(webhook, [v1("a", 0)])).response.convertedObjects[0].spec, { mebibytes: 0 });
  }
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0]!.level, lines[0]!.fields.object], ["error", "shop/a"]);
  assert.match(`${lines[0]!.fields.problem}`, /^v2 spec\.mebibytes: /);
});

Deno.test("kinds, groups and versions without a conversion are named", async () => {
  const { webhook } = open();
  const message = async (object: unknown, more: object = {}) =>
    (await review(webhook, [object], more)).response.result.message;
  assert.match(
    await message(v1("a", 1, "Door")),
    /^Door shop\/a of convert.example.com\/v1 cannot be converted by this operator/,
  );
  assert.match(
    await message(v1("a", 1), { desiredAPIVersion: "other.example.com/v2" }),
    /cannot be converted by this operator/,
  );
  assert.match(await message(v1("a", 1), { desiredAPIVersion: `${GROUP}/v9` }), /there is no version v9, only v2, v1$/);
});

// FR-255
Deno.test("a malformed review is refused with the field, and without its values", async () => {
  const { webhook } = open(600);
  const refused = async (status: number, message: RegExp, objects: unknown, more: object = {}, change: object = {}) => {
    const answer = await review(webhook, objects, more, change);
    assert.deepEqual([answer.status, message.test(answer.text)], [status, true], answer.text);
    assert.ok(!answer.text.includes("hunter2"));
  };
  await refused(400, /not of kind ConversionReview/, [], {}, { kind: "AdmissionReview" });
  await refused(400, /request is missing/, [], {}, { request: "hunter2" });
  await refused(400, /request\.uid/, [], { uid: "" });
  await refused(400, /request\.desiredAPIVersion/, [], { desiredAPIVersion: "v2" });
  await refused(400, /request\.objects/, ["hunter2"]);
  await refused(413, /600 bytes/, [v1("x".repeat(600), 1)]);
  const send = async (method: string, type: string) =>
    (await webhook.fetch({ method, headers: { "content-type": type }, body: "{" })).status;
  assert.deepEqual(
    [await send("GET", "application/json"), await send("POST", "text/plain"), await send("POST", "application/json")],
    [405, 415, 400],
  );
});

Deno.test("conversion is served beside admission, with its own bound", async () => {
  const { webhook } = open(2_000);
  const admission = new AdmissionWebhooks([], {} as never, { bodyBytesMax: 1_000 });
  const host = { clock: new VirtualClock(0) } as never;
  const routes = new WebhookRoutes(new AdmissionWebhooks([], host, { bodyBytesMax: 1_000 }), webhook);
  assert.deepEqual([routes.bodyBytesMax("/convert?timeout=30s"), routes.bodyBytesMax("/validate/a")], [2_000, 1_000]);
  assert.equal((await routes.fetch("/convert?timeout=30s", { method: "GET" })).status, 405);
  assert.equal((await routes.fetch("/convertible", { method: "GET" })).status, 404);
  assert.equal((await new WebhookRoutes(admission).fetch("/convert", { method: "GET" })).status, 404);
});

// FR-290
Deno.test("an int64 beyond 2^53 is converted, kept for a round trip, and brought back, as it is", async () => {
  const Tank = defineResource({
    group: GROUP,
    version: "v2",
    kind: "Tank",
    spec: z.object({ bytes: z.int64(), extra: z.int64().optional() }),
  }).withVersion({
    version: "v1",
    spec: z.object({ size: z.int64() }),
    toHub: ({ spec }) => ({ spec: { bytes: spec.size } }),
    fromHub: ({ spec }) => ({ spec: { size: spec.bytes } }),
  });
  const { logger } = { logger: createLogger(() => {}) };
  const webhook = new ConversionWebhook([Tank.conversion()!], { clock: new VirtualClock(0), logger });
  const convert = async (object: string, to: string) => {
    const request = `{"uid":"r-1","desiredAPIVersion":"${GROUP}/${to}","objects":[${object}]}`;
    const body = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":${request}}`;
    const answer = await webhook.fetch({ method: "POST", headers: { "content-type": "application/json" }, body });
    return /"convertedObjects":\[(.*)\],"result"/.exec(await answer.text())?.[1] ?? "";
  };
  const hub = `{"apiVersion":"${GROUP}/v2","kind":"Tank","metadata":{"name":"a"},` +
    `"spec":{"bytes":9007199254740993,"extra":9223372036854775807}}`;
  const old = await convert(hub, "v1");
  assert.match(old, /"spec":\{"size":9007199254740993\}/);
  assert.match(old, /\\"is\\":9223372036854775807/);
  assert.match(await convert(old, "v2"), /"spec":\{"bytes":9007199254740993,"extra":9223372036854775807\}/);
  const small = `{"apiVersion":"${GROUP}/v1","kind":"Tank","metadata":{"name":"a"},"spec":{"size":5}}`;
  assert.match(await convert(small, "v2"), /"spec":\{"bytes":5\}/);
});
