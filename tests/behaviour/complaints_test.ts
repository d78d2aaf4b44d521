// FR-264
/**
 * What users of Kopf complain of (docs/coming_from_kopf.md), each as a test that fails where it holds here, too.
 * Details have tests of their own in the rooms that they belong to.
 *
 * @module
 */
import assert from "node:assert/strict";
import * as z from "zod";
import { TemporaryError, type Transport, type TransportRequest } from "../../lib/base/mod.ts";
import { type DynamicObject, type KubeObject, view } from "../../lib/apimachinery/mod.ts";
import { LeaderElector } from "../../lib/election/mod.ts";
import { liveness, readiness } from "../../lib/cli/health_checks.ts";
import { AlreadyExistsError, ApiError, Client } from "../../lib/client/mod.ts";
import { silentLogger, SystemClock, SystemRandom } from "../../lib/base/mod.ts";
import { EVENTS } from "../../lib/harness/expectation.ts";
import { ConfigMap, type ConfigMapObject, defineResource, Operator, Secret, watch } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { VirtualWorld } from "../virtual_world.ts";
import {
  conditionOf,
  createWidget,
  HOME_KEY as KEY,
  homeWidget,
  untilReady,
  widgetKind,
  type WidgetObject,
} from "../widget.ts";

const Widget = widgetKind("complaints");
const { createWidget: makeWidget } = homeWidget(Widget);

/** Letters that do not compress. */
function noise(words: number): string {
  return Array.from(
    { length: words },
    (_, n) => (Math.imul(n + 7, 2_654_435_761) >>> 0).toString(36) + (Math.imul(n + 3, 40_503) >>> 0).toString(36),
  ).join("");
}

/** A transport whose open watches can be made to say nothing more, as a load balancer does that has forgotten them. */
class Forgetful implements Transport {
  readonly #inner: Transport;
  #mute = new Set<{ muted: boolean }>();

  constructor(inner: Transport) {
    this.#inner = inner;
  }
  async fetch(path: string, request?: TransportRequest): Promise<Response> {
    const answer = await this.#inner.fetch(path, request);
    if (!path.includes("watch=") || !answer.body) return answer;
    const state = { muted: false };
    this.#mute.add(state);
    const body = answer.body.pipeThrough(
      new TransformStream({ transform: (chunk, controller) => state.muted ? undefined : controller.enqueue(chunk) }),
    );
    return new Response(body, { status: answer.status, headers: answer.headers });
  }
  forget(): void {
    for (const state of this.#mute) state.muted = true;
  }
  close(): void {
    this.#inner.close();
  }
}

Deno.test("1, a watch goes silently blind: it is noticed after 70 seconds, and what happened meanwhile is handled", async () => {
  const operator = new Operator("widgets"), seen: number[] = [];
  operator.on(Widget).reconcile(({ spec }) => void seen.push(spec.size));
  await using world = await VirtualWorld.open(operator);
  await world.stop();
  const transport = new Forgetful(world.cluster.transport());
  await world.start(operator, { transport });
  await makeWidget(world, { size: 1 });
  assert.deepEqual(seen, [1]);
  transport.forget();
  await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size: 2 } } });
  await world.advance(30_000, 5_000);
  assert.deepEqual(seen, [1], "the change was not visible");
  const [watched] = world.running.watches;
  assert.ok(watched!.stalenessMs >= 29_000, "but the metric tells how long it has been silent");
  await world.advance(60_000, 5_000);
  assert.deepEqual(seen, [1, 2]);
  await world.stop();
  transport.close();
});

Deno.test("2, liveness proves nothing: it follows the workers, and readiness the watches", async () => {
  const operator = new Operator("widgets"), stuck = Promise.withResolvers<void>();
  operator.on(Widget).reconcile(() => stuck.promise, { timeout: "2h" });
  await using world = await VirtualWorld.open(operator);
  await world.stop();
  const transport = new Forgetful(world.cluster.transport());
  await world.start(operator, { transport });
  const [alive] = liveness(() => world.running, world.clock, 300_000), ready = readiness(() => world.running, 50_000);
  const failure = () => ready.map(({ check }) => check()).find((each) => each !== undefined);
  await makeWidget(world);
  assert.deepEqual([alive!.check(), failure()], [undefined, undefined]);
  transport.forget();
  await world.advance(60_000, 10_000);
  assert.match(failure() ?? "", /the watch of widgets\S* has been silent/);
  assert.equal(alive!.check(), undefined, "a new process would fare no better");
  await world.advance(700_000, 10_000);
  assert.match(alive!.check() ?? "", /a reconcile has been running for/);
  stuck.resolve();
  await world.stop();
  transport.close();
});

Deno.test("3, one finalizer name for all operators: two operators of one kind hold an object by names of their own, and rest", async () => {
  const calls: string[] = [];
  const [first, second] = ["first", "second"].map((name) => {
    const operator = new Operator(name);
    operator.on(Widget).delete(() => void calls.push(name));
    return operator;
  });
  await using world = await World.open(first!);
  await world.start();
  const other = await second!.start({ transport: world.cluster.transport() });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  const held = await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => metadata.finalizers?.length === 2);
  assert.deepEqual([...held.metadata.finalizers!].sort(), [`${Widget.group}/first`, `${Widget.group}/second`]);
  await world.idle();
  const before = (await world.client.get<WidgetObject>(Widget, key)).metadata.resourceVersion;
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { a: "b" } } } });
  await world.idle();
  assert.ok(world.writes.length <= 4, `${world.writes.length} writes of one of them, ${before}`);
  await world.client.delete(Widget, key);
  await world.untilGone(Widget, key);
  assert.deepEqual(calls.sort(), ["first", "second"]);
  await other.stop(1_000);
});

Deno.test("4, deletion hangs when the operator is gone: a timer, a reconcile and children need no finalizer", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).timer(() => {}, { interval: "1h" }).reconcile(async ({ apply }) => {
    await apply(ConfigMap, {});
  }, { owns: [ConfigMap] }).create(() => {}).update(() => {}).event(() => {});
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.kill();
  await world.client.delete(Widget, key);
  await world.untilGone(Widget, key);
  await world.untilGone(ConfigMap, key);
});

Deno.test("5, double or lost handling: changes during a handler are reported without a gap and without a repeat", async () => {
  const operator = new Operator("widgets"), seen: string[] = [];
  const size = (content: unknown) => (content as { spec: { size: number } }).spec.size;
  let busy = Promise.withResolvers<void>();
  operator.on(Widget).update(async ({ old, next }) => {
    seen.push(`${size(old)}>${size(next)}`);
    await busy.promise;
  });
  await using world = await VirtualWorld.open(operator);
  await makeWidget(world, { size: 1 });
  for (const to of [2, 3, 4]) {
    await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size: to } } });
    await world.advance(1);
  }
  assert.deepEqual(seen, ["1>2"]);
  busy.resolve();
  await world.advance(10_000, 1_000);
  assert.deepEqual(seen, ["1>2", "2>4"], "each begins where the one before has ended");
  busy = Promise.withResolvers();
  busy.resolve();
  await world.restart(operator);
  await world.advance(10_000, 1_000);
  assert.equal(seen.length, 2);
});

Deno.test("6, a PATCH per handler: three handlers, one of which fails twice, cost a write per round and leave nothing behind", async () => {
  const operator = new Operator("widgets");
  let failures = 2;
  operator.on(Widget).create(() => {}, { id: "a" }).create(() => {}, { id: "b" }).create(() => {
    if (failures-- > 0) throw new TemporaryError("not yet", { delay: "10s" });
  }, { id: "c" });
  await using world = await VirtualWorld.open(operator);
  await makeWidget(world);
  await world.advance(60_000, 1_000);
  const metadata = world.writes.filter(({ path }) => !path.includes("/status")).length;
  assert.ok(metadata <= 3, `${metadata} writes of metadata for three handlers and five attempts`);
  assert.ok(world.writes.length <= 5, `${world.writes.length} writes in all`);
  const { metadata: { annotations } } = await world.client.get<WidgetObject>(Widget, KEY);
  assert.deepEqual(annotations ?? {}, {});
});

Deno.test("7, the last-handled annotation is too large: an object of 900 kB is handled, changed and deleted", async () => {
  const operator = new Operator("keeper"), calls: string[] = [];
  operator.on(ConfigMap).update(() => void calls.push("update"), { labels: { big: "yes" } })
    .delete(() => void calls.push("delete"), { labels: { big: "yes" } });
  await using world = await World.open(operator);
  await world.start();
  const key = { namespace: await world.namespace("a"), name: "big" };
  const body = { metadata: { ...key, labels: { big: "yes" } }, data: { noise: noise(100_000).slice(0, 900_000) } };
  await world.client.create(ConfigMap, body);
  const made = await world.untilObject<ConfigMapObject>(
    ConfigMap,
    key,
    ({ metadata }) => metadata?.annotations?.["keeper.pintle.dev/handled"] !== undefined,
  );
  assert.ok(JSON.stringify(made.metadata!.annotations).length < 2_000);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { other: "b" } } });
  await world.until([ConfigMap], () => Promise.resolve(calls.includes("update")));
  await world.client.delete(ConfigMap, key);
  await world.untilGone(ConfigMap, key);
  assert.deepEqual(calls, ["update", "delete"]);
});

Deno.test("8, memory: stores drop managedFields, and of what is watched as metadata hold nothing else", async () => {
  const operator = new Operator("widgets"), held: KubeObject[] = [], Secrets = view(Secret, { metadataOnly: true });
  operator.on(Widget).reconcile(({ cached }) => {
    held.push(...cached(Secrets).values(), ...cached(Widget).values());
  }, { watches: [watch(Secrets, () => [])] });
  await using world = await VirtualWorld.open(operator);
  await world.client.create(Secret, { metadata: { namespace: "home", name: "s" }, data: { key: btoa("hunter2") } });
  await makeWidget(world, { note: "x" });
  const [secret, widget] = held as [KubeObject & { data?: unknown }, WidgetObject];
  assert.deepEqual([secret.metadata?.name, secret.data, secret.metadata?.managedFields], ["s", undefined, undefined]);
  const others = (widget.metadata.managedFields ?? []).filter(({ manager }) => manager !== "widgets");
  assert.deepEqual(others, [], "but for the operator's own, by which it knows its fields");
});

Deno.test("9, no leader election: of two replicas one works, and the other takes over when it stops", async () => {
  const operator = new Operator("widgets"), handled: string[] = [];
  const replica = (name: string) => {
    const made = new Operator("widgets");
    made.on(Widget).reconcile(({ spec }) => void handled.push(`${name} ${spec.size}`));
    return made;
  };
  operator.on(Widget).reconcile(() => {});
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  const elector = (identity: string) => {
    const client = new Client(world.cluster.transport(), { fieldManager: identity }), clock = new SystemClock();
    const lease = { namespace, name: "widgets" };
    return new LeaderElector({ client, clock, random: new SystemRandom(), logger: silentLogger, lease, identity });
  };
  const one = elector("one"), two = elector("two"), transport = world.cluster.transport();
  const first = await replica("one").start({ transport, leadership: one });
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  const second = await replica("two").start({ transport, leadership: two });
  assert.deepEqual([first.state, second.state], ["running", "standby"]);
  await first.stop(1_000);
  await one.release();
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === 2);
  assert.ok(handled.includes("two 2") && !handled.includes("one 2") && !handled.includes("two 1"), `${handled}`);
  await second.stop(1_000);
  await two.release();
});

Deno.test("10, hard to test: an hour of an operator's life, on a server of its own, takes no time and no luck", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).timer(({ object, status }) => status.set({ size: (object.status?.size ?? 0) + 1 }), {
    interval: "10m",
    initialDelay: "10m",
  });
  await using world = await VirtualWorld.open(operator);
  await makeWidget(world);
  await world.advance(3_600_000, 60_000);
  assert.equal((await world.client.get<WidgetObject>(Widget, KEY)).status?.size, 6);
});

Deno.test("12, Event spam: handlers that log, fail and are retried post none; one explicit call posts one", async () => {
  const operator = new Operator("widgets");
  let failures = 3;
  operator.on(Widget).create(({ log, events }) => {
    log.info("begins");
    log.error("something is wrong");
    if (failures-- > 0) throw new Error("not yet");
    events.normal("Made", "at last");
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const { items } = await world.client.list<DynamicObject & { reason?: string }>(EVENTS, { namespace });
  assert.deepEqual(items.map(({ reason }) => reason), ["Made"]);
});

Deno.test("13, CRD generation: one schema gives the CRD that a server takes, refuses and fills in by", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {});
  assert.equal(operator.crds().length, 1);
  await using world = await World.open(operator); // applies it
  const namespace = await world.namespace("a");
  await assert.rejects(createWidget(world, Widget, namespace, "bad", { size: 0 }), /spec\.size/);
  assert.equal((await createWidget(world, Widget, namespace, "w")).spec.size, 1);
});

Deno.test("13, version upgrades: clients of a former version go on, converted by functions, and lose nothing of the new one", async () => {
  const group = "complaints.test.pintle.dev", key = (world: World) => ({ namespace: world.home, name: "a" });
  const Upgraded = defineResource({
    group,
    version: "v2",
    kind: "Upgraded",
    spec: z.object({ seconds: z.int(), urgent: z.boolean().default(false) }),
  }).withVersion({
    version: "v1",
    spec: z.object({ minutes: z.number() }),
    toHub: ({ spec }) => ({ spec: { seconds: spec.minutes * 60 } }),
    fromHub: ({ spec }) => ({ spec: { minutes: spec.seconds / 60 } }),
  });
  const seen: number[] = [], operator = new Operator("upgraded");
  operator.on(Upgraded).reconcile(({ spec }) => void seen.push(spec.seconds));
  await using world = await World.open(operator);
  await world.start();
  const V1 = { ...Upgraded, version: "v1" }, make = { metadata: key(world), spec: { minutes: 2 } } as never;
  // API servers obey a CRD a moment after it was changed.
  await world.until([Upgraded], () =>
    world.client.create(V1, make).then(() => true, (error) => {
      if (error instanceof AlreadyExistsError) return true;
      if (error instanceof ApiError) return false;
      throw error;
    }));
  await world.client.patch(Upgraded, key(world), { type: "merge", body: { spec: { urgent: true } } });
  await world.client.patch(V1, key(world), { type: "merge", body: { spec: { minutes: 3 } } });
  const { spec } = await world.client.get<DynamicObject>(Upgraded, key(world));
  assert.deepEqual(spec, { seconds: 180, urgent: true });
  await world.until([Upgraded], () => Promise.resolve(seen.includes(180)));
});

Deno.test("14, no parent–child reconcile: a child that is edited or deleted is restored", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply }) => {
    await apply(ConfigMap, { data: { size: `${spec.size}` } });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 3 });
  const child = await world.untilObject<ConfigMapObject>(ConfigMap, key);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { size: "9" } } });
  await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.size === "3");
  await world.client.delete(ConfigMap, key);
  await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ metadata }) => metadata?.uid !== child.metadata?.uid);
});

Deno.test("15, a 403 is retried for a minute: the missing rule is on the object at once, after one request", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ client, namespace }) => {
    await client.get(Secret, { namespace, name: "forbidden" });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  const asked: string[] = [], inner = world.cluster.transport({ name: "nobody", groups: ["complaints"] });
  const admin = world.cluster.transport();
  // Whatever the operator declares it may do; what its handler does besides, it may not.
  const transport: Transport = {
    fetch: (path, request) => {
      if (!path.includes("/secrets/forbidden")) return admin.fetch(path, request);
      asked.push(path);
      return inner.fetch(path, request);
    },
    close: () => {},
  };
  await world.start({ transport, controller: { backoff: { initialMs: 600_000, maxMs: 600_000 } } });
  await createWidget(world, Widget, namespace, "w");
  const told = await untilReady(world, Widget, namespace, "w", "False", "ForbiddenError").catch(() =>
    world.client.get<WidgetObject>(Widget, { namespace, name: "w" })
  );
  assert.match(conditionOf(told, "Ready")?.message ?? "", /get.*secrets/s);
  assert.equal(asked.length, 1);
  for (const each of [inner, admin]) each.close();
});
