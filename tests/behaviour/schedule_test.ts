import { requeueAfter } from "../../lib/handling/mod.ts";
import { PermanentError, TemporaryError } from "../../lib/base/mod.ts";
import assert from "node:assert/strict";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { conditionOf, configMapOperator, HOME_KEY as KEY, homeWidget, widgetKind } from "../widget.ts";

const Widget = widgetKind("schedule");
const { createWidget, getWidget } = homeWidget(Widget);

// FR-29
Deno.test("a TemporaryError waits for its delay, although its own condition changes the object", async () => {
  const at: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {
    at.push(world.elapsedMs);
    if (at.length < 4) throw new TemporaryError(`attempt ${at.length}`, { delay: "5m", reason: "DbDown" });
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(1_000);
  assert.equal(at.length, 1);
  const waiting = await getWidget(world);
  assert.deepEqual([conditionOf(waiting, "Ready")?.reason, conditionOf(waiting, "Ready")?.message], [
    "DbDown",
    "attempt 1",
  ]);
  await world.advance(4 * 300_000, 60_000);
  assert.equal(at.length, 4, `${at}`);
  assert.deepEqual(at.slice(1).map((ms, index) => Math.round((ms - at[index]!) / 1_000)), [300, 300, 300]);
  const ready = conditionOf(await getWidget(world), "Ready");
  assert.deepEqual([ready?.status, ready?.reason], ["True", "Reconciled"], "and recovers");
});

// FR-29
Deno.test("an unknown error backs off, also where timers tick in between", async () => {
  const at: number[] = [];
  let ticks = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {
    at.push(world.elapsedMs);
    throw new TypeError("oops");
  }).timer(() => void ticks++, { interval: "1s" });
  await using world = await VirtualWorld.open(operator, {
    controller: { backoff: { initialMs: 1_000, maxMs: 60_000 } },
  });
  await createWidget(world);
  await world.advance(60_000, 1_000);
  assert.ok(ticks > 50, `${ticks} ticks`);
  assert.ok(at.length >= 6 && at.length <= 7, `${at}`);
  at.slice(1).forEach((ms, index) => {
    const expected = 1_000 * 2 ** index;
    assert.ok(ms - at[index]! >= expected * 0.9 && ms - at[index]! <= expected * 1.1 + 10, `${at}`);
  });
  const ready = conditionOf(await getWidget(world), "Ready");
  assert.deepEqual([ready?.status, ready?.reason, ready?.message], ["False", "TypeError", "oops"]);
  assert.equal(world.writes.length, 1, "the same condition is written once");
});

// FR-29
Deno.test("a PermanentError is not tried again until the object changes", async () => {
  let calls = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec }) => {
    calls++;
    if (spec.size === 1) throw new PermanentError("too small", { reason: "TooSmall" });
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(1_200_000, 600_000);
  assert.equal(calls, 1);
  const failed = await getWidget(world);
  assert.deepEqual([
    conditionOf(failed, "Ready")?.status,
    conditionOf(failed, "Ready")?.reason,
    failed.status?.observedGeneration,
  ], ["False", "TooSmall", 1]);
  await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size: 2 } } });
  await world.advance(1);
  assert.equal(calls, 2);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.status, "True");
});

// FR-30
Deno.test("a handler that ignores its timeout is ended, has the reason Timeout, and is retried", async () => {
  let calls = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => ++calls === 1 ? new Promise<never>(() => {}) : undefined, { timeout: "5s" });
  await using world = await VirtualWorld.open(operator, {
    controller: { backoff: { initialMs: 1_000, maxMs: 60_000 } },
  });
  await createWidget(world);
  await world.advance(5_000);
  const late = conditionOf(await getWidget(world), "Ready");
  assert.deepEqual([late?.status, late?.reason], ["False", "Timeout"]);
  await world.advance(1_200);
  assert.equal(calls, 2);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.status, "True");
});

// FR-31
Deno.test("requeueAfter reconciles again at its time, and no timer brings that forward", async () => {
  const reconciled: number[] = [], ticked: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => {
    reconciled.push(world.elapsedMs);
    return requeueAfter("60s");
  }).timer(() => void ticked.push(world.elapsedMs), { interval: "10s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(125_000, 1_000);
  assert.deepEqual(reconciled.map((ms) => Math.round(ms / 1_000)), [0, 60, 120]);
  assert.ok(ticked.length >= 12 && ticked.length <= 13, `${ticked}`);
});

// FR-23
Deno.test("a timer obeys its initial delay and its interval, and a tick that changes nothing writes nothing", async () => {
  const ticked: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget).timer(({ status }) => {
    ticked.push(Math.round(world.elapsedMs / 1_000));
    status.set({ note: "ticked" });
  }, { interval: "30s", initialDelay: "5s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(100_000, 1_000);
  assert.deepEqual(ticked, [5, 35, 65, 95]);
  assert.equal(world.writes.filter(({ path }) => path.includes("/status")).length, 2, "Reconciled, and the first tick");
});

Deno.test("the status that a tick writes leads to no reconcile", async () => {
  let reconciles = 0, ticks = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => void reconciles++)
    .timer(({ status }) => status.set({ note: `tick ${++ticks}` }), { interval: "30s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(100_000, 1_000);
  assert.deepEqual([reconciles, ticks], [1, 4]);
  assert.equal((await getWidget(world)).status?.note, "tick 4");
});

// FR-23
Deno.test("an idle timer waits until the object was left alone; a sharp one keeps from start to start", async () => {
  const idle: number[] = [], sharp: number[] = [];
  const operator = new Operator("widgets");
  operator.on(Widget)
    .timer(() => void idle.push(Math.round(world.elapsedMs / 1_000)), { id: "idle", interval: "10s", idle: "60s" })
    .timer(() => void sharp.push(Math.round(world.elapsedMs / 1_000)), { id: "sharp", interval: "20s", sharp: true });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(30_000, 1_000);
  await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size: 2 } } });
  await world.advance(75_000, 1_000);
  assert.deepEqual(sharp, [0, 20, 40, 60, 80, 100]);
  assert.deepEqual(idle, [90, 100]);
});

Deno.test("timers do not run the delete handler of an object that waits for its retry", async () => {
  let deletes = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).timer(() => {}, { interval: "1s" }).delete(() => {
    deletes++;
    throw new TemporaryError("not yet", { delay: "1h" });
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.delete(Widget, KEY);
  await world.advance(60_000, 1_000);
  assert.equal(deletes, 1);
});

// FR-32
Deno.test("a child that another writer keeps changing back is slowed, marked, and freed when the quarrel ends", async () => {
  await using world = await VirtualWorld.open(configMapOperator(Widget));
  await createWidget(world);
  const stop = new AbortController();
  let fights = 0;
  const quarrel = (async () => {
    for await (
      const { object } of world.client.watch<ConfigMapObject>(ConfigMap, { namespace: "home", signal: stop.signal })
    ) {
      if (object.data?.size !== "1") continue;
      fights++;
      await world.client.patch(ConfigMap, KEY, { type: "merge", body: { data: { size: "99" } } });
    }
  })();
  await world.advance(120_000, 1_000);
  const hot = conditionOf(await getWidget(world), "Stalled");
  assert.deepEqual([hot?.status, hot?.reason], ["True", "HotLoop"]);
  assert.ok(fights >= 10 && fights < 25, `${fights} rounds in two minutes`);
  assert.equal(world.logs.filter(({ level, message }) => level === "warn" && message.startsWith("hot loop")).length, 1);
  stop.abort();
  await quarrel;
  await world.advance(300_000, 1_000);
  const calm = await getWidget(world);
  assert.equal(conditionOf(calm, "Stalled"), undefined);
  assert.equal(conditionOf(calm, "Ready")?.status, "True");
  assert.equal(
    (await world.client.get<ConfigMapObject>(ConfigMap, KEY)).data?.size,
    "1",
    "and the operator has the last word",
  );
  assert.ok(world.logs.some(({ message }) => message === "hot loop ended"));
});

// FR-32
Deno.test("a person who changes the spec again and again makes no hot loop", async () => {
  await using world = await VirtualWorld.open(configMapOperator(Widget));
  await createWidget(world);
  for (let size = 2; size < 30; size++) {
    await world.client.patch(Widget, KEY, { type: "merge", body: { spec: { size } } });
    await world.advance(100);
  }
  const widget = await getWidget(world);
  assert.deepEqual([widget.status?.size, conditionOf(widget, "Stalled")], [29, undefined]);
});
