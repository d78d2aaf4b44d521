import { TemporaryError } from "../../lib/base/mod.ts";
import { AnnotationStorage, ChainStorage, KopfRecords, MemoryStorage, StatusStorage } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import { Operator, type OperatorOptions, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("changes-cluster");

/** Every storage that an operator on a kind of its own can be given. */
const STORAGES: Record<string, () => OperatorOptions> = {
  annotations: () => ({}),
  status: () => ({ storage: new StatusStorage() }),
  memory: () => ({ storage: new MemoryStorage() }),
  "a chain that ends in Kopf's records": () => ({
    storage: new ChainStorage(new AnnotationStorage({ prefix: "widgets.pintle.dev" }), new KopfRecords()),
  }),
};

for (const [name, options] of Object.entries(STORAGES)) {
  Deno.test(`remembered in ${name}: create, update, field and delete handlers are each called once for a change`, async () => {
    const calls: string[] = [], operator = new Operator("widgets", options());
    let failures = 1;
    operator.on(Widget)
      .create(({ spec, status }) => {
        calls.push(`create ${spec.size}`);
        status.set({ phase: "Made" });
      })
      .update(({ diff }) => {
        calls.push(`update ${diff.map(({ path, operation }) => `${operation} ${path.join(".")}`)}`);
        if (failures-- > 0) throw new TemporaryError("once more", { delay: 1 });
      })
      .field("spec.note", ({ old, next }) => void calls.push(`note ${old}->${next}`), { id: "note" })
      .delete(() => void calls.push("delete"));
    await using world = await World.open(operator);
    await world.start();
    const namespace = await world.namespace("a"), key = { namespace, name: "w" };
    await createWidget(world, Widget, namespace, "w", { size: 1, note: "a" });
    await untilReady(world, Widget, namespace, "w");
    await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
    await world.untilObject<WidgetObject>(
      Widget,
      key,
      (widget) => widget.status?.observedGeneration === 2 && conditionOf(widget, "Ready")?.status === "True",
    );
    await world.client.patch(Widget, key, { type: "merge", body: { spec: { note: null } } });
    await world.untilObject<WidgetObject>(Widget, key, (widget) => widget.status?.observedGeneration === 3);
    await world.idle();
    await world.client.delete(Widget, key);
    await world.untilGone(Widget, key);
    assert.deepEqual(calls, [
      "create 1",
      "note undefined->a",
      "update change spec.size",
      "update change spec.size",
      "update remove spec.note",
      "note a->undefined",
      "delete",
    ]);
  });
}

// FR-232
Deno.test("on a server, too, a creation is one write, three handlers of it no more, and a restart none", async () => {
  const operator = new Operator("widgets");
  const set = (phase: string) => ({ status }: { status: { set(fields: object): void } }) => status.set({ phase });
  operator.on(Widget).create(set("one"), { id: "one" }).create(set("two"), { id: "two" }).create(set("three"), {
    id: "three",
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  assert.deepEqual(
    world.writes.map(({ method, path }) => `${method} ${path.replace(/\?.*/, "").split("/").slice(-2).join("/")}`),
    [
      "PATCH w/status",
    ],
  );
  await world.stop();
  await world.start();
  await world.idle();
  assert.deepEqual(world.writes, []);
});

// FR-235
Deno.test("a Secret's changes are compared by digests, on objects of any owner", async () => {
  const seen: string[] = [], operator = new Operator("keeper");
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "s" };
  operator.on(Secret).update(({ diff, namespace: where }) => {
    if (where === namespace) seen.push(...diff.map(({ path, operation }) => `${operation} ${path.join(".")}`));
  }, { labels: { watched: "yes" } }).create(() => {}, { labels: { watched: "yes" } });
  const labels = { watched: "yes" };
  await world.client.create<SecretObject>(Secret, {
    metadata: { ...key, labels },
    stringData: { password: "hunter2-hunter2" },
  });
  await world.start();
  const handled = "keeper.pintle.dev/handled";
  const first = await world.untilObject<SecretObject>(
    Secret,
    key,
    ({ metadata }) => handled in (metadata?.annotations ?? {}),
  );
  await world.client.patch(Secret, key, { type: "merge", body: { stringData: { password: "correct horse" } } });
  const second = await world.untilObject<SecretObject>(
    Secret,
    key,
    ({ metadata }) => metadata?.annotations?.[handled] !== first.metadata?.annotations?.[handled],
  );
  assert.deepEqual(seen, ["change data.password"]);
  for (const { metadata } of [first, second]) {
    assert.doesNotMatch(JSON.stringify(metadata?.annotations), /hunter2|correct|aHVudGVy|Y29ycmVj/);
  }
});

// FR-230
Deno.test("what was under way when the process was killed is taken up where it was, by the next one", async () => {
  const calls: string[] = [], operator = new Operator("widgets");
  let open = false;
  operator.on(Widget).create(() => void calls.push("first"), { id: "first" }).create(() => {
    calls.push("second");
    if (!open) throw new TemporaryError("closed", { delay: 1, reason: "Closed" });
  }, { id: "second" });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  // The record of what is done is written after the status.
  await world.untilObject<WidgetObject>(
    Widget,
    key,
    (widget) =>
      conditionOf(widget, "Ready")?.reason === "Closed" &&
      widget.metadata.annotations?.["widgets.pintle.dev/pending"] !== undefined,
  );
  await world.kill();
  open = true;
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  assert.equal(calls.filter((call) => call === "first").length, 1);
  await world.untilObject<WidgetObject>(
    Widget,
    key,
    ({ metadata }) => Object.keys(metadata.annotations ?? {}).length === 0,
  );
});

// FR-238
Deno.test("a daemon holds its object until it has ended, and is started again after a kill", async () => {
  const seen: string[] = [], operator = new Operator("keeper");
  operator.on(Widget).daemon(async ({ stopped, report, spec }) => {
    seen.push("begins");
    report((status) => status.set({ phase: `size ${spec.size}` }));
    await new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
    seen.push(stopped.reason.message);
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 4 });
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.phase === "size 4");
  await world.kill();
  await world.client.delete(Widget, key);
  await world.start();
  await world.untilGone(Widget, key);
  assert.deepEqual(seen.filter((line) => line === "begins").length, 1, "not for what is being deleted");
});

// FR-233
Deno.test("an object that no handler of changes is for is not written to, and becomes a creation once one is", async () => {
  const calls: string[] = [], operator = new Operator("keeper"), labels = { watched: "yes" };
  operator.on(Widget).create(({ name }) => void calls.push(`create ${name}`), { labels })
    .update(({ name }) => void calls.push(`update ${name}`), { labels });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), other = { namespace, name: "other" };
  await createWidget(world, Widget, namespace, "other");
  await createWidget(world, Widget, namespace, "w", {}, { labels });
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  assert.deepEqual(world.writes.filter(({ path }) => path.includes("/other")), []);
  assert.equal((await world.client.get<WidgetObject>(Widget, other)).status, undefined);
  await world.client.patch(Widget, other, { type: "merge", body: { metadata: { labels } } });
  await untilReady(world, Widget, namespace, "other");
  assert.deepEqual(calls, ["create w", "create other"]);
});

// FR-286
Deno.test("a handler whose name all objects inherit is tried as often as any other", async () => {
  const calls: string[] = [], operator = new Operator("widgets");
  for (const id of ["constructor", "toString", "hasOwnProperty"]) {
    operator.on(Widget).create(({ retry }) => {
      calls.push(`${id} ${retry}`);
      throw new TemporaryError("once more", { delay: 1 });
    }, { id, retries: 2 });
  }
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w", "False");
  await world.idle();
  const tries = ["constructor", "hasOwnProperty", "toString"].flatMap((id) => [`${id} 0`, `${id} 1`]);
  assert.deepEqual(calls.sort(), tries);
});
