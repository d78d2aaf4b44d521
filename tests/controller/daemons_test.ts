import { ObjectIndex } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import { PermanentError, sleep } from "../../lib/base/mod.ts";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { conditionOf, HOME_KEY as KEY, homeWidget, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("daemons");
const { createWidget, patchWidget, getWidget } = homeWidget(Widget);

// FR-237
Deno.test("event handlers get the events of a watch, in order, and write nothing", async () => {
  const heard: string[] = [], operator = new Operator("listener");
  operator.on(Widget).event(({ type, name, object, before }) => {
    heard.push(`${type} ${name} ${before?.spec?.size ?? "-"}->${object.spec?.size}`);
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  await patchWidget(world, { spec: { size: 2 } });
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  await createWidget(world, { size: 7 });
  assert.deepEqual(heard, ["added w -->1", "modified w 1->2", "deleted w -->2", "added w -->7"]);
  await world.restart(operator);
  assert.equal(heard.at(-1), "initial w -->7");
  assert.deepEqual(world.writes, []);
  assert.equal((await getWidget(world)).status, undefined);
});

// FR-237
Deno.test("an event handler that fails is logged, and the next event is still handled", async () => {
  let calls = 0;
  const operator = new Operator("listener");
  operator.on(Widget).event(() => {
    calls++;
    throw new Error("no ears");
  }, { id: "ears" }).event(() => void calls++, { labels: { tier: "gold" } });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await patchWidget(world, { metadata: { labels: { tier: "gold" } } });
  assert.equal(calls, 3);
  const warned = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(warned.map(({ fields }) => [fields.handler, fields.error]), [["ears", "no ears"], [
    "ears",
    "no ears",
  ]]);
});

// FR-237
Deno.test("a slow event handler of one object holds up no other, and a flood passes over changes, not the last state", async () => {
  const heard: string[] = [], gate = Promise.withResolvers<void>(), operator = new Operator("listener");
  operator.on(Widget).event(async ({ type, name, object }) => {
    if (name === "w" && type === "added") await gate.promise;
    heard.push(`${name} ${type} ${object.spec?.size}`);
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  await world.client.create(
    Widget,
    { metadata: { namespace: "home", name: "other" }, spec: { size: 1 } } as unknown as WidgetObject,
  );
  for (let size = 2; size <= 150; size++) {
    await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size } } });
  }
  await world.advance(1);
  assert.deepEqual(heard, ["other added 1"]);
  gate.resolve();
  await world.advance(1);
  assert.equal(heard.length, 102, "one at work, a hundred that waited, and the other object's");
  assert.equal(heard.at(-1), "w modified 150");
});

// FR-238
Deno.test("a daemon runs from when its object is seen until it goes, and holds it until it has ended", async () => {
  const seen: string[] = [], operator = new Operator("keeper");
  operator.on(Widget).daemon(async ({ spec, stopped, signal, clock, latest }) => {
    seen.push(`begins ${spec.size}`);
    while (!stopped.aborted) await sleep(clock, 1_000, stopped).catch(() => {});
    seen.push(`ends: ${stopped.reason.message}, of ${latest()?.spec?.size}, ${signal.aborted ? "at once" : "in time"}`);
  }, { cancellationBackoff: "5s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  await world.advance(5_000, 1_000);
  assert.deepEqual((await getWidget(world)).metadata.finalizers, [`${Widget.group}/keeper`]);
  await patchWidget(world, { spec: { size: 2 } });
  assert.deepEqual(seen, ["begins 1"], "one, whatever changes");
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  assert.deepEqual(seen.slice(1), ["ends: the object is being deleted, of 2, in time"]);
  assert.equal(await world.client.find(Widget, KEY), undefined);
});

// FR-238
Deno.test("a daemon ends when its object no longer matches, begins again when it does, and ends with the operator", async () => {
  const seen: string[] = [], operator = new Operator("keeper");
  operator.on(Widget).daemon(async ({ stopped }) => {
    seen.push("begins");
    await new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
    seen.push(stopped.reason.message);
  }, { labels: { run: "yes" } });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, {}, { labels: { run: "yes" } });
  await patchWidget(world, { metadata: { labels: { run: "no" } } });
  await patchWidget(world, { metadata: { labels: { run: "yes" } } });
  const stopping = world.running.stop(10_000);
  await world.advance(1);
  await stopping;
  assert.deepEqual(seen, ["begins", "the object no longer matches", "begins", "the operator stops"]);
});

// FR-238
Deno.test("a daemon that ignores its signal is abandoned after its time, and its object goes", async () => {
  const operator = new Operator("keeper"), never = Promise.withResolvers<void>();
  operator.on(Widget).daemon(() => never.promise, { id: "deaf", cancellationBackoff: "2s", cancellationTimeout: "3s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.delete(Widget, KEY);
  await world.advance(4_000, 1_000);
  assert.notEqual(await world.client.find(Widget, KEY), undefined, "it has five seconds");
  await world.advance(2_000, 1_000);
  assert.equal(await world.client.find(Widget, KEY), undefined);
  assert.ok(
    world.logs.some(({ message, fields }) => message.includes("ignores its abort signal") && fields.daemon === "deaf"),
  );
  never.resolve();
  await world.advance(1);
});

// FR-238
Deno.test("a daemon that fails is started again, shows it on the object, and is well again after a while", async () => {
  let starts = 0;
  const operator = new Operator("keeper");
  operator.on(Widget).daemon(async ({ stopped, clock, retry }) => {
    assert.equal(retry, starts++);
    await sleep(clock, 100, stopped);
    if (starts < 3) throw new Error(`start ${starts} broke`);
    await sleep(clock, 600_000, stopped).catch(() => {});
  }, { backoff: "10s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(1_000, 100);
  assert.deepEqual(conditionOf(await getWidget(world), "Ready")?.message, "start 1 broke");
  await world.advance(20_000, 1_000);
  assert.equal(starts, 3);
  assert.deepEqual(conditionOf(await getWidget(world), "Ready")?.message, "start 2 broke");
  await world.advance(61_000, 1_000);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.status, "True");
});

// FR-238
Deno.test("a daemon that gives up stays visible, and one that returns is done", async () => {
  const calls: string[] = [], operator = new Operator("keeper");
  operator.on(Widget).daemon(() => {
    calls.push("gives up");
    return Promise.reject(new PermanentError("wrong door", { reason: "WrongDoor" }));
  }, { id: "a" }).daemon(() => {
    calls.push("returns");
    return Promise.resolve();
  }, { id: "b" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await patchWidget(world, { spec: { size: 3 } });
  await world.advance(600_000, 60_000);
  assert.deepEqual(calls.sort(), ["gives up", "returns"]);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.reason, "WrongDoor");
});

// FR-238
Deno.test("what a daemon reports is written once, in the status, without a reconcile", async () => {
  let reconciles = 0;
  const operator = new Operator("keeper");
  operator.on(Widget).reconcile(() => void reconciles++).daemon(async ({ report, stopped, clock }) => {
    for (let size = 1; size <= 3 && !stopped.aborted; size++) {
      report((status) => status.set({ phase: "Counting" }));
      report((status) => status.set({ size }));
      await sleep(clock, 1_000, stopped).catch(() => {});
    }
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(100, 10);
  const before = reconciles;
  world.writes.length = 0;
  await world.advance(1_500, 100);
  const { status } = await getWidget(world);
  assert.deepEqual([status?.phase, status?.size], ["Counting", 2]);
  assert.deepEqual([world.writes.length, reconciles - before], [1, 0]);
});

// FR-580
Deno.test("a daemon changes its child as often as it likes", async () => {
  const operator = new Operator("keeper"), sizes = ["1", "2", "1"];
  operator.on(Widget).daemon(async ({ apply, stopped, clock, latest }) => {
    for (const size of sizes) await apply(ConfigMap, { data: { size } });
    await sleep(clock, 10_000, stopped);
    await apply(ConfigMap, { data: { size: `${latest()?.spec?.size}` } });
  }).reconcile(() => {}, { owns: [ConfigMap] });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 7 });
  const size = async () => (await world.client.get<ConfigMapObject>(ConfigMap, KEY)).data?.size;
  assert.equal(await size(), "1");
  await world.advance(11_000, 1_000);
  assert.equal(await size(), "7");
  assert.deepEqual(world.logs.filter(({ level }) => level === "warn"), []);
});

// FR-239
Deno.test("an index is complete before the first handler of any kind, follows changes, and forgets what goes", async () => {
  const bySize = new ObjectIndex(
    "widgets by size",
    (widget: WidgetObject) => [[`${widget.spec?.size}`, widget.metadata.name!]],
  );
  const seen: string[] = [], operator = new Operator("finder");
  operator.on(ConfigMap).reconcile(({ name, index }) => {
    if (name === "ask") {
      seen.push(
        [...index(bySize).keys()].sort().map((size) => `${size}:${index(bySize).get(size).toSorted()}`).join(" "),
      );
    }
  });
  operator.on(Widget).index(bySize);
  await using world = await VirtualWorld.open(operator);
  const create = (name: string, size: number) =>
    world.client.create(Widget, { metadata: { namespace: "home", name }, spec: { size } } as unknown as WidgetObject);
  await create("a", 1);
  await create("b", 1);
  await create("c", 2);
  await world.client.create<ConfigMapObject>(ConfigMap, { metadata: { namespace: "home", name: "ask" } });
  await world.restart(operator);
  assert.deepEqual(seen.at(-1), "1:a,b 2:c");
  await world.client.patch(Widget, { namespace: "home", name: "b" }, { type: "merge", body: { spec: { size: 3 } } });
  await world.client.delete(Widget, { namespace: "home", name: "c" });
  await world.advance(1);
  await world.client.patch(ConfigMap, { namespace: "home", name: "ask" }, {
    type: "merge",
    body: { data: { again: "1" } },
  });
  await world.advance(1);
  assert.deepEqual(seen.at(-1), "1:a 3:b");
});

// FR-239
Deno.test("an index leaves out what its function cannot read, and an undeclared one is an error that names it", async () => {
  const picky = new ObjectIndex("picky", (widget: WidgetObject) => {
    if (widget.spec?.size === 13) throw new Error("unlucky");
    return [["all", widget.metadata.name!]] as const;
  });
  const other = new ObjectIndex("other", () => []), seen: unknown[] = [], operator = new Operator("finder");
  operator.on(Widget).index(picky).reconcile(({ index }) => {
    seen.push(index(picky).get("all"));
    assert.throws(() => index(other), /no kind of this operator has the index "other"/);
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 13 });
  assert.deepEqual(seen.at(-1), []);
  await patchWidget(world, { spec: { size: 14 } });
  assert.deepEqual(seen.at(-1), ["w"]);
  assert.ok(world.logs.some(({ level, fields }) => level === "warn" && fields.index === "picky"));
});

// FR-267
Deno.test("a timer is for the objects that its filter chooses, as they are", async () => {
  let ticks = 0;
  const operator = new Operator("ticker");
  operator.on(Widget).timer(() => void ticks++, { interval: "1s", labels: { tick: "yes" } });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(5_000, 500);
  assert.equal(ticks, 0);
  await patchWidget(world, { metadata: { labels: { tick: "yes" } } });
  await world.advance(5_000, 500);
  assert.ok(ticks >= 5 && ticks <= 7, `${ticks}`);
  await patchWidget(world, { metadata: { labels: null } });
  const before = ticks;
  await world.advance(5_000, 500);
  assert.equal(ticks, before);
});
