import assert from "node:assert/strict";
import { SeededRandom, type Transport, VirtualClock } from "../../lib/base/mod.ts";
import { Client, MalformedAnswerError, ServerError } from "../../lib/client/mod.ts";
import { preflight } from "../../lib/operator/preflight.ts";
import { openCluster } from "../cluster.ts";
import { World } from "../world.ts";
import { QuietCluster } from "../quiet_cluster.ts";
import { configMapOperator, createWidget, untilReady, widgetKind } from "../widget.ts";

const Widget = widgetKind("startup");

/** What servers that start, and what is before them, do instead of answering. */
const FAULTS = {
  "a reset": () => {
    throw new TypeError("connection reset by peer");
  },
  "a 500": () =>
    Response.json({ kind: "Status", status: "Failure", code: 500, message: "etcd starts" }, { status: 500 }),
  "a 502 of a load balancer": () => new Response("<html>502 Bad Gateway</html>", { status: 502 }),
  "HTML": () => new Response("<html>Maintenance</html>", { headers: { "content-type": "text/html" } }),
  "half an answer": () => new Response('{"kind":"APIRe', { headers: { "content-type": "application/json" } }),
  "other JSON": () => Response.json({ message: "hello" }),
};

/** A transport that answers the first requests to each path with a fault. */
function flaky(inner: Transport, fault: () => Response, faults: number): Transport & { readonly sent: string[] } {
  const counts = new Map<string, number>(), sent: string[] = [];
  return {
    server: "https://api.example.com:6443",
    sent,
    fetch: (path, request) => {
      const key = `${request?.method ?? "GET"} ${path.split("?")[0]}`, count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      sent.push(key);
      return count <= faults ? Promise.resolve().then(fault) : inner.fetch(path, request);
    },
    close: () => inner.close(),
  };
}

/** Waits for `work`, turning the clock for it. */
async function turning<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let settled = false;
  const done = work.finally(() => settled = true);
  done.catch(() => {});
  while (!settled) await clock.advance(1_000);
  return await done;
}

function clientOf(transport: Transport, clock: VirtualClock, retriesMax?: number): Client {
  return new Client(transport, { fieldManager: "startup", clock, random: new SeededRandom(1), retriesMax });
}

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(`a start survives ${name} in the place of the first answer to every request`, async () => {
    const operator = configMapOperator(Widget, "startup");
    const cluster = new QuietCluster(await openCluster());
    await using world = await World.open(operator, cluster);
    const clock = new VirtualClock(undefined, () => cluster.quiet()), random = new SeededRandom(1);
    const client = clientOf(flaky(world.cluster.transport(), fault, 1), clock, 0);
    assert.deepEqual(await turning(clock, preflight(operator, client, { clock, random })), []);
    const transport = flaky(world.cluster.transport(), fault, 1);
    await world.start({ transport, watching: { backoffMsInitial: 5 }, requests: { retriesMax: 2 } });
    await createWidget(world, Widget, world.home, "w", { size: 3 });
    await untilReady(world, Widget, world.home, "w");
  });
}

// FR-296
Deno.test("a start gives up within its limit if the responses stay bad, and reports the last one", async () => {
  const operator = configMapOperator(Widget, "startup");
  const never: Transport = { fetch: () => assert.fail("every answer is a fault"), close: () => {} };
  for (const [name, wanted] of [["a 500", ServerError], ["HTML", MalformedAnswerError]] as const) {
    const clock = new VirtualClock(), random = new SeededRandom(1), startMs = clock.elapsed();
    const transport = flaky(never, FAULTS[name], Number.POSITIVE_INFINITY);
    const work = preflight(operator, clientOf(transport, clock, 0), { clock, random });
    await assert.rejects(turning(clock, work), wanted);
    assert.equal(transport.sent.length, 5);
    assert.ok(clock.elapsed() - startMs < 10_000);
  }
});

// FR-296
Deno.test("a server that is not Kubernetes is one line with its URL and what to do", async () => {
  const operator = configMapOperator(Widget, "startup");
  const answers = {
    "HTML": FAULTS.HTML,
    "other JSON": FAULTS["other JSON"],
    "text": () => new Response("It works!"),
    "HTTP status 404": () => new Response("<h1>Not Found</h1>", { status: 404 }),
    "HTTP status 302": () => new Response(null, { status: 302, headers: { location: "/login" } }),
    "HTTP status 400": () => new Response("Client sent an HTTP request to an HTTPS server.", { status: 400 }),
  };
  for (const [said, fault] of Object.entries(answers)) {
    const clock = new VirtualClock(), random = new SeededRandom(1);
    const never: Transport = { fetch: () => assert.fail("every answer is a fault"), close: () => {} };
    const transport = flaky(never, fault, Number.POSITIVE_INFINITY);
    const work = preflight(operator, clientOf(transport, clock), { clock, random });
    await assert.rejects(turning(clock, work), (error: Error) => {
      assert.ok(error instanceof MalformedAnswerError, String(error));
      assert.equal(
        error.message,
        `https://api.example.com:6443 does not respond like a Kubernetes API server (GET /version: ${said}): ` +
          "check its address in the kubeconfig, and that no proxy or login page is between",
      );
      return true;
    });
  }
});
