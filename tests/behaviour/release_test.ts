import type { NamespaceScope } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { settle, sleep } from "../../lib/base/mod.ts";
import { ConfigMap, Namespace, Operator } from "../../lib/operator/mod.ts";
import { VirtualWorld } from "../virtual_world.ts";
import { widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("release");

/** A scope that a test opens and closes, namespace by namespace. */
class MovingScope implements NamespaceScope {
  readonly covered = new Set<string>();
  cluster = true;
  readonly #listeners = new Set<() => void>();

  covers(namespace: string): boolean {
    return this.covered.has(namespace);
  }

  coversCluster(): boolean {
    return this.cluster;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  change(what: () => void): void {
    what();
    for (const listener of this.#listeners) listener();
  }
}

async function createWidget(world: VirtualWorld, namespace: string): Promise<void> {
  await world.client.create(Widget, { metadata: { namespace, name: "w" }, spec: {} } as unknown as WidgetObject);
  await world.advance(1);
}

/** Begins a release; says when it is done. */
function release(world: VirtualWorld, graceMs: number): { done: boolean } {
  const state = { done: false };
  void world.running.release(graceMs).then(() => state.done = true);
  return state;
}

async function open(operator: Operator, ...namespaces: string[]): Promise<{ world: VirtualWorld; scope: MovingScope }> {
  const scope = new MovingScope();
  for (const namespace of namespaces) scope.covered.add(namespace);
  const world = await VirtualWorld.open(operator, { scope });
  await world.client.create(Namespace, { metadata: { name: "other" } });
  await world.advance(1);
  return { world, scope };
}

// FR-184
Deno.test("a release waits for the passes of what was given up, lets them finish, and disturbs no other", async () => {
  const finish = new Map<string, () => void>(), operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ namespace, status }) => {
    await new Promise<void>((resolve) => finish.set(namespace, resolve));
    status.set({ phase: "Done" });
  });
  const { world, scope } = await open(operator, "home", "other");
  await using _ = world;
  for (const namespace of ["home", "other"]) await createWidget(world, namespace);
  assert.deepEqual([...finish.keys()], ["home", "other"]);
  scope.change(() => scope.covered.delete("home"));
  const released = release(world, 60_000);
  await world.advance(10_000);
  assert.equal(released.done, false, "the pass goes on");
  finish.get("home")!();
  await world.advance(1);
  assert.equal(released.done, true);
  const { status } = await world.client.get<WidgetObject>(Widget, { namespace: "home", name: "w" });
  assert.equal(status?.phase, "Done", "what was under way could finish");
  finish.clear();
  await world.client.patch(Widget, { namespace: "home", name: "w" }, {
    type: "merge",
    body: { spec: { size: 2 } } as never,
  });
  await world.advance(60_000);
  assert.equal(finish.has("home"), false, "nothing begins any more");
  scope.change(() => scope.covered.add("home"));
  await world.advance(1);
  assert.ok(finish.has("home"), "it begins again");
  finish.get("home")!();
});

// FR-184
Deno.test("a release cuts short what outlasts its grace, and nothing of it writes after that", async () => {
  let late: Promise<unknown> | undefined;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ client, namespace }) => {
    late = sleep(world.clock, 60_000).then(() =>
      client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "late" } })
    );
    return late as Promise<never>;
  });
  const { world, scope } = await open(operator, "home");
  await using _ = world;
  await createWidget(world, "home");
  scope.change(() => scope.covered.delete("home"));
  const released = release(world, 5_000);
  await world.advance(4_999);
  assert.equal(released.done, false);
  await world.advance(1);
  assert.equal(released.done, true);
  const writes = world.writes.length;
  const refused = assert.rejects(late!, /the grace period is over/);
  await world.advance(60_000);
  await refused;
  assert.equal(world.writes.length, writes);
});

// FR-184
Deno.test("a release ends daemons and waits for them, also for a slow one, and abandons one that never ends", async () => {
  const said: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).daemon(async ({ namespace, stopped }) => {
    await new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
    await sleep(world.clock, 3_000);
    said.push(`slow ends in ${namespace}`);
  }, { id: "slow", cancellationTimeout: "10s" }).daemon(() => new Promise(() => {}), {
    id: "deaf",
    cancellationTimeout: "10s",
  });
  const { world, scope } = await open(operator, "home", "other");
  await using _ = world;
  for (const namespace of ["home", "other"]) await createWidget(world, namespace);
  scope.change(() => scope.covered.delete("home"));
  await settle();
  const released = release(world, 60_000);
  await world.advance(9_000, 1_000);
  assert.deepEqual(said, ["slow ends in home"]);
  assert.equal(released.done, false, "the deaf one is waited for");
  await world.advance(2_000, 1_000);
  assert.equal(released.done, true);
  assert.ok(world.logs.some(({ message }) => message.includes("ignores its abort signal")));
  scope.change(() => scope.covered.add("home"));
  await world.advance(1);
  assert.deepEqual(said, ["slow ends in home"], "that of the other namespace never ended");
});

// FR-184
Deno.test("event handlers hear of what a scope gains, once, and of nothing that it lost", async () => {
  const heard: string[] = [], operator = new Operator("listener");
  operator.on(Widget).event(({ type, namespace }) => void heard.push(`${type} ${namespace}`));
  const { world, scope } = await open(operator, "home");
  await using _ = world;
  for (const namespace of ["home", "other"]) await createWidget(world, namespace);
  assert.deepEqual(heard.splice(0), ["added home"]);
  scope.change(() => scope.covered.add("other"));
  await world.advance(1);
  assert.deepEqual(heard.splice(0), ["initial other"], "what was covered before is not told again");
  scope.change(() => scope.covered.clear());
  await world.client.delete(Widget, { namespace: "home", name: "w" });
  await world.advance(1);
  assert.deepEqual(heard, []);
});

// FR-184
Deno.test("objects without a namespace are stopped and started again, as the scope defines", async () => {
  const seen: string[] = [], operator = new Operator("namespaces");
  operator.on(Namespace).reconcile(({ name }) => void seen.push(name));
  const { world, scope } = await open(operator);
  await using _ = world;
  assert.ok(seen.includes("other"));
  scope.change(() => scope.cluster = false);
  await world.running.release(1_000);
  seen.length = 0;
  await world.client.create(Namespace, { metadata: { name: "third" } });
  await world.advance(1);
  assert.equal(seen.length, 0);
  scope.change(() => scope.cluster = true);
  await world.advance(1);
  assert.ok(seen.includes("third"));
});
