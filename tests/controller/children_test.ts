import { type AnyKind, controllerOf, joinedName, type ObjectOf } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { TemporaryError } from "../../lib/base/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import {
  ConfigMap,
  type ConfigMapObject,
  Deployment,
  Operator,
  Secret,
  ServiceAccount,
  StatefulSet,
} from "../../lib/operator/mod.ts";
import { planRun, Suite } from "../../lib/harness/mod.ts";
import { prepare, runSimulated } from "../../lib/explore/simulated_run.ts";
import { World } from "../world.ts";
import { conditionOf, configMapOperator, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("children");

// FR-17, FR-24
Deno.test("a new object gets its child and its status, in one write each, and its echo costs nothing", async () => {
  await using world = await World.open(configMapOperator(Widget));
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w", { size: 3 });
  const widget = await untilReady(world, Widget, namespace, "w", "True", "Reconciled");
  assert.deepEqual([widget.status?.phase, widget.status?.size, widget.status?.observedGeneration], ["Applied", 3, 1]);
  const child = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name: "w" });
  assert.deepEqual(child.data, { size: "3" });
  const [reference] = child.metadata!.ownerReferences!;
  assert.deepEqual([reference?.uid, reference?.kind, reference?.controller], [widget.metadata.uid, "Widget", true]);
  await world.idle();
  assert.deepEqual(
    world.writes.map(({ method, path }) => `${method} ${path.split("?")[0]!.split("/").slice(-2).join("/")}`),
    [
      "PATCH configmaps/w",
      "PATCH w/status",
    ],
  );
});

// FR-24
Deno.test("a change that requires nothing new, and a restart on converged objects, write nothing", async () => {
  await using world = await World.open(configMapOperator(Widget));
  await world.start();
  const namespace = await world.namespace("a");
  for (const name of ["one", "two"]) {
    await createWidget(world, Widget, namespace, name, { size: 2 });
    await untilReady(world, Widget, namespace, name);
  }
  await world.idle();
  const before = world.writes.length;
  const patch = { metadata: { labels: { seen: "1" } } };
  const { metadata } = await world.client.patch(Widget, { namespace, name: "one" }, { type: "merge", body: patch });
  await sawVersion(world, metadata!.resourceVersion!);
  await world.idle();
  assert.equal(world.writes.length, before);
  await world.stop();
  await world.start();
  await world.idle();
  assert.deepEqual(world.writes, []);
});

// FR-17
Deno.test("a child that is edited or deleted is restored; fields of others on it stay", async () => {
  await using world = await World.open(configMapOperator(Widget));
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  await world.client.patch(ConfigMap, key, { type: "merge", body: { data: { size: "99", theirs: "kept" } } });
  const restored = await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.size === "1");
  assert.equal(restored.data?.theirs, "kept");
  await world.client.delete(ConfigMap, key);
  const remade = await world.untilObject<ConfigMapObject>(
    ConfigMap,
    key,
    ({ metadata }) => metadata?.uid !== restored.metadata?.uid,
  );
  assert.deepEqual(remade.data, { size: "1" });
});

// FR-27
Deno.test("a field that is no longer applied is removed from the child", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply }) => {
    const data: Record<string, string> = { size: `${spec.size}`, ...(spec.note ? { note: spec.note } : {}) };
    await apply(ConfigMap, { data });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { note: "hello" });
  await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.note === "hello");
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { note: null } } });
  const child = await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.note === undefined);
  assert.deepEqual(child.data, { size: "1" });
});

// FR-28
Deno.test("a child that another controller has is a visible conflict and stays as it is", async () => {
  await using world = await World.open(configMapOperator(Widget));
  const namespace = await world.namespace("a");
  const other = await world.client.create<ConfigMapObject>(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace, name: "other" },
  });
  const reference = { apiVersion: "v1", kind: "ConfigMap", name: "other", uid: other.metadata!.uid!, controller: true };
  await world.client.create<ConfigMapObject>(ConfigMap, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { namespace, name: "w", ownerReferences: [reference] },
    data: { size: "theirs" },
  });
  await world.start();
  await createWidget(world, Widget, namespace, "w", { size: 3 });
  const widget = await untilReady(world, Widget, namespace, "w", "False", "ChildConflict");
  assert.match(
    conditionOf(widget, "Ready")!.message,
    /ConfigMap .*\/w is controlled by ConfigMap other, not by Widget w/,
  );
  const child = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name: "w" });
  assert.deepEqual([child.data, child.metadata?.ownerReferences?.length], [{ size: "theirs" }, 1]);
});

// FR-27
Deno.test("a child in another namespace is refused, unless it is not to be owned", async () => {
  let owned = true;
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply, namespace }) => {
    const metadata = { name: "far", namespace: namespace.replace(/-a$/, "-b") };
    await apply(ConfigMap, { metadata, data: { a: "1" } }, { owned });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), far = await world.namespace("b");
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w", "False", "InvalidChild");
  assert.match(conditionOf(widget, "Ready")!.message, /owner references do not cross namespaces.*owned: false/);
  assert.equal(await world.client.find(ConfigMap, { namespace: far, name: "far" }), undefined);
  owned = false;
  await world.client.patch(Widget, { namespace, name: "w" }, { type: "merge", body: { spec: { size: 2 } } });
  await untilReady(world, Widget, namespace, "w");
  const child = await world.client.get(ConfigMap, { namespace: far, name: "far" });
  assert.equal(child.metadata?.ownerReferences, undefined);
});

// FR-27
Deno.test("children go with their owner", async () => {
  await using world = await World.open(configMapOperator(Widget));
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.client.delete(Widget, key);
  await world.untilGone(ConfigMap, key);
});

Deno.test("the fields of every other manager survive a handler that replaces what it read from a store", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ client, cached, namespace }) => {
    const held = cached(ConfigMap).get({ namespace, name: "shared" });
    if (held && held.data?.seen !== "yes") {
      await client.replace(ConfigMap, { ...held, data: { ...held.data, seen: "yes" } });
    }
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), key = { namespace, name: "shared" };
  const theirs = new Client(world.cluster.transport(), { fieldManager: "theirs" });
  await theirs.apply(ConfigMap, { metadata: key, data: { a: "1" } } as ConfigMapObject);
  await world.start();
  await createWidget(world, Widget, namespace, "w");
  const replaced = await world.untilObject<ConfigMapObject>(ConfigMap, key, ({ data }) => data?.seen === "yes");
  assert.ok(replaced.metadata?.managedFields?.some(({ manager }) => manager === "theirs"));
});

/** Waits until the operator's store of widgets has seen a version. */
async function sawVersion(world: World, version: string): Promise<void> {
  for (const { resource, waitFor } of world.running.watches) {
    if (resource.plural === Widget.plural) assert.ok(await waitFor(version, 10_000));
  }
}

// FR-268, FR-505
Deno.test("prune deletes nothing for a spec that is no longer the owner's: its next version may need the child", async () => {
  const operator = new Operator("widgets");
  let edits = 0;
  operator.on(Widget).reconcile(async ({ spec, name, namespace, apply, prune }) => {
    for (let part = 1; part <= spec.size; part++) {
      await apply(ConfigMap, { metadata: { name: joinedName(name, `${part}`) } });
    }
    // The watch has not shown this yet when prune runs.
    const body = { spec: { size: 3 } };
    if (spec.size === 1 && edits++ === 0) {
      await world.client.patch(Widget, { namespace, name }, { type: "merge", body });
    }
    await prune();
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" }, child = { namespace, name: "w-3" };
  await createWidget(world, Widget, namespace, "w", { size: 3 });
  await untilReady(world, Widget, namespace, "w");
  const { metadata } = await world.client.get(ConfigMap, child);
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 1 } } });
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => status?.observedGeneration === 3);
  await world.idle();
  assert.equal((await world.client.get(ConfigMap, child)).metadata?.uid, metadata!.uid, "it was never deleted");
});

// FR-268
Deno.test("prune deletes the children that are no longer applied, and no others", async () => {
  const operator = new Operator("widgets"), pruned: string[] = [];
  operator.on(Widget).reconcile(async ({ spec, name, apply, prune }) => {
    for (let part = 1; part <= spec.size; part++) {
      await apply(ConfigMap, { metadata: { name: joinedName(name, `${part}`) } });
    }
    pruned.push(...(await prune()).map((key) => key.name));
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await world.client.create(ConfigMap, { metadata: { namespace, name: "w-9" } });
  await createWidget(world, Widget, namespace, "w", { size: 3 });
  await createWidget(world, Widget, namespace, "other", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "other");
  await world.kill(); // what it applied, it knows by the owner references alone
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 1 } } });
  await world.start();
  await world.untilGone(ConfigMap, { namespace, name: "w-2" });
  await world.untilGone(ConfigMap, { namespace, name: "w-3" });
  await world.idle(); // a child is gone before its deletion is answered
  assert.deepEqual(pruned.sort(), ["w-2", "w-3"]);
  const { items } = await world.client.list(ConfigMap, { namespace });
  const left = items.map(({ metadata }) => metadata!.name!).filter((name) => name !== "kube-root-ca.crt");
  assert.deepEqual(left.sort(), ["other-1", "w-1", "w-9"]);
});

// FR-268
Deno.test("apply adopts an object without a controller, and it goes with its new owner", async () => {
  await using world = await World.open(configMapOperator(Widget));
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await world.client.create<ConfigMapObject>(ConfigMap, { metadata: key, data: { theirs: "1" } });
  await createWidget(world, Widget, namespace, "w", { size: 2 });
  await untilReady(world, Widget, namespace, "w");
  const child = await world.client.get<ConfigMapObject>(ConfigMap, key);
  assert.deepEqual([child.data, controllerOf(child)?.name], [{ theirs: "1", size: "2" }, "w"]);
  await world.client.delete(Widget, key);
  await world.untilGone(ConfigMap, key);
});

// FR-331
Deno.test("children with empty fields cost no write once they stand, not even after a restart", async () => {
  const container = { name: "c", image: "i", args: [], env: [{ name: "A", value: "" }, { name: "B" }], resources: {} };
  const children = [
    { kind: ConfigMap, body: { data: {}, binaryData: null, metadata: { labels: {}, annotations: {} } } },
    { kind: Secret, body: { data: {}, stringData: {} } },
    { kind: ServiceAccount, body: { secrets: [], imagePullSecrets: [] } },
    {
      kind: Deployment,
      body: {
        spec: {
          replicas: 0,
          paused: false,
          selector: { matchLabels: { a: "b" } },
          template: {
            metadata: { labels: { a: "b" }, annotations: {} },
            spec: {
              containers: [container],
              volumes: [],
              nodeSelector: {},
              tolerations: [],
              hostNetwork: false,
              nodeName: "",
            },
          },
        },
      },
    },
  ];
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply }) => {
    for (const { kind, body } of children) {
      await apply<AnyKind>(kind, body);
    }
  }, { owns: children.map(({ kind }) => kind) });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  await world.idle();
  await world.stop();
  await world.start();
  await world.idle();
  for (const kind of world.running.kinds) kind.reconcile({ namespace, name: "w" });
  await world.idle();
  assert.deepEqual(world.writes.map(({ method, path }) => `${method} ${path.split("?")[0]}`), []);
});

// FR-380
Deno.test("a child whose lists the server completes costs a write per change and start, not one per reconcile", async () => {
  await using world = await World.open(completedListOperator());
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  await untilReady(world, Widget, namespace, "w");
  const relabel = async (seen: string) => {
    const patch = { metadata: { labels: { seen } } };
    await world.client.patch(Widget, key, { type: "merge", body: patch });
    await world.untilObject(Widget, key, ({ metadata }) => metadata?.labels?.seen === seen);
    await world.idle();
  };
  const applies = () => world.writes.filter(({ path }) => path.includes("/statefulsets/")).length;
  await relabel("1");
  const settled = applies();
  await relabel("2");
  await world.client.patch(StatefulSet, key, {
    type: "merge",
    subresource: "status",
    body: { status: { replicas: 1 } },
  });
  await relabel("3");
  assert.equal(
    applies(),
    settled,
    "what is as it was applied, costs nothing, also when the status of the child changes",
  );
  await world.client.patch(StatefulSet, key, { type: "merge", body: { spec: { replicas: 5 } } });
  await world.untilObject<ObjectOf<typeof StatefulSet>>(StatefulSet, key, ({ spec }) => spec?.replicas === 1);
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await world.untilObject<ObjectOf<typeof StatefulSet>>(StatefulSet, key, ({ spec }) => spec?.replicas === 2);
  await world.idle();
  await world.stop();
  await world.start();
  await world.idle();
  assert.equal(applies(), 1, "after a start nothing is remembered");
});

Deno.test("a manifest that is given to apply is an error that names applyManifest", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply }) => {
    await apply({ apiVersion: "v1", kind: "ConfigMap", data: {} } as never, {} as never);
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w", "False", "InvalidChild");
  assert.match(conditionOf(widget, "Ready")!.message, /a manifest goes to applyManifest\(\)/);
});

// FR-389
Deno.test("a kind of children that is not watched is one warning, and none where the child is not owned", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply }) => {
    await apply(ConfigMap, { data: { size: `${spec.size}` } });
    await apply(ServiceAccount, {}, { owned: false });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  for (const name of ["one", "two"]) {
    await createWidget(world, Widget, namespace, name);
    await untilReady(world, Widget, namespace, name);
  }
  const warnings = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(warnings.map(({ fields }) => [fields.resource, fields.handler]), [["configmaps", "reconcile"]]);
});

// FR-450
Deno.test("a handler that does not await its children is one warning, and their writes still belong to its pass", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ spec, status, apply }) => {
    void apply(ConfigMap, { data: { size: `${spec.size}` } });
    status.set({ phase: "Applied" });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  for (const name of ["one", "two"]) {
    await createWidget(world, Widget, namespace, name, { size: 4 });
    await untilReady(world, Widget, namespace, name);
    const { data } = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name });
    assert.deepEqual(data, { size: "4" }, "Ready came after the child");
  }
  const warnings = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(warnings.map(({ fields }) => [fields.handler, fields.call]), [["reconcile", "apply(ConfigMap)"]]);
});

// FR-450
Deno.test("a child that was not awaited and is refused fails its handler", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ apply }) => {
    void apply(ConfigMap, { metadata: { labels: { size: "not a value!" } } });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w", "False");
  assert.match(conditionOf(widget, "Ready")!.message!, /not a value!/);
});

/** Widgets own a StatefulSet: its claim templates are one value to an apply, and the server adds fields to them. */
function completedListOperator(): Operator {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, apply }) => {
    const labels = { app: "w" };
    const claim = {
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "example.invalid/main" }] } };
    const desired = {
      replicas: spec.size,
      serviceName: "w",
      selector: { matchLabels: labels },
      template,
      volumeClaimTemplates: [claim],
    };
    await apply(StatefulSet, { spec: desired });
  }, { owns: [StatefulSet] });
  return operator;
}

// FR-518
Deno.test("a child without an owner reference is not made for an object that the server no longer has", async () => {
  const operator = new Operator("widgets"), applied = Promise.withResolvers<unknown>();
  operator.on(Widget).reconcile(async ({ name, namespace, apply }) => {
    await world.client.delete(Widget, { namespace, name });
    const child = apply(ConfigMap, { data: { a: "1" } }, { owned: false });
    applied.resolve(child.then(() => undefined, (error) => error));
    await child;
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  const error = await applied.promise;
  assert.ok(error instanceof TemporaryError && error.reason === "Outdated", `${error}`);
  await world.untilGone(Widget, key);
  await world.idle();
  assert.equal(await world.client.find(ConfigMap, key), undefined);
});

// FR-581
Deno.test("a child that is applied twice in one pass ends as the last apply has it, though its watch is behind", async () => {
  const suite = new Suite("marker", () => {
    const operator = new Operator("marker");
    operator.on(Widget).reconcile(async ({ name, spec, apply }) => {
      const metadata = { name: `${name}-data` };
      await apply(ConfigMap, { metadata, data: { size: `${spec.size}` } });
      await apply(ConfigMap, { metadata, data: { size: `${spec.size}`, mark: "set" } });
    }, { owns: [ConfigMap] });
    return operator;
  });
  suite.scenario("a widget grows", async ({ given, when, then, cluster, expect, ref }) => {
    const widget = ref(Widget, "w"), data = (size: string) => ({ data: { size, mark: "set" } });
    await given("a widget", () => cluster.create(Widget, { metadata: { name: "w" }, spec: { size: 1 } }));
    await then("its child is marked", () => expect(ref(ConfigMap, "w-data")).toMatch(data("1")));
    await when("it grows", () => cluster.patch(widget, { spec: { size: 2 } }));
    await when("it is labelled", () => cluster.patch(widget, { metadata: { labels: { seen: "yes" } } }));
    await then("its child is marked", () => expect(ref(ConfigMap, "w-data")).toMatch(data("2")));
  });
  const planned = planRun([suite])[0]!, options = { waitMsMax: 60_000, signal: new AbortController().signal };
  for (let seed = 1; seed <= 5; seed++) {
    const prepared = await prepare(planned, { ...options, seed });
    const { settled } = await runSimulated(planned, { ...options, seed, prepared });
    const [child] = [...settled.tables.get("configmaps")!.values()].filter(({ object }) =>
      object.metadata?.name === "w-data"
    );
    assert.deepEqual((child?.object as ConfigMapObject).data, { size: "2", mark: "set" }, `seed ${seed}`);
  }
});
