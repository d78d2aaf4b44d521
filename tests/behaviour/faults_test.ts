import assert from "node:assert/strict";
import { type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import { builtinKind, ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("faults");
const Event = builtinKind({ group: "events.k8s.io", version: "v1", kind: "Event", namespaced: true });

function isWatch(path: string, plural: string): boolean {
  return path.includes(`/${plural}?`) && path.includes("watch=");
}

/** A transport that passes every answer through `alter`. */
function altering(
  inner: Transport,
  alter: (path: string, request: TransportRequest, send: () => Promise<Response>) => Promise<Response>,
): Transport {
  return {
    fetch: (path, request = {}) => alter(path, request, () => inner.fetch(path, request)),
    close: () => inner.close(),
  };
}

/** The body of an answer, each chunk held back until `gate` opens or the request is aborted, as a connection would. */
function gated(response: Response, gate: Promise<void>, signal?: AbortSignal): Response {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  let listed = false;
  const body = response.body!.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        if (listed) await Promise.race([gate, aborted]);
        listed ||= new TextDecoder().decode(chunk).includes("k8s.io/initial-events-end");
        controller.enqueue(chunk);
      },
    }),
  );
  return new Response(body, { status: response.status, headers: response.headers });
}

// FR-13
Deno.test("the next pass waits until the store shows what the last one wrote", async () => {
  const open = Promise.withResolvers<void>();
  let passes = 0, duplicates = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ cached, client, namespace, name }) => {
    passes++;
    const key = { namespace, name: `${name}-child` };
    if (cached(ConfigMap).get(key)) return;
    const metadata = { ...key, labels: { faults: "1" } };
    await client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata }).catch(() => void duplicates++);
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  const transport = altering(world.cluster.transport(), async (path, request, send) => {
    const response = await send();
    return isWatch(path, "configmaps") ? gated(response, open.promise, request.signal) : response;
  });
  await world.start({ transport });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const { metadata } = await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  for (const { resource, waitFor } of world.running.watches) {
    if (resource.plural === Widget.plural) assert.ok(await waitFor(metadata!.resourceVersion!, 10_000));
  }
  assert.equal(passes, 1, "it waits");
  open.resolve();
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === 2);
  assert.equal(duplicates, 0);
});

// FR-13, FR-307
Deno.test("the wait for one's own writes is bounded and counted, holds up no other object, and no pass runs before its end", async () => {
  const open = Promise.withResolvers<void>(), counted = Promise.withResolvers<void>(), seen: string[] = [];
  let stale = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ name, spec, cached, client, namespace }) => {
    const key = { namespace, name: `${name}-child` };
    seen.push(`${name} ${spec.size} ${cached(ConfigMap).get(key) ? "child" : "no child"}`);
    if (cached(ConfigMap).get(key)) return;
    await client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata: key });
  }, { owns: [ConfigMap], workersMax: 1 });
  await using world = await World.open(operator);
  const transport = altering(world.cluster.transport(), async (path, request, send) => {
    const response = await send();
    return isWatch(path, "configmaps") ? gated(response, open.promise, request.signal) : response;
  });
  await world.start({
    transport,
    controller: { ownWriteWaitMsMax: 1, backoff: { initialMs: 5, maxMs: 50 } },
    observe: () => ({ stale: () => ++stale >= 2 && counted.resolve() }),
  });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await createWidget(world, Widget, namespace, "other");
  await untilReady(world, Widget, namespace, "other");
  await counted.promise;
  assert.deepEqual(seen, ["w 1 no child", "other 1 no child"], "no second child");
  open.resolve();
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === 2);
  assert.ok(seen.includes("w 2 child"));
});

// FR-13, FR-489
Deno.test("a child that changed while the store lacked the own writes is restored when their event comes", async () => {
  const open = Promise.withResolvers<void>(), counted = Promise.withResolvers<void>();
  let stale = 0;
  await using world = await World.open(configMapOperator(Widget));
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const transport = altering(world.cluster.transport(), async (path, request, send) => {
    const response = await send();
    return isWatch(path, Widget.plural) ? gated(response, open.promise, request.signal) : response;
  });
  await world.start({
    transport,
    controller: { ownWriteWaitMsMax: 1, backoff: { initialMs: 5, maxMs: 50 } },
    observe: () => ({ stale: () => ++stale >= 2 && counted.resolve() }),
  });
  await untilReady(world, Widget, namespace, "w");
  const child = { namespace, name: "w" }, isEdited = ({ data }: ConfigMapObject) => data?.size === "edited";
  await world.client.patch(ConfigMap, child, { type: "merge", body: { data: { size: "edited" } } });
  await counted.promise;
  open.resolve();
  await world.untilObject<ConfigMapObject>(ConfigMap, child, (object) => !isEdited(object));
});

Deno.test("watches that break off, expire or answer nonsense are taken up again, and everything converges", async () => {
  let nth = 0;
  await using world = await World.open(configMapOperator(Widget));
  const transport = altering(world.cluster.transport(), async (path, _request, send) => {
    if (!path.includes("watch=") || nth >= 12) return await send();
    switch (nth++ % 4) {
      case 0:
        throw new TypeError("connection reset");
      case 1:
        return Response.json({
          kind: "Status",
          apiVersion: "v1",
          status: "Failure",
          code: 410,
          reason: "Expired",
          message: "too old",
        }, { status: 410 });
      case 2: {
        const status = {
          kind: "Status",
          apiVersion: "v1",
          status: "Failure",
          code: 410,
          reason: "Expired",
          message: "too old",
        };
        return new Response(`${JSON.stringify({ type: "ERROR", object: status })}\n`, {
          headers: { "content-type": "application/json" },
        });
      }
      default:
        return new Response("", { headers: { "content-type": "application/json" } });
    }
  });
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "before");
  await world.start({ transport });
  await untilReady(world, Widget, namespace, "before");
  await createWidget(world, Widget, namespace, "after");
  await untilReady(world, Widget, namespace, "after");
  assert.ok(nth >= 2, `${nth} watches were broken`);
});

// FR-14
Deno.test("a storm of changes of one object runs one reconcile at a time, and the last change wins", async () => {
  let running = 0, most = 0, passes = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, status, client, namespace }) => {
    passes++;
    most = Math.max(most, ++running);
    await client.find(ConfigMap, { namespace, name: "pause" });
    status.set({ size: spec.size });
    running--;
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await Promise.all(
    Array.from(
      { length: 40 },
      (_, index) => world.client.patch(Widget, key, { type: "merge", body: { spec: { size: index + 2 } } }),
    ),
  );
  const last = await world.client.get<WidgetObject>(Widget, key);
  await world.untilObject<WidgetObject>(
    Widget,
    key,
    ({ status }) => status?.observedGeneration === last.metadata.generation,
  );
  assert.equal((await world.client.get<WidgetObject>(Widget, key)).status?.size, last.spec.size);
  assert.equal(most, 1);
  assert.ok(passes <= 41, `${passes}`);
});

Deno.test("a fresh change goes before the initial load", async () => {
  const order: string[] = [], gate = Promise.withResolvers<void>(), begun = Promise.withResolvers<void>();
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ name }) => {
    order.push(name);
    begun.resolve();
    await gate.promise;
  }, { workersMax: 1 });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  for (let i = 0; i < 12; i++) await createWidget(world, Widget, namespace, `old-${String(i).padStart(2, "0")}`);
  await world.start();
  await begun.promise;
  const fresh = await createWidget(world, Widget, namespace, "fresh");
  for (const { resource, waitFor } of world.running.watches) {
    if (resource.plural === Widget.plural) {
      assert.ok(await waitFor(fresh.metadata.resourceVersion!, 10_000));
    }
  }
  gate.resolve();
  await untilReady(world, Widget, namespace, "old-11");
  assert.equal(order.indexOf("fresh"), 1, order.join());
});

// FR-33
Deno.test("logs and failures never become Events; an explicit call does, once with a series", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, log, events }) => {
    for (const level of ["debug", "info", "warn", "error"] as const) log[level]("a line");
    if (spec.size === 1) throw new TypeError("oops");
    events.warning("Grown", "it has grown");
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w", "False", "TypeError");
  assert.deepEqual((await world.client.list(Event, { namespace })).items, []);
  for (const size of [2, 3]) {
    await world.client.patch(Widget, key, { type: "merge", body: { spec: { size } } });
    await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === size);
  }
  const { items } = await world.client.list(Event, { namespace });
  assert.deepEqual(
    items.map(({ reason, note, type, series }) => [reason, note, type, (series as { count: number }).count]),
    [
      ["Grown", "it has grown", "Warning", 2],
    ],
  );
});

// FR-33
Deno.test("an Event that cannot be posted does not fail the reconcile", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ events }) => events.normal("Seen", "seen"));
  await using world = await World.open(operator);
  const transport = altering(world.cluster.transport(), (path, _request, send) => {
    if (!path.includes("/events")) return send();
    const status = {
      kind: "Status",
      apiVersion: "v1",
      status: "Failure",
      code: 403,
      reason: "Forbidden",
      message: "no",
    };
    return Promise.resolve(Response.json(status, { status: 403 }));
  });
  await world.start({ transport });
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  assert.ok(world.logs.some(({ level, message }) => level === "warn" && message === "event could not be posted"));
});

// FR-34
Deno.test("an object that is deleted while it is reconciled costs no warning", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ client, namespace, name, status }) => {
    await client.delete(Widget, { namespace, name });
    status.set({ phase: "too late" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await world.untilGone(Widget, key);
  await world.idle();
  assert.deepEqual(world.logs.filter(({ level }) => level === "warn" || level === "error"), []);
});
