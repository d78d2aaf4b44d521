import assert from "node:assert/strict";
import { SystemClock } from "../../lib/base/mod.ts";
import { formatTime, type ObjectOf } from "../../lib/apimachinery/mod.ts";
import { Operator, Pod } from "../../lib/operator/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { World } from "../world.ts";
import {
  applyStatusAs,
  condition,
  conditionOf,
  createWidget,
  untilReady,
  widgetKind,
  type WidgetObject,
} from "../widget.ts";

const Widget = widgetKind("status");
const CRD = { name: `widgets.${Widget.group}` };

// FR-25
Deno.test("fields that a handler does not name keep their value, undefined removes one", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, status }) => {
    if (spec.size === 1) status.set({ phase: "First", size: 1, note: "once" });
    else status.set({ size: spec.size, note: undefined });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  const first = await untilReady(world, Widget, namespace, "w");
  assert.deepEqual([first.status?.phase, first.status?.size, first.status?.note], ["First", 1, "once"]);
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  const second = await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.size === 2);
  assert.deepEqual([second.status?.phase, second.status?.note], ["First", undefined]);
  assert.equal(second.status?.observedGeneration, 2);
});

// FR-25
Deno.test("what another manager sets in the status is neither taken over nor written back", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, status }) => status.set({ size: spec.size }));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await applyStatusAs(world, Widget, namespace, "w", "theirs", { note: "one", conditions: [condition("Theirs")] });
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  const both = await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.size === 2);
  assert.deepEqual([both.status?.note, conditionOf(both, "Theirs")?.reason], ["one", "Theirs"]);
  assert.ok(conditionOf(both, "Ready"));
  // Had the operator taken these over, they would stay when their owner gives them up.
  await applyStatusAs(world, Widget, namespace, "w", "theirs", {});
  const after = await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.note === undefined);
  assert.deepEqual([conditionOf(after, "Theirs"), after.status?.size], [undefined, 2]);
  assert.ok(conditionOf(after, "Ready"));
});

Deno.test("a field that another manager takes is taken back, since a handler sets it", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, status }) => status.set({ size: spec.size }));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.patch(Widget, key, { type: "merge", subresource: "status", body: { status: { size: 99 } } });
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.size === 1);
});

// FR-524
Deno.test("a status of an object that the operator saw late removes nothing that its former process had set", async () => {
  let isFirst = true;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ namespace, name, status }) => {
    // As the late write of a former process: the object of this pass lacks it.
    if (isFirst) await applyStatusAs(world, Widget, namespace, name, "widgets", { note: "kept", phase: "Old" });
    isFirst = false;
    status.set({ phase: "New" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const { status } = await untilReady(world, Widget, namespace, "w");
  assert.deepEqual([status?.note, status?.phase], ["kept", "New"]);
});

// FR-25
Deno.test("a restart knows which fields are ours: one that is given up goes, and no other", async () => {
  let phase: string | undefined = "Set";
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ status }) => status.set({ phase }));
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await applyStatusAs(world, Widget, namespace, "w", "theirs", { note: "kept" });
  await world.kill();
  phase = undefined;
  await world.start();
  const widget = await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.phase === undefined);
  assert.deepEqual([widget.status?.note, conditionOf(widget, "Ready")?.status], ["kept", "True"]);
});

// FR-16, FR-121
Deno.test("an object that passed the server's validation wrongly gets the errors, field by field", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(() => assert.fail("not with such a spec"));
  await using world = await World.open(operator);
  const [crd] = operator.crds() as { spec: { versions: { schema: { openAPIV3Schema: { properties: object } } }[] } }[];
  const loose = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const properties = crd!.spec.versions[0]!.schema.openAPIV3Schema.properties;
  Object.assign(properties, { spec: loose });
  await world.client.apply(CRDS, crd as never, { force: true });
  const namespace = await world.namespace("a");
  // The looser schema takes a moment to be served.
  await world.until([CRDS], async () => {
    try {
      await createWidget(world, Widget, namespace, "w", { size: "big", note: 5 });
      return true;
    } catch {
      await world.client.patch(CRDS, CRD, {
        type: "merge",
        body: {
          metadata: { annotations: { at: crypto.randomUUID() } },
        },
      });
      return false;
    }
  });
  await world.start();
  const widget = await untilReady(world, Widget, namespace, "w", "False", "InvalidSpec");
  assert.match(conditionOf(widget, "Ready")!.message, /spec\.size: .*; spec\.note: /);
  await world.client.delete(Widget, { namespace, name: "w" });
  for (const each of operator.crds()) await world.client.apply(CRDS, each, { force: true });
});

// FR-26
Deno.test("lastTransitionTime moves with the truth only", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, status }) =>
    status.condition({ type: "Big", status: spec.size > 1, reason: `Size${spec.size}` })
  );
  await using world = await World.open(operator);
  let nowMs = Date.UTC(2030, 0, 1);
  await world.start({ clock: Object.assign(new SystemClock(), { now: () => nowMs }) });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 2 });
  const at = async (size: number) => {
    const widget = await world.untilObject<WidgetObject>(
      Widget,
      key,
      (each) => conditionOf(each, "Big")?.reason === `Size${size}`,
    );
    return conditionOf(widget, "Big")!.lastTransitionTime;
  };
  const begin = nowMs;
  assert.equal(await at(2), formatTime(begin));
  nowMs += 60_000;
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 3 } } });
  assert.equal(await at(3), formatTime(begin));
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 1 } } });
  assert.equal(await at(1), formatTime(begin + 60_000));
});

// FR-292
Deno.test("a message that is too long, or brings half a character, is cut between characters and not written again", async () => {
  const operator = new Operator("long-messages"), passes: number[] = [];
  operator.on(Widget).reconcile(({ status }) => {
    passes.push(1);
    const message = `${"x".repeat(32_767)}😀`;
    status.condition({ type: "Told", status: true, reason: "Long", message });
    status.condition({ type: "Half", status: true, reason: "Half", message: "😀".slice(0, 1) });
  });
  await using world = await World.open(operator);
  await world.start();
  await createWidget(world, Widget, world.home, "long");
  const told = await untilReady(world, Widget, world.home, "long");
  assert.equal(conditionOf(told, "Told")?.message, "x".repeat(32_767));
  assert.equal(conditionOf(told, "Half")?.message, "\ufffd");
  await world.idle();
  const before = world.writes.length;
  world.running.kinds[0]!.reconcile({ namespace: world.home, name: "long" });
  await world.idle();
  assert.equal(world.writes.length, before);
});

// FR-558
Deno.test("a Pod's Ready condition without a message is left alone, and the pass after it does not fail", async () => {
  const operator = new Operator("pods"), seen: string[] = [];
  operator.on(Pod).update(({ object }) => void seen.push(`${object.metadata?.labels?.round}`), { id: "follow" });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "p" };
  const spec = { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] };
  await world.client.create(Pod, { metadata: { ...key, labels: { round: "1" } }, spec });
  const ready = { type: "Ready", status: "True", lastTransitionTime: formatTime(0) };
  const status = { conditions: [ready] };
  await world.client.patch(Pod, key, { type: "merge", subresource: "status", body: { status } });
  await world.client.patch(Pod, key, { type: "merge", body: { metadata: { labels: { round: "2" } } } });
  await world.until([Pod], () => Promise.resolve(seen.includes("2")));
  await world.client.patch(Pod, key, { type: "merge", subresource: "status", body: { status: { phase: "Running" } } });
  await world.idle();
  const pod = await world.client.get<ObjectOf<typeof Pod>>(Pod, key);
  assert.deepEqual(pod.status?.conditions?.map(({ type, message }) => [type, message]), [["Ready", undefined]]);
  assert.deepEqual(world.logs.filter(({ level }) => level === "warn" || level === "error"), []);
});
