import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { silentLogger, SystemClock, UsageError } from "../../lib/base/mod.ts";
import { Memo } from "../../lib/base/memo.ts";
import { AdmissionWebhooks } from "../../lib/admission/mod.ts";
import { issueServing } from "../../lib/admission/serving_certificates.ts";
import { WebhookRoutes } from "../../lib/admission/webhook_routes.ts";
import { WebhookServer, type WebhookServerOptions } from "../../lib/admission/webhook_server.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";

const DAY_MS = 86_400_000, clock = new SystemClock();
const silent = { fetch: () => Promise.reject(new TypeError("no handler reads here")), close: () => {} };

async function serve(
  handler: (context: { headers: Readonly<Record<string, string>> }) => Promise<unknown> | unknown,
  bodyBytesMax = 1_000_000,
  { port = 0, ...bounds }: Partial<
    Pick<WebhookServerOptions, "port" | "bodiesBytesMax" | "connectionsMax" | "requestTimeoutMs">
  > = {},
) {
  const operator = new Operator("served");
  operator.on(ConfigMap).validate(handler, { id: "any" });
  const webhooks = new AdmissionWebhooks(operator.admission, {
    clock,
    logger: silentLogger,
    reader: (signal) => new Client(silent, { fieldManager: "served" }).with({ signal }),
    index: () => assert.fail("no handler uses an index here"),
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
    ...bounds,
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
  return { server, call, authority, [Symbol.dispose]: () => http.close() };
}

// FR-248
Deno.test("reviews in flight when the server closes are answered", async () => {
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

// FR-248
Deno.test("an idle connection is closed by its caller first, since a review may be on its way", async () => {
  using served = await serve(() => {});
  const kept = /timeout=(\d+)/.exec((await served.call("a")).headers.get("keep-alive") ?? "");
  assert.ok(Number(kept?.[1]) > 90, "API servers drop it after ninety seconds");
  await served.server[Symbol.asyncDispose]();
});

// FR-248
Deno.test("after disableKeepAlive() a server answers and makes callers reconnect", async () => {
  using served = await serve(() => {});
  assert.notEqual((await served.call("a")).headers.get("connection"), "close");
  served.server.disableKeepAlive();
  const { status, headers } = await served.call("b");
  assert.deepEqual([status, headers.get("connection")], [200, "close"]);
  await served.server[Symbol.asyncDispose]();
});

// FR-258
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

// FR-248
Deno.test("a review of two objects of a megabyte is read, and one beyond the bound is refused while it is read", async () => {
  using served = await serve(() => {}, 2_500_000);
  await using server = served.server;
  assert.equal((await served.call("x".repeat(2_000_000))).status, 200);
  assert.equal((await served.call("x".repeat(3_000_000)).catch(() => ({ status: 413 }))).status, 413);
  assert.equal((await served.call("")).status, 200, "the server goes on");
  assert.ok(server.port > 0);
});

// FR-248
Deno.test("reviews with too many bytes together are refused until one of them is answered", async () => {
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

// FR-248, FR-487
Deno.test("an error about a port in use names the setting that changes it", async () => {
  using first = await serve(() => {});
  await using server = first.server;
  await assert.rejects(
    serve(() => {}, 1_000, { port: server.port }),
    (error) =>
      error instanceof UsageError && /for webhooks/.test(error.message) &&
      /shows the process that has it.*PINTLE_WEBHOOK_PORT/.test(error.hint ?? ""),
  );
});

/**
 * Callers that keep a server waiting, by what they leave out; `head` is what they send over TLS, undefined without a
 * handshake.
 */
const WAITING: Record<string, string | undefined> = {
  "a handshake": undefined,
  "a request": "",
  "the end of its headers": "POST / HTTP/1.1\r\nhost: x\r\n",
  "the end of its body": "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
  "a second request": "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
};

/** Connects as such a caller; `closed` resolves when the server cuts it. */
async function wait(
  { server, authority }: Awaited<ReturnType<typeof serve>>,
  head: string | undefined,
): Promise<{ readonly socket: Socket; readonly closed: Promise<unknown> }> {
  const at = { port: server.port, host: "127.0.0.1" };
  const socket = head === undefined ? connect(at) : connectTls({ ...at, ca: authority });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  await once(socket.resume(), head === undefined ? "connect" : "secureConnect");
  if (head) socket.write(head);
  if (head === WAITING["a second request"]) await once(socket, "data");
  return { socket, closed };
}

for (const [what, head] of Object.entries(WAITING)) {
  // FR-351
  Deno.test(`callers that leave out ${what} do not keep a review out: the oldest is cut`, async () => {
    using served = await serve(() => {}, 1_000_000, { connectionsMax: 3 });
    await using _server = served.server;
    const first = await wait(served, head), others = [await wait(served, head), await wait(served, head)];
    assert.equal((await served.call("")).status, 200);
    await first.closed;
    for (const { socket } of [first, ...others]) socket.destroy();
  });

  if (what === "a second request") continue; // idle connections are kept: see above
  // FR-351
  Deno.test(`a caller that leaves out ${what} is cut in time`, async () => {
    using served = await serve(() => {}, 1_000_000, { requestTimeoutMs: 50 });
    await using _server = served.server;
    await (await wait(served, head)).closed;
  });
}

// FR-351
Deno.test("a connection whose review is answered is not cut for a new one, which is refused", async () => {
  const begun = Promise.withResolvers<void>(), end = Promise.withResolvers<void>();
  using served = await serve(
    () => {
      begun.resolve();
      return end.promise;
    },
    1_000_000,
    { connectionsMax: 1 },
  );
  await using _server = served.server;
  const answering = served.call("");
  await begun.promise;
  const late = await wait(served, undefined);
  await late.closed;
  end.resolve();
  assert.equal((await answering).status, 200);
});

// FR-351
Deno.test("half-sent reviews that hold all the bytes do not make a whole one fail: they are cut", async () => {
  using served = await serve(() => {}, 1_000_000, { bodiesBytesMax: 1_000_000 });
  await using _server = served.server;
  const half = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 600001\r\n\r\n${"x".repeat(600_000)}`;
  const first = await wait(served, half), second = await wait(served, half);
  await Promise.race([first.closed, second.closed]);
  assert.equal((await served.call("x".repeat(900_000))).status, 200);
  await Promise.all([first.closed, second.closed]);
});
