import { PermanentError, TemporaryError } from "../../lib/base/mod.ts";
import type { ChangeContext } from "../../lib/controller/mod.ts";
import { ABSENT } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import type { ApiResource, KubeObject } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, Operator, Secret } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import {
  conditionOf,
  HOME_KEY as KEY,
  homeWidget,
  widgetKind,
  type WidgetObject,
  type WidgetSpec,
  type WidgetStatus,
} from "../widget.ts";

const Widget = widgetKind("changes");
const { createWidget, patchWidget, getWidget } = homeWidget(Widget);
type Handling = ChangeContext<WidgetObject, WidgetSpec, WidgetStatus>;

/** An operator that writes down which handler was called, and may be told to fail. */
function recording(storage?: ConstructorParameters<typeof Operator>[1]) {
  const calls: string[] = [], operator = new Operator("widgets", storage);
  const say = (what: string) => (context: Handling) => void calls.push(`${what} ${context.change}`);
  return { calls, operator, say };
}

// FR-232
Deno.test("a create handler that sets status costs one write, and its echo none", async () => {
  const { calls, operator } = recording();
  operator.on(Widget).create(({ status, change }) => {
    calls.push(change);
    status.set({ phase: "Made" });
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(60_000, 10_000);
  assert.deepEqual(calls, ["create"]);
  assert.equal(world.writes.length, 1, JSON.stringify(world.writes));
  const widget = await getWidget(world);
  assert.deepEqual([widget.status?.phase, widget.status?.observedGeneration], ["Made", 1]);
  assert.equal(widget.metadata.annotations, undefined, "nothing is remembered beside the status");
  assert.equal(conditionOf(widget, "Ready")?.status, "True");
});

// FR-232
Deno.test("three handlers of one cause cost no more writes than one", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).create(say("one"), { id: "one" }).create(say("two"), { id: "two" }).create(say("three"), {
    id: "three",
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(60_000, 10_000);
  assert.deepEqual(calls, ["one create", "two create", "three create"], "in the order of declaration");
  assert.equal(world.writes.length, 1);
});

// FR-232
Deno.test("an update handler sees old, next and diff, and an update costs two writes", async () => {
  const { operator } = recording(), seen: unknown[] = [];
  operator.on(Widget).update(({ old, next, diff, status }) => {
    seen.push({ old, next, diff });
    status.set({ phase: "Changed" });
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1, note: "a" });
  assert.equal(seen.length, 0, "a creation is no update");
  world.writes.length = 0;
  await patchWidget(world, { spec: { size: 2, note: null }, metadata: { labels: { tier: "gold" } } });
  await world.advance(60_000, 10_000);
  assert.deepEqual(seen, [{
    old: { spec: { size: 1, note: "a" } },
    next: { spec: { size: 2 }, metadata: { labels: { tier: "gold" } } },
    diff: [
      { operation: "add", path: ["metadata"], next: { labels: { tier: "gold" } } },
      { operation: "remove", path: ["spec", "note"], old: "a" },
      { operation: "change", path: ["spec", "size"], old: 1, next: 2 },
    ],
  }]);
  assert.equal(world.writes.length, 2, "the status, and what was handled");
});

Deno.test("status, and what the operator notes down itself, is no change", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).create(say("made")).update(say("changed"));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.patch(Widget, KEY, {
    type: "merge",
    subresource: "status",
    body: { status: { note: "by hand" } },
  });
  await world.advance(60_000, 10_000);
  assert.deepEqual(calls, ["made create"]);
});

// FR-230
Deno.test("field handlers are called for the first value, for changes and for the removal of their field alone", async () => {
  const { operator } = recording(), seen: unknown[][] = [];
  operator.on(Widget).field("spec.note", ({ change, old, next, diff }) => {
    seen.push([change, old, next, diff.map(({ operation }) => operation)]);
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1, note: "a" });
  await patchWidget(world, { spec: { size: 2 } });
  await patchWidget(world, { spec: { note: "b" } });
  await patchWidget(world, { spec: { note: null } });
  assert.deepEqual(seen, [
    ["create", undefined, "a", ["add"]],
    ["update", "a", "b", ["change"]],
    ["update", "b", undefined, ["remove"]],
  ]);
});

// FR-233
Deno.test("filters by label, annotation, field, value, old, next and predicate choose the handlers", async () => {
  const { calls, operator, say } = recording();
  const on = operator.on(Widget);
  on.update(say("gold"), { id: "gold", labels: { tier: "gold" } });
  on.update(say("grows"), { id: "grows", field: "spec.size", old: 1, next: (size) => Number(size) > 1 });
  on.update(say("large"), { id: "large", when: ({ object }) => (object.spec?.size ?? 0) > 5 });
  on.update(say("noted"), { id: "noted", field: "spec.note", value: "a" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  await patchWidget(world, { spec: { size: 2 } });
  await patchWidget(world, { spec: { size: 9 } });
  await patchWidget(world, { metadata: { labels: { tier: "gold" } }, spec: { size: 1 } });
  await patchWidget(world, { spec: { note: "a" }, metadata: { labels: null } });
  await patchWidget(world, { spec: { note: "b" } });
  assert.deepEqual(calls, ["grows update", "large update", "gold update", "noted update", "noted update"]);
});

// FR-265
Deno.test("a field alone requires that a value exists, of a creation and of a resumption, too", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).create(say("noted"), { id: "noted", field: "spec.note" })
    .create(say("bare"), { id: "bare", field: "spec.note", value: ABSENT })
    .resume(say("noted"), { id: "noted-again", field: "spec.note" })
    .resume(say("a"), { id: "a-again", field: "spec.note", value: "a" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  assert.deepEqual(calls, ["bare create"]);
  await world.restart(operator);
  assert.deepEqual(calls, ["bare create"], "nothing to resume for");
  await patchWidget(world, { spec: { note: "b" } });
  await world.restart(operator);
  assert.deepEqual(calls, ["bare create", "noted resume"]);
});

// FR-230
Deno.test("resume handlers run once in each process, for objects that one before it handled", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).create(say("made")).resume(say("back")).update(say("changed"));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  assert.deepEqual(calls, ["made create"]);
  await world.restart(operator);
  await world.advance(60_000, 10_000);
  assert.deepEqual(calls, ["made create", "back resume"]);
  world.writes.length = 0;
  await patchWidget(world, { spec: { size: 3 } });
  assert.deepEqual(calls.slice(2), ["changed update"]);
  await world.stop();
  await patchWidget(world, { spec: { size: 4 } });
  await world.restart(operator);
  assert.deepEqual(calls.slice(3), ["back resume", "changed update"], "what changed while it was down is handled, too");
});

// FR-232
Deno.test("a restart on handled objects writes nothing", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).create(say("made")).update(say("changed"));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  world.writes.length = 0;
  await world.restart(operator);
  await world.advance(600_000, 60_000);
  assert.deepEqual([calls, world.writes], [["made create"], []]);
});

// FR-230
Deno.test("a handler that succeeded is not called again because another one must be", async () => {
  const { calls, operator, say } = recording();
  let failures = 2;
  operator.on(Widget).create(say("easy"), { id: "easy" }).create(({ retry }) => {
    calls.push(`hard ${retry}`);
    if (failures-- > 0) throw new TemporaryError("not yet", { delay: "10s", reason: "NotYet" });
  }, { id: "hard" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  const waiting = await getWidget(world);
  assert.deepEqual(conditionOf(waiting, "Ready")?.reason, "NotYet");
  assert.match(conditionOf(waiting, "Ready")?.message ?? "", /^hard: not yet$/);
  assert.equal(waiting.status?.observedGeneration, undefined, "it is not handled yet");
  await world.restart(operator);
  assert.deepEqual(calls, ["easy create", "hard 0"], "the pause holds over a restart");
  await world.advance(30_000, 1_000);
  assert.deepEqual(calls, ["easy create", "hard 0", "hard 1", "hard 2"]);
  const done = await getWidget(world);
  assert.equal(conditionOf(done, "Ready")?.status, "True");
  assert.deepEqual(done.metadata.annotations ?? {}, {}, "no progress is left behind");
});

// FR-231
Deno.test("what changes while a change is handled is another change, and each handler sees both", async () => {
  const { operator } = recording(), seen: string[] = [];
  let failing = true;
  const size = (content: unknown) => (content as { spec?: { size?: number } } | undefined)?.spec?.size;
  const look = (id: string) => ({ old, next, change }: Handling) => {
    seen.push(`${id} ${change} ${size(old)}->${size(next)}`);
    if (id === "b" && failing) throw new TemporaryError("later", { delay: "10s" });
  };
  operator.on(Widget).create(look("a"), { id: "a-made" }).create(look("b"), { id: "b-made" })
    .update(look("a"), { id: "a-changed" }).update(look("b"), { id: "b-changed" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 1 });
  await patchWidget(world, { spec: { size: 2 } });
  failing = false;
  await world.advance(20_000, 1_000);
  assert.deepEqual(seen, [
    "a create undefined->1",
    "b create undefined->1",
    "b create undefined->1",
    "a update 1->2",
    "b update 1->2",
  ]);
});

// FR-234
Deno.test("retries, timeout and errors bound a handler, and what was given up shows on the object until it changes", async () => {
  const { calls, operator } = recording();
  const failing = (id: string) => () => {
    calls.push(id);
    throw new Error(`${id} broke`);
  };
  operator.on(Widget)
    .create(failing("thrice"), { id: "thrice", retries: 3, backoff: "1s" })
    .create(failing("once"), { id: "once", errors: "permanent" })
    .create(failing("never-mind"), { id: "never-mind", errors: "ignored" })
    .create(failing("long"), { id: "long", timeout: "5s", backoff: "2s" })
    .update(() => {});
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(600_000, 1_000);
  const count = (id: string) => calls.filter((call) => call === id).length;
  assert.deepEqual(["thrice", "once", "never-mind", "long"].map(count), [3, 1, 1, 3]);
  const ready = conditionOf(await getWidget(world), "Ready");
  assert.deepEqual([ready?.status, ready?.message], [
    "False",
    "thrice: given up after 3 attempts: thrice broke; once: once broke; " +
    "long: given up, the time for all attempts is over: long broke",
  ]);
  await patchWidget(world, { spec: { size: 2 } });
  assert.equal(conditionOf(await getWidget(world), "Ready")?.status, "True", "a change that succeeds takes it away");
});

// FR-234
Deno.test("a timeout ends a handler that ignores its signal, and its late result is ignored", async () => {
  const { calls, operator } = recording();
  const late = Promise.withResolvers<void>();
  operator.on(Widget).create(async ({ status }) => {
    calls.push("begins");
    await late.promise;
    status.set({ phase: "Late" });
  }, { id: "slow", timeout: "3s" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.advance(60_000, 1_000);
  late.resolve();
  await world.advance(60_000, 10_000);
  const widget = await getWidget(world);
  assert.deepEqual(calls, ["begins"]);
  assert.deepEqual([conditionOf(widget, "Ready")?.reason, widget.status?.phase], ["Timeout", undefined]);
});

// FR-29
Deno.test("a PermanentError of a handler is visible, is not tried again, and survives reconciles of the same object", async () => {
  const { calls, operator } = recording();
  operator.on(Widget).create(() => {
    calls.push("made");
    throw new PermanentError("size 1 is not sold", { reason: "NotSold" });
  }, { id: "made" }).reconcile(() => void calls.push("reconciled"));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.restart(operator);
  await world.advance(60_000, 10_000);
  assert.equal(calls.filter((call) => call === "made").length, 1);
});

// FR-230
Deno.test("several delete handlers run before the object goes, each once, and an optional one holds nothing", async () => {
  const { calls, operator, say } = recording();
  let failing = true;
  operator.on(Widget).delete(say("first"), { id: "first" }).delete(() => {
    calls.push("second");
    if (failing) throw new TemporaryError("busy", { delay: "5s", reason: "Busy" });
  }, { id: "second" }).delete(say("optional"), { id: "optional", optional: true });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.reason, "Busy");
  await world.restart(operator);
  failing = false;
  await world.advance(10_000, 1_000);
  assert.deepEqual(calls, ["first delete", "second", "optional delete", "second"]);
  assert.equal(await world.client.find(Widget, KEY), undefined);
});

// FR-233
Deno.test("objects that no delete handler is for get no finalizer, and lose it when that becomes so", async () => {
  const { operator, say } = recording();
  operator.on(Widget).delete(say("gone"), { labels: { keep: "true" } });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  assert.equal((await getWidget(world)).metadata.finalizers, undefined);
  await patchWidget(world, { metadata: { labels: { keep: "true" } } });
  assert.deepEqual((await getWidget(world)).metadata.finalizers, [`${Widget.group}/widgets`]);
  await patchWidget(world, { metadata: { labels: null } });
  assert.equal((await getWidget(world)).metadata.finalizers, undefined);
});

// FR-230
Deno.test("an optional delete handler is called where another finalizer holds the object, once", async () => {
  const { calls, operator, say } = recording();
  operator.on(Widget).delete(say("seen"), { optional: true });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, {}, { finalizers: ["example.com/other"] });
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  await patchWidget(world, { metadata: { annotations: { a: "b" } } });
  await world.advance(10_000, 1_000);
  assert.deepEqual(calls, ["seen delete"]);
  assert.deepEqual((await getWidget(world)).metadata.finalizers, ["example.com/other"]);
});

// FR-234
Deno.test("a delete handler whose attempts are exhausted releases the object, and logs it", async () => {
  const { operator } = recording();
  operator.on(Widget).delete(() => {
    throw new Error("this account does not exist");
  }, { id: "remove", retries: 1 });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.delete(Widget, KEY);
  await world.advance(1);
  assert.equal(await world.client.find(Widget, KEY), undefined);
  assert.ok(world.logs.some(({ level, message }) => level === "warn" && message.includes("finalizer is removed")));
});

// FR-236
Deno.test("sub-handlers are remembered each by itself, and their parent is done when they are", async () => {
  const { calls, operator } = recording();
  let failing = true;
  operator.on(Widget).create(({ subhandler, spec }) => {
    calls.push("parent");
    for (let part = 1; part <= spec.size; part++) {
      subhandler(`part-${part}`, () => {
        calls.push(`part ${part}`);
        if (part === 2 && failing) throw new TemporaryError("stuck", { delay: "5s" });
      });
    }
  }, { id: "parent" });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world, { size: 3 });
  failing = false;
  await world.advance(10_000, 1_000);
  assert.deepEqual(calls, ["parent", "part 1", "part 2", "part 3", "parent", "part 2"]);
  assert.equal(conditionOf(await getWidget(world), "Ready")?.status, "True");
});

// FR-236
Deno.test("a memo is the same for all handlers of an object, and another one's for another object", async () => {
  const { operator } = recording(), seen: string[] = [];
  const visits = () => ({ count: 0 });
  operator.on(Widget).create(({ memo }) => void memo(visits).count++, { id: "made" })
    .reconcile(({ memo, name }) => void seen.push(`${name} ${++memo(visits).count}`));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.client.create(
    Widget,
    { metadata: { namespace: "home", name: "other" }, spec: {} } as unknown as WidgetObject,
  );
  await world.advance(1);
  await patchWidget(world, { spec: { size: 2 } });
  assert.deepEqual(seen, ["w 2", "other 2", "w 3"]);
});

// FR-603
Deno.test("a memo of an inline function, which each pass makes anew, is one warning; one of a declared function is none", async () => {
  const { operator } = recording(), visits = () => ({ count: 0 });
  operator.on(Widget).reconcile(({ memo, shared, spec }) => {
    memo(() => new Set());
    if (spec.size) shared(() => new Map());
    memo(visits);
    shared(visits);
  });
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  for (let size = 1; size <= 30; size++) await patchWidget(world, { spec: { size } });
  const warnings = world.logs.filter(({ level }) => level === "warn").map((
    { message, fields },
  ) => [message, fields.source]);
  const [message] = warnings[0] ?? [], end = "is a new key at each call: declare it once, outside of the handler";
  assert.equal(message, `the inline function of a memo ${end}`);
  assert.deepEqual(warnings, [[message, "()=>new Set()"], [message, "()=>new Map()"]]);
});

// FR-235
Deno.test("objects of built-in kinds are remembered in annotations of the operator's own, secrets as digests", async () => {
  const seen: unknown[] = [], operator = new Operator("keeper");
  operator.on(Secret).update(({ diff }) =>
    void seen.push(diff.map(({ path, operation }) => `${operation} ${path.join(".")}`))
  );
  await using world = await VirtualWorld.open(operator);
  const key = { namespace: "home", name: "s" };
  await world.client.create(Secret, { metadata: key, data: { password: btoa("hunter2-hunter2") } });
  await world.advance(1);
  await world.client.patch(Secret, key, { type: "merge", body: { data: { password: btoa("correct horse") } } });
  await world.advance(1);
  assert.deepEqual(seen, [["change data.password"]]);
  const text = JSON.stringify((await world.client.get<KubeObject>(Secret, key)).metadata?.annotations);
  assert.match(text, /keeper\.pintle\.dev\/handled/);
  for (const secret of ["hunter2", btoa("hunter2-hunter2"), btoa("correct horse")]) assert.ok(!text.includes(secret));
});

// FR-235
Deno.test("an object of 200 kB is remembered by digests: its handlers still run, and its deletion is not held up", async () => {
  const calls: string[] = [], operator = new Operator("keeper");
  // Letters that do not compress: the content itself has no room.
  const noise = Array.from(
    { length: 12_000 },
    (_, index) =>
      (Math.imul(index + 7, 2_654_435_761) >>> 0).toString(36).padStart(7, "0") +
      (Math.imul(index + 3, 40_503) >>> 0).toString(36),
  ).join("");
  operator.on(ConfigMap as ApiResource & typeof ConfigMap).update(({ old, diff }) =>
    void calls.push(`update ${old} ${diff.length}`)
  )
    .field("data.mode", () => void calls.push("mode"), { id: "mode" })
    .delete(() => void calls.push("delete"));
  await using world = await VirtualWorld.open(operator);
  const key = { namespace: "home", name: "big" };
  await world.client.create(ConfigMap, { metadata: key, data: { noise, mode: "a" } });
  await world.advance(1);
  const { annotations = {} } = (await world.client.get<KubeObject>(ConfigMap, key)).metadata!;
  assert.ok(JSON.stringify(annotations).length < 1_000, `${JSON.stringify(annotations).length}`);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { other: "b" } } });
  await world.advance(1);
  await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { mode: "b" } } });
  await world.advance(1);
  await world.client.delete(ConfigMap, key);
  await world.advance(1);
  assert.deepEqual(calls, ["mode", "update undefined 0", "update undefined 0", "mode", "delete"]);
  assert.equal(await world.client.find(ConfigMap, key), undefined);
});

// FR-236
Deno.test("what an operator shares is made once, for activities and for handlers of every object", async () => {
  let made = 0;
  const pool = () => ({ id: ++made }), seen: number[] = [];
  const operator = new Operator("widgets").startup(({ shared }) => void seen.push(shared(pool).id));
  operator.on(Widget).create(({ shared }) => void seen.push(shared(pool).id));
  await using world = await VirtualWorld.open(operator);
  await createWidget(world);
  await world.restart(operator);
  assert.deepEqual(seen, [1, 1, 2], "and again by the next process");
});
