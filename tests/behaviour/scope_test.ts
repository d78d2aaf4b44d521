import { type NamespaceScope, scopeOfGlobs } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { Namespace, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import { createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("scope");

/** An operator that writes down whose widgets it saw, by reconcile, event and daemon. */
function watching() {
  const seen: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ namespace }) => void seen.push(`reconcile ${namespace}`))
    .event(({ namespace, type }) => void seen.push(`${type} ${namespace}`))
    .daemon(async ({ namespace, stopped, report }) => {
      seen.push(`daemon ${namespace}`);
      report((status) => status.set({ phase: "attended" }));
      await new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
      seen.push(`daemon ends ${namespace}`);
    });
  return { seen, operator };
}

/** A daemon starts once the finalizer of its object is seen, which may be after the first reconcile. */
async function untilAttended(world: World, namespace: string): Promise<void> {
  const key = { namespace, name: "w" };
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.phase === "attended");
}

// FR-271
Deno.test("globs include and exclude namespaces, for reconciles, events and daemons alike", async () => {
  const { seen, operator } = watching();
  await using world = await World.open(operator);
  const [one, two, legacy] = [
    await world.namespace("team-1"),
    await world.namespace("team-2"),
    await world.namespace("legacy"),
  ];
  await createWidget(world, Widget, legacy, "before");
  await world.start({ scope: scopeOfGlobs([`${world.prefix}-*`, `!${legacy}`]) });
  for (const namespace of [one, two, legacy]) await createWidget(world, Widget, namespace, "w");
  await untilAttended(world, one);
  await untilAttended(world, two);
  assert.deepEqual(seen.filter((line) => line.endsWith(legacy)), []);
  for (const what of ["reconcile", "added", "daemon"]) assert.ok(seen.includes(`${what} ${two}`), what);
  const left = await world.client.get(Widget, { namespace: legacy, name: "w" });
  assert.equal(left.metadata?.finalizers, undefined);
});

// FR-271
Deno.test("an operator of one namespace watches only that one, and cluster-scoped kinds all the same", async () => {
  const names: string[] = [], { operator } = watching();
  operator.on(Namespace).event(({ name }) => void names.push(name));
  await using world = await World.open(operator);
  const own = await world.namespace("own"), other = await world.namespace("other");
  await world.start({ scope: scopeOfGlobs([own]) });
  await createWidget(world, Widget, own, "w");
  await untilReady(world, Widget, own, "w");
  const watched = world.running.watches.filter(({ resource }) => resource.plural === Widget.plural);
  assert.deepEqual(watched.map(({ namespace }) => namespace), [own]);
  assert.ok(names.includes(other));
});

// FR-271
Deno.test("a scope that changes starts objects newly in scope, and stops those out of scope", async () => {
  const { seen, operator } = watching();
  await using world = await World.open(operator);
  const one = await world.namespace("one"), two = await world.namespace("two");
  const covered = new Set([one]), listeners = new Set<() => void>();
  const scope: NamespaceScope = {
    covers: (namespace) => covered.has(namespace),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  await world.start({ scope });
  await createWidget(world, Widget, one, "w");
  await createWidget(world, Widget, two, "w");
  await untilAttended(world, one);
  assert.equal(listeners.size, 1);
  covered.delete(one);
  covered.add(two);
  for (const listener of listeners) listener();
  await untilAttended(world, two);
  covered.add(one); // so that the world can be taken down
  assert.ok(seen.includes(`daemon ends ${one}`) && seen.includes(`daemon ${two}`), seen.join(", "));
});

// FR-271
Deno.test("a glob that can match no namespace is refused with its reason", () => {
  assert.throws(
    () => scopeOfGlobs(["Team_A"]),
    (error) => error instanceof UsageError && /matches no namespace: it holds "T"/.test(error.message),
  );
  assert.equal(scopeOfGlobs([]).covers("any"), true);
  assert.equal(scopeOfGlobs(["!a"]).covers("b"), true);
});
