import assert from "node:assert/strict";
import type { Transport } from "../../lib/base/mod.ts";
import { ConfigMap, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("children-gap");

/** Watches and lists of ConfigMaps that can be held up; the first watch after that finds its version gone. */
class Gap {
  #open = Promise.resolve();
  #release = () => {};
  #cuts = new Set<AbortController>();
  #gone = false;

  transport(inner: Transport): Transport {
    return {
      fetch: async (path, request = {}) => {
        const isRead = (request.method ?? "GET") === "GET" && path.split("?")[0]!.endsWith("/configmaps");
        if (!isRead) return await inner.fetch(path, request);
        await this.#open;
        if (this.#gone && path.includes("watch=true") && !path.includes("sendInitialEvents")) {
          this.#gone = false;
          return Response.json({ kind: "Status", status: "Failure", reason: "Expired", code: 410, message: "gone" }, {
            status: 410,
          });
        }
        const cut = new AbortController();
        this.#cuts.add(cut);
        return await inner.fetch(path, {
          ...request,
          signal: AbortSignal.any([cut.signal, ...(request.signal ? [request.signal] : [])]),
        });
      },
      close: () => inner.close(),
    };
  }

  begin(): void {
    this.#gone = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#open = promise;
    this.#release = resolve;
    for (const cut of this.#cuts) cut.abort(new Error("cut"));
  }

  end(): void {
    this.#release();
  }
}

// FR-376
Deno.test("a child that was made and deleted while its watch was away comes back", async () => {
  const gap = new Gap();
  await using world = await World.open(configMapOperator(Widget));
  await world.start({ transport: gap.transport(world.cluster.transport()) });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  gap.begin();
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.delete(ConfigMap, key);
  gap.end();
  await world.untilObject(ConfigMap, key);
});

// FR-517
Deno.test("after a gap in the watch of children every object is reconciled once more, without a write", async () => {
  const gap = new Gap(), reconciled: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ name, apply }) => {
    reconciled.push(name);
    await apply(ConfigMap, { data: { a: "1" } });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start({ transport: gap.transport(world.cluster.transport()) });
  const namespace = await world.namespace("a");
  for (const name of ["changed", "unchanged"]) {
    await createWidget(world, Widget, namespace, name);
    await untilReady(world, Widget, namespace, name);
  }
  await world.idle();
  gap.begin();
  await world.client.delete(ConfigMap, { namespace, name: "changed" });
  reconciled.length = 0;
  const written = world.writes.length;
  gap.end();
  await world.untilObject(ConfigMap, { namespace, name: "changed" });
  await world.idle();
  assert.equal(reconciled.filter((name) => name === "unchanged").length, 1);
  assert.deepEqual(world.writes.slice(written).filter(({ path }) => path.includes("unchanged")), []);
});

// FR-517
Deno.test("an object that a reconcile made and watches by name comes back after a gap that hid its deletion", async () => {
  const gap = new Gap(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ namespace, spec, watch, client, status }) => {
    const key = { namespace, name: "watched" }, found = await watch(ConfigMap, key);
    status.set({ phase: spec.note });
    if (spec.note !== "on" || found) return;
    await client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata: key });
  });
  await using world = await World.open(operator);
  await world.start({ transport: gap.transport(world.cluster.transport()) });
  const namespace = await world.namespace("a"), key = { namespace, name: "watched" }, widget = { namespace, name: "w" };
  const become = (note: string) =>
    world.untilObject<WidgetObject>(Widget, widget, ({ status }) => status?.phase === note);
  await createWidget(world, Widget, namespace, "w");
  await world.client.patch(Widget, widget, { type: "merge", body: { spec: { note: "off" } } });
  await become("off");
  await world.idle();
  gap.begin();
  await world.client.patch(Widget, widget, { type: "merge", body: { spec: { note: "on" } } });
  await become("on");
  await world.client.delete(ConfigMap, key);
  gap.end();
  await world.untilObject(ConfigMap, key);
});
