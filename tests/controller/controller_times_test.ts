import { requeueAfter } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { sleep, TemporaryError, type Transport } from "../../lib/base/mod.ts";
import { ConfigMap, type ConfigMapObject, Operator, watch } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { conditionOf, HOME_KEY as KEY, homeWidget, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("controller-times");
const { createWidget } = homeWidget(Widget);

/** What an operator does whose machine's clock is set by these steps, one each second: everything by elapsed time. */
async function lifeOf(stepsMs: readonly number[]): Promise<string[]> {
  const life: string[] = [], operator = new Operator("widgets");
  const say = (what: string) => life.push(`${what} ${Math.round((world.clock.elapsed() - beganMs) / 100) / 10}`);
  let failures = 2;
  operator.on(Widget)
    .create(() => {
      say("create");
      if (failures-- > 0) throw new TemporaryError("later", { delay: "4s" });
    }, { id: "create", timeout: "1m" })
    .create(() => {
      say("hopeless");
      throw new Error("never");
    }, { id: "hopeless", timeout: "12s", backoff: "5s" })
    .reconcile(() => {
      say("reconcile");
      return requeueAfter("7s");
    })
    .timer(() => void say("tick"), { interval: "3s" })
    .daemon(async ({ clock, stopped }) => {
      say("daemon");
      await sleep(clock, 1_000, stopped);
      throw new TemporaryError("again", { delay: "6s" });
    });
  await using world = await VirtualWorld.open(operator);
  const beganMs = world.clock.elapsed();
  await createWidget(world);
  for (const deltaMs of stepsMs) {
    world.clock.set(deltaMs);
    await world.advance(1_000, 250);
  }
  return life;
}

// FR-300
Deno.test("durations use elapsed time: a clock that is set moves no retry, requeue, tick, time limit or daemon", async () => {
  const seconds = 20, undisturbed = await lifeOf(Array<number>(seconds).fill(0));
  assert.ok(undisturbed.includes("create 8") && undisturbed.includes("reconcile 14"), undisturbed.join());
  assert.equal(undisturbed.filter((each) => each.startsWith("hopeless")).length, 3);
  const step = fc.oneof(fc.constant(0), fc.integer({ min: -100_000, max: 100_000 }));
  const property = fc.asyncProperty(fc.array(step, { minLength: seconds, maxLength: seconds }), async (stepsMs) => {
    assert.deepEqual(await lifeOf(stepsMs), undisturbed);
  });
  await fc.assert(property, { numRuns: 8 });
});

/** A world in which some writes of the operator are refused. */
async function refusing(
  operator: Operator,
  refuses: (path: string, method: string) => boolean,
): Promise<VirtualWorld> {
  const world = await VirtualWorld.open(operator);
  const inner = world.cluster.transport();
  const transport: Transport = {
    fetch: async (path, request = {}) => {
      if (!refuses(path, request.method ?? "GET")) return await inner.fetch(path, request);
      const status = {
        kind: "Status",
        apiVersion: "v1",
        status: "Failure",
        code: 403,
        reason: "Forbidden",
        message: "no",
      };
      return Response.json(status, { status: 403 });
    },
    close: () => inner.close(),
  };
  await world.restart(operator, { transport });
  return world;
}

// FR-304
Deno.test("backoff holds: ten minutes of refused writes cost a few passes, whatever timers, requeues and daemons there are", async () => {
  const refusals: Record<string, (path: string, method: string) => boolean> = {
    status: (path) => path.includes("/status?"),
    finalizer: (path, method) => method === "PATCH" && path.includes("/widgets/w?"),
  };
  for (const [what, refuses] of Object.entries(refusals)) {
    let ticks = 0, reconciles = 0;
    const operator = new Operator("widgets");
    operator.on(Widget).timer(() => void ticks++, { interval: "1s" }).reconcile(() => {
      reconciles++;
      return requeueAfter("2s");
    }).daemon(async ({ report, clock, stopped }) => {
      while (!stopped.aborted) {
        report((status) => status.set({ note: "reported" }));
        await sleep(clock, 1_000, stopped).catch(() => {});
      }
    }).delete(() => {});
    await using world = await refusing(operator, refuses);
    await createWidget(world);
    await world.advance(600_000, 2_000);
    const passes = world.logs.filter(({ message }) => message === "pass starts").length;
    assert.ok(passes <= 14, `${what}: ${passes} passes`);
    assert.ok(ticks <= passes && reconciles <= passes);
  }
});

// FR-304
Deno.test("a timer that fails backs off, is named on the object, and calls no other handler again", async () => {
  let reconciles = 0, fails = true;
  const at: number[] = [], operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => void reconciles++).timer(() => {
    at.push(Math.round(world.elapsedMs / 1_000));
    if (fails) throw new Error("no answer");
  }, { id: "poll", interval: "1s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(30_000, 500);
  assert.deepEqual(at.slice(0, 2), [0, 1]);
  assert.ok(at.length <= 8, `${at}`);
  const failing = await world.client.get<WidgetObject>(Widget, KEY);
  assert.deepEqual([conditionOf(failing, "Ready")?.status, conditionOf(failing, "Ready")?.message], [
    "False",
    "no answer",
  ]);
  fails = false;
  await world.advance(60_000, 500);
  assert.equal(conditionOf(await world.client.get<WidgetObject>(Widget, KEY), "Ready")?.status, "True");
  assert.equal(reconciles, 1);
});

// FR-308
Deno.test("blame is local: a client that edits one child again and again holds up neither its siblings nor their source", async () => {
  const names = ["a", "b", "c"], operator = new Operator("widgets"), source = { namespace: "home", name: "source" };
  operator.on(Widget).reconcile(async ({ apply, client }) => {
    const { data } = await client.get<ConfigMapObject>(ConfigMap, source);
    for (const name of names) {
      await apply(ConfigMap, { metadata: { name }, data });
    }
  }, {
    owns: [ConfigMap],
    watches: [watch(ConfigMap, ({ metadata }) => metadata?.name === "source" ? [KEY] : [])],
  });
  await using world = await VirtualWorld.open(operator);
  await world.client.create<ConfigMapObject>(ConfigMap, { metadata: source, data: { password: "0" } });
  await createWidget(world);
  const read = async (name: string) =>
    (await world.client.get<ConfigMapObject>(ConfigMap, { namespace: "home", name })).data?.password;
  const meddle = async () => {
    await world.client.patch(ConfigMap, { namespace: "home", name: "a" }, {
      type: "merge",
      body: { data: { password: "x" } },
    });
    await world.advance(1_000);
  };
  for (let second = 0; second < 60; second++) await meddle();
  const stalled = conditionOf(await world.client.get<WidgetObject>(Widget, KEY), "Stalled");
  assert.match(stalled?.message ?? "", /configmaps home\/a$/);
  for (let rotation = 1; rotation <= 5; rotation++) {
    await world.client.patch(ConfigMap, source, { type: "merge", body: { data: { password: `${rotation}` } } });
    await world.advance(100);
    assert.deepEqual(await Promise.all(names.map(read)), names.map(() => `${rotation}`), "at once, everywhere");
    await world.client.patch(ConfigMap, { namespace: "home", name: "b" }, {
      type: "merge",
      body: { data: { password: "y" } },
    });
    await world.advance(100);
    assert.equal(await read("b"), `${rotation}`, "a sibling is restored at once");
    await meddle();
  }
  await world.advance(120_000, 1_000);
  assert.equal(await read("a"), "5", "and the operator has the last word");
});

// FR-308
Deno.test("a source that changes every second makes no hot loop", async () => {
  const operator = new Operator("widgets"), source = { namespace: "home", name: "source" };
  operator.on(Widget).reconcile(async ({ apply, client }) => {
    const { data } = await client.get<ConfigMapObject>(ConfigMap, source);
    await apply(ConfigMap, { data });
  }, {
    owns: [ConfigMap],
    watches: [watch(ConfigMap, ({ metadata }) => metadata?.name === "source" ? [KEY] : [])],
  });
  await using world = await VirtualWorld.open(operator);
  await world.client.create<ConfigMapObject>(ConfigMap, { metadata: source, data: { turn: "0" } });
  await createWidget(world);
  for (let turn = 1; turn <= 40; turn++) {
    await world.client.patch(ConfigMap, source, { type: "merge", body: { data: { turn: `${turn}` } } });
    await world.advance(1_000);
    assert.equal((await world.client.get<ConfigMapObject>(ConfigMap, KEY)).data?.turn, `${turn}`);
  }
  assert.equal(conditionOf(await world.client.get<WidgetObject>(Widget, KEY), "Stalled"), undefined);
});
