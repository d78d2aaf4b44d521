import type { HttpRoute } from "../../lib/health/http_route.ts";
import assert from "node:assert/strict";
import { type Logger, silentLogger } from "../../lib/base/mod.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { serveHealth } from "../../lib/health/mod.ts";
import { Operator } from "../../lib/operator/mod.ts";

function open(...routes: (Partial<HttpRoute> & Pick<HttpRoute, "path" | "handle">)[]) {
  const logged: unknown[] = [], clock = new VirtualClock();
  const logger: Logger = { ...silentLogger, error: (message, fields) => void logged.push([message, fields]) };
  const server = serveHealth({
    host: "127.0.0.1",
    port: 0,
    logger,
    clock,
    livez: [],
    readyz: [],
    metrics: () => Promise.resolve({ body: "", contentType: "text/plain" }),
    routes: routes.map((route) => ({ timeoutMs: 10_000, bodyBytesMax: 8, ...route })),
  });
  const request = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
    return [answer.status, await answer.text()] as const;
  };
  return { server, request, clock, logged };
}

// FR-414
Deno.test("a route gets method, query and body of its own path only", async () => {
  const { server, request } = open({
    path: "/hooks/mail",
    handle: async (request) =>
      new Response(`${request.method} ${new URL(request.url).search} ${await request.text()}`, { status: 202 }),
  });
  assert.deepEqual(await request("/hooks/mail?a=1", { method: "POST", body: "12345678" }), [202, "POST ?a=1 12345678"]);
  assert.equal((await request("/hooks/mail/more"))[0], 404);
  assert.deepEqual(await request("/livez"), [200, "ok\n"]);
  await server.close();
});

// FR-414
Deno.test("a body that is too large never reaches the handler, whether its length is known or not", async () => {
  let calls = 0;
  const { server, request } = open({ path: "/a", handle: () => new Response(`${++calls}`) });
  assert.equal((await request("/a", { method: "POST", body: "123456789" }))[0], 413);
  const body = new Blob(["12345", "6789"]).stream();
  assert.equal((await request("/a", { method: "POST", body, duplex: "half" } as RequestInit))[0], 413);
  assert.equal(calls, 0);
  await server.close();
});

// FR-414
Deno.test("an error of a route is 500 without its message, which is in the log", async () => {
  const { server, request, logged } = open({
    path: "/a",
    handle: () => {
      throw new Error("password is hunter2");
    },
  });
  assert.deepEqual(await request("/a"), [500, "internal error\n"]);
  assert.deepEqual(logged, [["a route failed", { path: "/a", method: "GET", error: "password is hunter2" }]]);
  await server.close();
});

// FR-414
Deno.test("a route that takes too long is 503, and one that runs when the server closes is aborted", async () => {
  const asked = [Promise.withResolvers<AbortSignal>(), Promise.withResolvers<AbortSignal>()];
  let calls = 0;
  const { server, request, clock } = open({
    path: "/a",
    handle: (_, signal) => {
      asked[calls++]!.resolve(signal);
      return new Promise<never>(() => {});
    },
  });
  const slow = request("/a");
  await asked[0]!.promise;
  await clock.advance(10_000);
  assert.deepEqual(await slow, [503, "took too long\n"]);
  const cut = request("/a"), signal = await asked[1]!.promise;
  const closed = server.close();
  assert.equal(signal.aborted, true);
  assert.deepEqual(await cut, [503, "stopping\n"]);
  await closed;
});

// FR-414
Deno.test("a response that is read slowly, or never ends, is cut off when the server closes", async () => {
  const body = () => new ReadableStream({ pull: (controller) => controller.enqueue(new TextEncoder().encode("more")) });
  const { server, clock } = open({ path: "/a", handle: () => new Response(body()) });
  const answer = await fetch(`http://127.0.0.1:${server.port}/a`), reader = answer.body!.getReader();
  await reader.read();
  const closed = server.close();
  await clock.advance(1_000);
  await closed;
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
});

// FR-414
Deno.test("a result that is not a Response, or a used one, is 500 and logged", async () => {
  const once = new Response("ok");
  const { server, request, logged } = open({ path: "/once", handle: () => once }, {
    path: "/text",
    handle: () => "text" as never,
  });
  assert.deepEqual(await request("/once"), [200, "ok"]);
  for (const path of ["/once", "/text"]) assert.deepEqual(await request(path), [500, "internal error\n"]);
  assert.equal(logged.length, 2);
  await server.close();
});

// FR-414
Deno.test("a route cannot have a path of Pintle, an existing one, or an impossible one", () => {
  const operator = new Operator("routes"), handler = () => new Response("");
  operator.route("/a", handler);
  const refused = (path: string, message: RegExp) => assert.throws(() => operator.route(path, handler), message);
  for (const path of ["/livez", "/readyz/a", "/metrics"]) {
    refused(path, /would hide \/(livez|readyz|metrics), which Pintle/);
  }
  refused("/a", /there is a route \/a already/);
  for (const path of ["", "a", "/", "/a/", "/a?b", "/a/../livez", "/%6Civez"]) {
    refused(path, /is not a path of a route/);
  }
  assert.throws(() => operator.route("/b", handler, { bodyBytesMax: -1 }), /bodyBytesMax of the route \/b/);
  assert.throws(() => operator.route("/b", handler, { timeout: "soon" as "1s" }), /timeout of the route \/b/);
});
