import assert from "node:assert/strict";
import { Namespace, Secret } from "../../lib/operator/mod.ts";
import { Replication } from "../../lib/replicator/mod.ts";
import { Binary, jsonLines, RUN_PERMISSIONS } from "./binary.ts";
import { HttpsCluster } from "./https_cluster.ts";
import { OtlpCollector, type Span } from "./otlp_collector.ts";

const VALUE = "correct-horse-battery-staple";
const ERROR = 2;

/** A run that copies `from/good` to one namespace, and fails with `from/bad`; what it logged and what it traced. */
async function tracedRun(env: (collector: OtlpCollector) => Record<string, string>) {
  await using cluster = await HttpsCluster.open();
  await using collector = new OtlpCollector();
  for (const name of ["from", "to"]) await cluster.namespace(name);
  await using binary = await Binary.start(
    ["run", "--kubeconfig", await cluster.kubeconfig(), "--http-port", "0", "--log-level", "debug"],
    { env: { ...env(collector), PINTLE_LOG_FORMAT: "json" }, permissions: RUN_PERMISSIONS },
  );
  await binary.until(/operator runs/);
  await cluster.replicate("from", "good", VALUE, ["to"]);
  await cluster.replicate("from", "bad", VALUE, ["!!"]);
  await binary.until(/"message":"failed permanently[^\n]*"name":"bad"|"name":"bad"[^\n]*failed permanently/);
  await cluster.untilCopied("to", "good", VALUE);
  await binary.until(/"message":"converged"/);
  binary.kill("SIGTERM");
  const { code, out, err } = await binary.ended();
  assert.equal(code, 0, err);
  const objects = JSON.stringify(
    await Promise.all([Namespace, Secret, Replication].map((kind) => cluster.client.list(kind))),
  );
  const lines = jsonLines(`${out}${err}`);
  return { spans: collector.spans, received: collector.received, lines, objects };
}

let ran: ReturnType<typeof tracedRun> | undefined;

/** One traced run for every test that looks at it. */
function run() {
  return ran ??= tracedRun((collector) => collector.env);
}

function cyclesOf(spans: readonly Span[], name: string): Span[] {
  return spans.filter((span) => span.name === "reconcile Replication" && span.attributes["k8s.object.name"] === name);
}

// FR-103
Deno.test("each reconcile is one span that names its object and how it ended", async () => {
  const { spans, lines } = await run();
  const passes = lines.filter(({ message }) => message === "pass ends");
  assert.ok(passes.length >= 2);
  const ids = (each: unknown[]) => each.map(String).sort();
  const traced = spans.filter(({ name }) => name === "reconcile Replication");
  assert.deepEqual(
    ids(traced.map(({ attributes }) => attributes["reconcile.id"])),
    ids(passes.map((line) => line.reconcile)),
  );
  for (const { scope, parentSpanId, attributes } of traced) {
    assert.deepEqual([scope, parentSpanId], ["pintle-replicator", ""]);
    assert.deepEqual([attributes["k8s.object.kind"], attributes["k8s.namespace.name"]], ["Replication", "from"]);
    const ended = passes.find(({ reconcile }) => reconcile === attributes["reconcile.id"])!;
    assert.deepEqual([attributes["k8s.object.name"], attributes["reconcile.result"]], [ended.name, ended.result]);
  }
});

// FR-103
Deno.test("the API calls of a reconcile are spans inside its own, each around its HTTP request", async () => {
  const { spans } = await run();
  const inside = (parent: Span) => spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  const calls = cyclesOf(spans, "good").flatMap(inside);
  for (const name of ["create secrets", "patch replications.pintle.dev/status"]) {
    const call = calls.find((each) => each.name === name);
    assert.ok(call, `${name} among ${calls.map((each) => each.name)}`);
    const [http] = inside(call);
    assert.deepEqual([http?.scope, http?.attributes["http.request.method"]], [
      "deno",
      name.startsWith("create") ? "POST" : "PATCH",
    ]);
  }
  const created = calls.find(({ name }) => name === "create secrets")!;
  assert.deepEqual(
    [created.attributes["k8s.namespace.name"], Number(created.attributes["http.response.status_code"])],
    ["to", 201],
  );
});

// FR-103
Deno.test("a failed reconcile's span has the error status and the exception", async () => {
  const { spans } = await run();
  const [failed] = cyclesOf(spans, "bad");
  assert.equal(failed!.status.code, ERROR);
  assert.equal(failed!.attributes["reconcile.result"], "failed");
  const [exception] = failed!.events;
  assert.deepEqual([exception!.name, exception!.attributes["exception.type"]], ["exception", "PermanentError"]);
  assert.match(String(exception!.attributes["exception.message"]), /!!/);
  for (const span of cyclesOf(spans, "good")) assert.notEqual(span.status.code, ERROR);
});

// FR-103
Deno.test("a watch that a reconcile opened outlives it, and is in no trace", async () => {
  const { spans } = await run();
  const watches = spans.filter(({ name }) => name === "watch secrets" || name === "list secrets");
  const single = watches.filter(({ attributes }) => attributes["k8s.namespace.name"] === "from");
  assert.ok(single.length > 0, "the source is watched");
  for (const { parentSpanId } of watches) assert.equal(parentSpanId, "");
});

// FR-103
Deno.test("every line of a reconcile carries its trace id", async () => {
  const { spans, lines } = await run();
  const own = lines.filter(({ reconcile }) => reconcile !== undefined);
  assert.ok(own.some(({ message }) => message === "converged") && own.some(({ level }) => level === "WARN"));
  for (const { reconcile, trace_id: traceId } of own) {
    assert.equal(spans.find(({ attributes }) => attributes["reconcile.id"] === reconcile)?.traceId, traceId);
  }
});

// FR-103
Deno.test("no object carries a trace, and no Secret's value leaves as telemetry", async () => {
  const { spans, received, objects } = await run();
  assert.ok(received.length > 0 && objects.includes(btoa(VALUE)), "there is something to look at");
  for (const { traceId } of spans) assert.ok(!objects.includes(traceId));
  assert.doesNotMatch(objects, /traceparent|trace_id/i);
  for (const secret of [VALUE, btoa(VALUE)]) assert.ok(!received.includes(secret));
});

Deno.test("without OTEL_DENO nothing is sent and no line has a trace id", async () => {
  const { received, lines } = await tracedRun(() => ({}));
  assert.equal(received, "");
  for (const line of lines) assert.equal(line.trace_id, undefined);
});
