import assert from "node:assert/strict";
import { silentLogger, SystemClock, UsageError } from "../../lib/base/mod.ts";
import { Memo } from "../../lib/base/memo.ts";
import { AdmissionWebhooks, SignalledReader } from "../../lib/admission/mod.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import { WebhookRoutes } from "../../lib/admission/webhook_routes.ts";
import { WebhookServer } from "../../lib/admission/webhook_server.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";

const DAY_MS = 86_400_000, clock = new SystemClock();
const silent = { fetch: () => Promise.reject(new TypeError("nobody reads here")), close: () => {} };

async function serve(
  handler: (context: { headers: Readonly<Record<string, string>> }) => Promise<unknown> | unknown,
  bodyBytesMax = 1_000_000,
  { port = 0, bodiesBytesMax }: { readonly port?: number; readonly bodiesBytesMax?: number } = {},
) {
  const operator = new Operator("served");
  operator.on(ConfigMap).validate(handler, { id: "any" });
  const webhooks = new AdmissionWebhooks(operator.admission, {
    clock,
    logger: silentLogger,
    reader: (signal) => new SignalledReader(new Client(silent, { fieldManager: "served" }), signal),
    index: () => assert.fail("nobody looks up here"),
    shared: new Memo(),
    signal: new AbortController().signal,
  }, { bodyBytesMax });
  const { identity, authority } = issueServing(["127.0.0.1"], Date.now(), DAY_MS);
  const server = await WebhookServer.start({
    webhooks: new WebhookRoutes(webhooks),
    host: "127.0.0.1",
    port,
    identity,
    clock,
    logger: silentLogger,
    ...(bodiesBytesMax !== undefined && { bodiesBytesMax }),
  });
  const http = Deno.createHttpClient({ caCerts: [authority] });
  const call = async (data: string, headers: Record<string, string> = {}) => {
    const body = JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { uid: "u", operation: "CREATE", userInfo: {}, object: { metadata: {}, data: { data } } },
    });
    const url = `https://127.0.0.1:${server.port}/validate/any.configmaps.core`;
    const answer = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      client: http,
    });
    return { status: answer.status, text: await answer.text(), headers: answer.headers };
  };
  return { server, call, [Symbol.dispose]: () => http.close() };
}

Deno.test("what is under way when the server closes is answered", async () => {
  const begun = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  using served = await serve(() => {
    begun.resolve();
    return end.promise;
  });
  const answering = served.call("");
  await begun.promise;
  const closing = served.server[Symbol.asyncDispose]();
  end.resolve();
  assert.equal((await answering).status, 200);
  await closing;
  await assert.rejects(served.call(""), TypeError);
});

Deno.test("a connection that is idle is let go of by its caller first, since a review may be on its way", async () => {
  using served = await serve(() => {});
  const kept = /timeout=(\d+)/.exec((await served.call("a")).headers.get("keep-alive") ?? "");
  assert.ok(Number(kept?.[1]) > 90, "API servers let go after ninety seconds");
  await served.server[Symbol.asyncDispose]();
});

Deno.test("from its leave on a server answers and has callers come back by another connection", async () => {
  using served = await serve(() => {});
  assert.notEqual((await served.call("a")).headers.get("connection"), "close");
  served.server.leave();
  const { status, headers } = await served.call("b");
  assert.deepEqual([status, headers.get("connection")], [200, "close"]);
  await served.server[Symbol.asyncDispose]();
});

Deno.test("headers of the connection's reviews reach the handler over the wire", async () => {
  let seen: Readonly<Record<string, string>> = {};
  using served = await serve((context: { headers: typeof seen }) => void (seen = context.headers));
  assert.equal(
    (await served.call("a", { "x-hop": "one", "user-agent": "api-server", authorization: "Bearer x" })).status,
    200,
  );
  assert.deepEqual([seen["x-hop"], seen["user-agent"], seen.authorization], ["one", "api-server", undefined]);
  await served.server[Symbol.asyncDispose]();
});

Deno.test("a review of two objects of a megabyte is read, and one beyond the bound is refused while it is read", async () => {
  using served = await serve(() => {}, 2_500_000);
  await using server = served.server;
  assert.equal((await served.call("x".repeat(2_000_000))).status, 200);
  assert.equal((await served.call("x".repeat(3_000_000)).catch(() => ({ status: 413 }))).status, 413);
  assert.equal((await served.call("")).status, 200, "the server goes on");
  assert.ok(server.port > 0);
});

Deno.test("reviews that are too much together are turned away until one of them is answered", async () => {
  const begun = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  using served = await serve(
    () => {
      begun.resolve();
      return end.promise;
    },
    1_000_000,
    { bodiesBytesMax: 1_000_000 },
  );
  await using _server = served.server;
  const first = served.call("x".repeat(600_000));
  await begun.promise;
  const second = await served.call("x".repeat(600_000)).catch(() => ({ status: 503 }));
  assert.equal(second.status, 503);
  end.resolve();
  assert.equal((await first).status, 200);
  assert.equal((await served.call("x".repeat(600_000))).status, 200);
});

Deno.test("a port that is taken is told with the setting that changes it", async () => {
  using first = await serve(() => {});
  await using server = first.server;
  await assert.rejects(
    serve(() => {}, 1_000, { port: server.port }),
    (error) =>
      error instanceof UsageError && /for webhooks/.test(error.message) && /PINTLE_WEBHOOK_PORT/.test(error.hint ?? ""),
  );
});
