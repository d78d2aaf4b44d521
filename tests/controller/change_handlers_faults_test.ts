import assert from "node:assert/strict";
import * as z from "zod";
import { defineResource, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("change-faults");

function recording() {
  const calls: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).create(({ status }) => {
    calls.push("create");
    status.set({ phase: "Made" });
  }).update(({ status, spec }) => {
    calls.push("update");
    status.set({ size: spec.size });
  });
  return { calls, operator };
}

for (const verdict of ["dieBefore", "dieAfter"] as const) {
  // FR-261
  Deno.test(`killed at any write of a change (${verdict}), no handler is missed and nothing that it said is lost`, async () => {
    const { calls, operator } = recording();
    await using world = await World.open(operator);
    const namespace = await world.namespace("a");
    for (let nth = 1, struck = true; struck; nth++) {
      struck = false;
      const name = `w${nth}`, key = { namespace, name };
      const fault = (_request: unknown, write: number) => {
        if (write !== nth) return "pass";
        struck = true;
        return verdict;
      };
      calls.length = 0;
      await createWidget(world, Widget, namespace, name, { size: 1 });
      await world.start({ fault });
      await world.idleThenKill();
      await world.start();
      await untilReady(world, Widget, namespace, name);
      await world.idle();
      assert.equal((await world.client.get<WidgetObject>(Widget, key)).status?.phase, "Made", `create, write ${nth}`);
      assert.deepEqual([...new Set(calls)], ["create"]);
      await world.kill();
      await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
      await world.start({ fault });
      await world.idleThenKill();
      await world.start();
      await world.idle();
      const after = await world.untilObject<WidgetObject>(
        Widget,
        key,
        ({ status }) => status?.observedGeneration === 2,
      );
      assert.equal(after.status?.size, 2, `update, write ${nth}`);
      assert.ok(calls.includes("update"));
      await world.kill();
      if (!struck) break;
    }
    await world.start();
  });
}

// FR-261
Deno.test("an object that changes after a crash at any write of its creation is seen by some handler as it is then", async () => {
  const operator = new Operator("widgets"), seen: number[] = [];
  operator.on(Widget).create(({ spec }) => void seen.push(spec.size)).update(({ spec }) => void seen.push(spec.size));
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  for (const verdict of ["dieBefore", "dieAfter"] as const) {
    for (let nth = 1, struck = true; struck; nth++) {
      struck = false;
      const name = `w${nth}-${verdict.toLowerCase()}`, key = { namespace, name };
      await createWidget(world, Widget, namespace, name, { size: 1 });
      const fault = (_request: unknown, write: number) => write === nth ? (struck = true, verdict) : "pass";
      await world.start({ fault });
      await world.idleThenKill();
      await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
      seen.length = 0;
      await world.start();
      await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === 2);
      await world.idle();
      assert.ok(seen.includes(2), `${verdict} at write ${nth}: ${seen}`);
      await world.kill();
    }
  }
  await world.start();
});

// FR-261
Deno.test("a status that the server refuses is said on the object, and calls no handler again that succeeded", async () => {
  const operator = new Operator("widgets");
  let calls = 0;
  operator.on(Widget).create(({ status }) => {
    calls++;
    status.set({ size: 2.5 }); // the type is a number, the schema wants a whole one
  }).update(() => {});
  await using world = await World.open(operator);
  const repeated = Promise.withResolvers<void>();
  let passes = 0;
  const passEnded = (result: string) => {
    if (result === "error" && ++passes === 4) repeated.resolve();
  };
  await world.start({ observe: () => ({ passEnded }) });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await world.untilObject<WidgetObject>(
    Widget,
    key,
    ({ metadata }) => metadata.annotations?.["widgets.pintle.dev/handled"] !== undefined,
  );
  const refused = await world.untilObject<WidgetObject>(
    Widget,
    key,
    (widget) => conditionOf(widget, "Ready")?.reason === "StatusRefused",
  );
  const { message } = conditionOf(refused, "Ready")!;
  assert.match(
    message,
    /status\.size.*; correct what the handler sets, or bring an older CRD up to date with `install`$/,
  );
  await repeated.promise;
  assert.equal(calls, 1);
  const said = world.logs.filter(({ level, fields }) =>
    level === "warn" && String(fields.error).includes("status.size")
  );
  assert.equal(said.length, 1, "the log names a cause once");
});

Deno.test("a status with a field that an older definition lacks is said on the object, and calls no handler again", async () => {
  const define = (status: z.ZodObject) =>
    defineResource({ group: "older.test.pintle.dev", version: "v1", kind: "Widget", spec: z.object({}), status });
  const Installed = define(z.object({ phase: z.string().optional() }));
  const Newer = define(z.object({ phase: z.string().optional(), endpoint: z.string().optional() }));
  const operator = new Operator("widgets");
  let calls = 0;
  operator.on(Newer).create(({ status }) => {
    calls++;
    status.set({ phase: "Made", endpoint: "https://w" });
  });
  const installed = new Operator("older");
  installed.on(Installed).event(() => {});
  await using world = await World.open(installed);
  const transport = world.cluster.transport(), running = await operator.start({ transport });
  try {
    const key = { namespace: await world.namespace("a"), name: "w" };
    await world.client.create(
      Newer,
      { apiVersion: "older.test.pintle.dev/v1", kind: "Widget", metadata: key, spec: {} } as never,
    );
    const refused = await world.untilObject<WidgetObject>(
      Newer,
      key,
      (widget) => conditionOf(widget, "Ready")?.reason === "StatusRefused",
    );
    const { message } = conditionOf(refused, "Ready")!;
    assert.match(message, /\.status\.endpoint: field not declared in schema/);
    assert.match(message, /; the CRD may be older than the program: bring it up to date with `install`$/);
    assert.equal(calls, 1);
  } finally {
    await running.stop(1_000);
    transport.close();
  }
});
