import assert from "node:assert/strict";
import { builtinKind, ConfigMap, Operator, preflight } from "../../lib/operator/mod.ts";
import { Client, ForbiddenError, UnreachableError } from "../../lib/client/mod.ts";
import { type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, untilReady, widgetKind } from "../widget.ts";

const Widget = widgetKind("lifecycle");

// FR-22
Deno.test("start-up runs before the first reconcile, clean-up after the last one of a stop, and not after a crash", async () => {
  const order: string[] = [];
  const operator = new Operator("widgets");
  operator.startup(async ({ client }) => {
    await client.raw("/version");
    order.push("startup");
  });
  operator.cleanup(() => {
    order.push("bad cleanup");
    throw new Error("one failing clean-up harms no other");
  });
  operator.cleanup(() => void order.push("cleanup"));
  operator.on(Widget).reconcile(() => void order.push("reconcile"));
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  await world.stop();
  assert.deepEqual(order, ["startup", "reconcile", "bad cleanup", "cleanup"]);
  assert.ok(world.logs.some(({ level, message }) => level === "error" && message === "a cleanup handler failed"));
  order.length = 0;
  await world.start();
  await world.idle();
  await world.kill();
  assert.ok(!order.includes("cleanup"), order.join());
});

// FR-22
Deno.test("an error of a start-up handler keeps the operator from starting", async () => {
  let broken = true;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => assert.equal(broken, false));
  operator.startup(() => {
    if (broken) throw new Error("no licence");
  });
  await using world = await World.open(operator);
  await assert.rejects(operator.start({ transport: world.cluster.transport() }), /^Error: no licence$/);
  broken = false;
});

// FR-35
Deno.test("a start that is aborted gives the reason and leaves nothing running", async () => {
  const operator = configMapOperator(Widget);
  await using world = await World.open(operator);
  const inner = world.cluster.transport(), called = new AbortController(), reason = new Error("called off");
  const stuck: Transport = {
    fetch: (path, request) => {
      if (!path.includes("configmaps")) return inner.fetch(path, request);
      queueMicrotask(() => called.abort(reason));
      return new Promise((_, reject) =>
        request?.signal?.addEventListener("abort", () => reject(request.signal!.reason))
      );
    },
    close: () => {},
  };
  await assert.rejects(operator.start({ transport: stuck, signal: called.signal }), reason);
});

Deno.test("an operator that is started for some of its kinds leaves the objects of the others alone", async () => {
  const seen: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ name }) => void seen.push(name));
  operator.on(ConfigMap).reconcile(({ name }) => void seen.push(name)).delete(() => {});
  operator.select({ plural: "limitranges" }, (handlers) => handlers.reconcile(({ name }) => void seen.push(name)));
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "theirs" };
  await world.client.create<KubeObject>(ConfigMap, { metadata: key });
  const limits = { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } };
  const LimitRange = builtinKind({ group: "", version: "v1", kind: "LimitRange" });
  await world.client.create<KubeObject>(LimitRange, { metadata: key, ...limits } as KubeObject);
  await createWidget(world, Widget, namespace, "w");
  await world.start({ handles: (kind) => kind === Widget });
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  assert.deepEqual([seen, world.running.kinds.map(({ name }) => name)], [["w"], [`widgets.${Widget.group}`]]);
  assert.equal((await world.client.get(ConfigMap, key)).metadata?.finalizers, undefined);
});

// FR-266
Deno.test("a program that embeds an operator sees what it works on and watches, and can request a reconcile", async () => {
  const begun = Promise.withResolvers<void>(), finish = Promise.withResolvers<void>();
  const operator = new Operator("widgets"), reasons: string[] = [];
  let isSlow = false;
  operator.on(Widget).reconcile(async ({ reasons: why }) => {
    reasons.push(...why);
    if (!isSlow) return;
    begun.resolve();
    await finish.promise;
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  const { metadata } = await createWidget(world, Widget, namespace, "w");
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  const [watch] = world.running.watches, [kind] = world.running.kinds;
  assert.ok(await watch!.waitFor(metadata.resourceVersion!, 10_000));
  assert.deepEqual([watch!.resource.plural, watch!.lastError, watch!.size], ["widgets", undefined, 1]);
  assert.deepEqual([...watch!.objects()].map((each) => each.metadata?.name), ["w"]);
  assert.deepEqual([kind!.name, kind!.depth, kind!.workingSinceMs], [`widgets.${Widget.group}`, 0, []]);
  isSlow = true;
  kind!.reconcile({ namespace, name: "w" });
  await begun.promise;
  assert.deepEqual([kind!.depth, kind!.workingSinceMs.length, world.running.idle], [0, 1, false]);
  kind!.reconcile({ namespace, name: "w" });
  finish.resolve();
  await world.idle();
  assert.deepEqual(reasons.slice(-2), ["requested", "requested"]);
});

// FR-35
Deno.test("a stop lets a running reconcile finish within its grace", async () => {
  const begun = Promise.withResolvers<void>(), finish = Promise.withResolvers<void>();
  let ended = false, first = true;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async () => {
    if (!first) return;
    first = false;
    begun.resolve();
    await finish.promise;
    ended = true;
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await begun.promise;
  const stopped = world.stop();
  finish.resolve();
  await stopped;
  assert.ok(ended);
  await untilReady(world, Widget, namespace, "w");
});

// FR-35
Deno.test("a stop ends a reconcile that outlasts its grace, even one that ignores its signal", async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  let hang = true;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ signal }) => {
    if (!hang) return;
    begun.resolve(signal);
    return new Promise<never>(() => {});
  });
  await using world = await World.open(operator);
  const running = await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const signal = await begun.promise;
  await running.stop(1);
  assert.equal(running.state, "stopped");
  assert.match(String(signal.reason), /the grace period is over/);
  assert.deepEqual(world.writes, [], "and writes no status about it");
  assert.deepEqual(world.logs.filter(({ level }) => level === "warn" || level === "error"), []);
  await world.kill();
  hang = false;
});

Deno.test("preflight finds nothing where all is well", async () => {
  const operator = configMapOperator(Widget);
  await using world = await World.open(operator);
  assert.deepEqual(await preflight(operator, world.client), []);
});

Deno.test("preflight names a kind that is not installed", async () => {
  const missing = configMapOperator(widgetKind("lifecyclemissing"));
  await using world = await World.open(configMapOperator(Widget));
  const [finding, ...rest] = await preflight(missing, world.client);
  assert.match(finding!.problem, /does not serve widgets\.lifecyclemissing\.test\.pintle\.dev/);
  assert.deepEqual(rest, []);
});

// FR-74
Deno.test("preflight names every rule that is missing, once per resource", async () => {
  const operator = configMapOperator(Widget);
  await using world = await World.open(operator);
  const user = { name: `nobody-${world.prefix}`, groups: ["system:authenticated"] };
  const client = new Client(world.cluster.transport(user), { fieldManager: "test" });
  const problems = (await preflight(operator, client)).map(({ problem }) => problem);
  assert.deepEqual(problems, [
    `not allowed to get, list, watch, patch widgets in API group "${Widget.group}"`,
    `not allowed to patch widgets/status in API group "${Widget.group}"`,
    `not allowed to update widgets/finalizers in API group "${Widget.group}"`,
    'not allowed to get, list, watch, create, patch, delete configmaps in API group ""',
    'not allowed to create, patch events in API group "events.k8s.io"',
  ]);
  await assert.rejects(client.get(Widget, { namespace: "default", name: "w" }), ForbiddenError);
});

Deno.test("preflight of a cluster that does not respond reports that it is unreachable", async () => {
  const transport: Transport = {
    fetch: (_path: string, _request?: TransportRequest) => Promise.reject(new TypeError("connection refused")),
    close: () => {},
  };
  const client = new Client(transport, { fieldManager: "test", retriesMax: 0 });
  await assert.rejects(preflight(configMapOperator(Widget), client), UnreachableError);
});
