import assert from "node:assert/strict";
import { silentLogger, UsageError } from "../../lib/base/mod.ts";
import { VirtualClock } from "../../lib/base/virtual_clock.ts";
import { Metrics } from "../../lib/health/metrics.ts";
import { serveHealth } from "../../lib/health/mod.ts";

function open(problem: () => string | undefined, port = 0) {
  const metrics = new Metrics(new VirtualClock());
  metrics.request({ verb: "get", code: 0, durationMs: 1 });
  metrics.observer("replications.pintle.dev").passStarted();
  metrics.observer("replications.pintle.dev").passEnded("success", 5, 3);
  const server = serveHealth({
    host: "127.0.0.1",
    port,
    logger: silentLogger,
    clock: new VirtualClock(),
    livez: [{ name: "workers", check: () => undefined }],
    readyz: [{ name: "watches", check: problem }],
    metrics: () => metrics.scrape(),
  });
  const get = async (path: string, method = "GET") => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return [answer.status, await answer.text()] as const;
  };
  return { server, get };
}

// FR-100
Deno.test("a failed check is 500 and named; once fixed it is 200; liveness does not follow readiness", async () => {
  let problem: string | undefined = "stale";
  const { server, get } = open(() => problem);
  assert.deepEqual(await get("/readyz"), [500, "[-]watches failed: stale\nreadyz check failed\n"]);
  assert.deepEqual(await get("/livez"), [200, "ok\n"]);
  problem = undefined;
  assert.deepEqual(await get("/readyz"), [200, "ok\n"]);
  assert.deepEqual(await get("/readyz?verbose"), [200, "[+]watches ok\nreadyz check passed\n"]);
  assert.deepEqual(await get("/readyz", "HEAD"), [200, ""]);
  assert.equal((await get("/livez", "POST"))[0], 405);
  assert.equal((await get("/"))[0], 404);
  await server.close();
});

// FR-101
Deno.test("a scrape counts reconciles, writes, and requests that got no answer", async () => {
  const { server, get } = open(() => undefined);
  const [, text] = await get("/metrics");
  assert.match(text, /controller_runtime_reconcile_total\{controller="replications.pintle.dev",result="success"\} 1/);
  assert.match(text, /pintle_reconcile_writes_total\{controller="replications.pintle.dev"\} 3/);
  assert.match(text, /rest_client_requests_total\{code="<error>",method="get"\} 1/);
  assert.match(text, /process_resident_memory_bytes [1-9]/);
  assert.match(text, /# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total \d/);
  await server.close();
});

// FR-487
Deno.test("a port in use is a UsageError that names it, and says how to find who has it", async () => {
  const { server } = open(() => undefined);
  assert.throws(
    () => open(() => undefined, server.port),
    (error: Error) =>
      error instanceof UsageError && error.message.includes(`127.0.0.1:${server.port}`) &&
      /shows the process that has it.* --http-port/.test(error.hint ?? ""),
  );
  await server.close();
});

Deno.test("a hanging handler does not block the server from closing", async () => {
  const clock = new VirtualClock(), asked = Promise.withResolvers<void>(), scrape = Promise.withResolvers<never>();
  const server = serveHealth({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock,
    closeMsMax: 1_000,
    livez: [],
    readyz: [],
    metrics: () => {
      asked.resolve();
      return scrape.promise;
    },
  });
  const hanging = assert.rejects(fetch(`http://127.0.0.1:${server.port}/metrics`));
  await asked.promise;
  const closed = server.close();
  await clock.advance(1_000);
  await closed;
  await hanging;
});
