import type { PlanOptions } from "../../lib/operator/running_operator.ts";
import { TemporaryError } from "../../lib/base/mod.ts";
import type { PlannedPass, PlannedWrite } from "../../lib/controller/mod.ts";
import { NotFoundError } from "../../lib/client/mod.ts";
import { MemoryStorage } from "../../lib/handling/mod.ts";
import assert from "node:assert/strict";
import { type KubeObject, scopeOfGlobs } from "../../lib/apimachinery/mod.ts";
import { ConfigMap, type ConfigMapObject, Operator, Secret, type SecretObject } from "../../lib/operator/mod.ts";
import { EVENTS } from "../../lib/harness/expectation.ts";
import { World } from "../world.ts";
import { configMapOperator, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("plan");

/** What an operator would do, as the administrator of the world's cluster. */
async function planned(world: World, operator: Operator, options: Partial<PlanOptions> = {}): Promise<PlannedPass[]> {
  const transport = world.cluster.transport(), passes: PlannedPass[] = [];
  const signal = new AbortController().signal;
  for await (const pass of operator.plan({ transport, signal, ...options })) passes.push(pass);
  return passes;
}

/** `verb resource/subresource name`, with `+` where the object is made by it, and the paths that it changes. */
function told({ verb, resource, subresource, key, exists, changes, checked }: PlannedWrite): string {
  const paths = changes.map(({ operation, path }) =>
    // FR-225
    `${{ add: "+", change: "~", remove: "-" }[operation]}${path.join(".")}`
  )
    .filter((path) => !/^\+metadata\.(name|namespace|ownerReferences)$/.test(path));
  const what = `${resource.plural}${subresource ? `/${subresource}` : ""}`;
  return `${verb} ${exists ? "" : "new "}${what} ${key.name}${checked ? "" : " (unchecked)"}: ${paths.join(" ")}`
    .trim();
}

/** Everything that is in a namespace of the kinds that these operators write, with its version. */
async function content(world: World, namespace: string): Promise<string[]> {
  const found: string[] = [];
  for (const resource of [Widget, ConfigMap, Secret, EVENTS]) {
    const { items } = await world.client.list<KubeObject>(resource, { namespace });
    found.push(...items.map(({ metadata }) => `${resource.plural} ${metadata?.name} ${metadata?.resourceVersion}`));
  }
  return found.filter((each) => !each.includes("kube-root-ca.crt")).sort();
}

// FR-225
Deno.test("a plan lists every write of a reconcile, finalizer, child, status and Event, and none of them is made", async () => {
  const operator = configMapOperator(Widget);
  operator.on(Widget).delete(() => {});
  const kinds: boolean[] = [];
  operator.startup(({ dryRun }) => void kinds.push(dryRun)).cleanup(({ dryRun }) => void kinds.push(dryRun));
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w", { size: 2 });
  const before = await content(world, namespace);
  const [pass, ...more] = await planned(world, operator);
  assert.deepEqual([pass!.cause, pass!.key, pass!.outcome, more], [
    "reconcile",
    { namespace, name: "w" },
    { kind: "done" },
    [],
  ]);
  assert.deepEqual(pass!.writes.map(told), [
    "patch widgets w: +metadata.finalizers",
    "apply new configmaps w: +data.size",
    "apply widgets/status w: +status.conditions.Ready +status.observedGeneration +status.phase +status.size",
  ]);
  assert.deepEqual(kinds, [true, true], "start-up and clean-up know that it is a plan");
  assert.deepEqual(await content(world, namespace), before);
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  await world.stop();
  const made = await content(world, namespace);
  assert.deepEqual((await planned(world, operator)).map(({ writes }) => writes), [[]], "what is converged stays");
  await world.client.patch(Widget, { namespace, name: "w" }, { type: "merge", body: { spec: { size: 3 } } });
  const [changed] = await planned(world, operator);
  assert.deepEqual(changed!.writes.map(told), [
    "apply configmaps w: ~data.size",
    "apply widgets/status w: ~status.observedGeneration ~status.size",
  ]);
  assert.deepEqual(changed!.writes[0]!.changes, [{ operation: "change", path: ["data", "size"], old: "2", next: "3" }]);
  const isChild = (each: string) => each.startsWith("configmaps");
  assert.deepEqual((await content(world, namespace)).filter(isChild), made.filter(isChild));
});

// FR-225
Deno.test("a deleted object's plan is its clean-up, and it goes on waiting", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).delete(async ({ client, namespace, dryRun }) => {
    assert.equal(dryRun, true);
    await client.delete(ConfigMap, { namespace, name: "leftover" });
    await assert.rejects(client.get(ConfigMap, { namespace, name: "leftover" }), NotFoundError);
    assert.equal(await client.find(ConfigMap, { namespace, name: "leftover" }), undefined);
    await assert.rejects(client.delete(ConfigMap, { namespace, name: "leftover" }), NotFoundError);
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), finalizers = [operator.finalizer(Widget)];
  await createWidget(world, Widget, namespace, "w", {}, { finalizers });
  await world.client.create<KubeObject>(ConfigMap, { metadata: { namespace, name: "leftover" } });
  await world.client.delete(Widget, { namespace, name: "w" });
  const [pass] = await planned(world, operator);
  assert.deepEqual([pass!.cause, pass!.outcome], ["delete", { kind: "done" }]);
  assert.deepEqual(pass!.writes.map(told), ["delete configmaps leftover:", "patch widgets w: -metadata.finalizers"]);
  assert.ok(await world.client.find(ConfigMap, { namespace, name: "leftover" }));
  await world.client.patch(Widget, { namespace, name: "w" }, {
    type: "merge",
    body: { metadata: { finalizers: null } },
  });
  await world.untilGone(Widget, { namespace, name: "w" });
});

// FR-225
Deno.test("a plan goes on with what it planned: reads see it, and what only it makes possible is listed as unchecked", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ client, namespace, name }) => {
    const key = { namespace, name: "made" }, apiVersion = "v1", kind = "ConfigMap";
    await client.create(ConfigMap, { apiVersion, kind, metadata: key, data: { one: "1" } });
    assert.deepEqual((await client.get<ConfigMapObject>(ConfigMap, key)).data, { one: "1" });
    await client.patch(ConfigMap, key, { type: "merge", body: { data: { two: "2" } } });
    await client.patch(ConfigMap, key, { type: "json", body: [{ op: "remove", path: "/data/one" }] });
    assert.deepEqual((await client.get<ConfigMapObject>(ConfigMap, key)).data, { two: "2" });
    await client.delete(ConfigMap, { namespace, name });
    await client.create(ConfigMap, { apiVersion, kind, metadata: { namespace, name }, data: { anew: "yes" } });
    await client.delete(ConfigMap, key);
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  await world.client.create<KubeObject>(ConfigMap, { metadata: { namespace, name: "w" } });
  await createWidget(world, Widget, namespace, "w");
  const before = await content(world, namespace);
  const [pass] = await planned(world, operator);
  assert.deepEqual(pass!.outcome, { kind: "done" });
  assert.deepEqual(pass!.writes.slice(0, -1).map(told), [
    "create new configmaps made: +data.one",
    "patch new configmaps made (unchecked): +data.one +data.two",
    "patch new configmaps made (unchecked): +data.two",
    "delete configmaps w:",
    "create new configmaps w (unchecked): +data.anew",
    "delete new configmaps made (unchecked):",
  ]);
  assert.deepEqual(await content(world, namespace), before);
});

// FR-225
Deno.test("what the server refuses, a handler that fails and an Event are listed, and nothing is posted", async () => {
  const operator = new Operator("widgets");
  operator.startup(async ({ client, dryRun }) => {
    if (!dryRun) return; // the world runs it for real to clear up
    await assert.rejects(
      client.raw("/api/v1/namespaces", { method: "POST", body: { metadata: { name: "real" } } }),
      /dry run/,
    );
  });
  operator.on(Widget).reconcile(async ({ name, apply, events }) => {
    events.warning("Looked", `at ${name}`);
    if (name === "later") throw new TemporaryError("not now", { reason: "NotNow", delay: "1m" });
    await apply(ConfigMap, { metadata: { name: "Not A Name" } });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  for (const name of ["refused", "later"]) await createWidget(world, Widget, namespace, name);
  const before = await content(world, namespace);
  const passes = (await planned(world, operator)).sort((a, b) => a.key.name < b.key.name ? -1 : 1);
  const [later, refused] = passes;
  assert.deepEqual(later!.events, [{ type: "Warning", reason: "Looked", message: "at later" }]);
  assert.ok(later!.outcome.kind === "retry" && refused!.outcome.kind === "retry");
  assert.deepEqual([later!.outcome.reason, later!.outcome.delayMs], ["NotNow", 60_000]);
  assert.match(refused!.outcome.message, /Not A Name.*Invalid value/);
  assert.match(told(later!.writes[0]!), /^apply widgets\/status later: \+status\.conditions/);
  assert.deepEqual(await content(world, namespace), before);
});

// FR-226
Deno.test("no value of a Secret is in a plan, and a change of one is still seen", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply, spec }) => {
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": `{"password":"${spec.note}"}` };
    await apply(Secret, { metadata: { annotations }, stringData: { password: spec.note! } });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  const data = { password: btoa("old-and-secret"), kept: btoa("kept-and-secret"), gone: btoa("gone") };
  await world.client.create<KubeObject>(Secret, { metadata: { namespace, name: "there" }, data } as KubeObject);
  for (const name of ["fresh", "there"]) await createWidget(world, Widget, namespace, name, { note: "new-and-secret" });
  const passes = await planned(world, operator);
  const text = JSON.stringify(passes);
  for (const secret of ["old-and-secret", "new-and-secret", "kept-and-secret"]) {
    assert.ok(!text.includes(secret) && !text.includes(btoa(secret)), secret);
  }
  const changes = passes.find(({ key }) => key.name === "there")!.writes[0]!.changes;
  assert.deepEqual(changes.filter(({ path }) => path[0] === "data"), [{
    operation: "change",
    path: ["data", "password"],
    old: "******** (before)",
    next: "******** (after)",
  }]);
});

// FR-283
Deno.test("a value of a Secret that a handler read is in no change of another kind, no Event and no error of a plan", async () => {
  const operator = new Operator("widgets"), value = "admin-prod-S3cr3t";
  operator.on(Widget).reconcile(async ({ apply, client, namespace, events, status }) => {
    const { data } = await client.get<SecretObject>(Secret, { namespace, name: "login" });
    const text = `log in with ${atob(data!.password!)} or ${data!.password}`;
    await apply(ConfigMap, { data: { text, other: "shown" } });
    events.warning("Refused", text);
    status.set({ note: text });
    throw new Error(text);
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  const login = { metadata: { namespace, name: "login" }, data: { password: btoa(value) } };
  await world.client.create<KubeObject>(Secret, login as KubeObject);
  await createWidget(world, Widget, namespace, "w");
  const [pass] = await planned(world, operator);
  const { error: _, ...outcome } = pass!.outcome as { error?: unknown };
  const text = JSON.stringify({ ...pass, outcome });
  for (let at = 0; at + 8 <= value.length; at++) assert.ok(!text.includes(value.slice(at, at + 8)), text);
  assert.ok(!text.includes(btoa(value).slice(0, 8)), text);
  assert.ok(text.includes("log in with [secret]") && text.includes("shown"), text);
});

// FR-225
Deno.test("a plan can be about some objects only, sees what they watch, and can be called off", async () => {
  const operator = new Operator("widgets");
  const stop = new AbortController(), asked: string[] = [];
  operator.on(Widget).reconcile(async ({ name, namespace, watch, status, signal }) => {
    asked.push(name);
    const seen = await watch(ConfigMap, { namespace, name: "watched" });
    status.set({ note: seen?.metadata?.labels?.note });
    if (name !== "endless") return;
    stop.abort(new Error("called off"));
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a"), labels = { note: "seen" };
  await world.client.create<KubeObject>(ConfigMap, { metadata: { namespace, name: "watched", labels } });
  for (const name of ["one", "two", "endless"]) await createWidget(world, Widget, namespace, name);
  const [only, ...more] = await planned(world, operator, { only: (_kind, { name }) => name === "two" });
  assert.deepEqual([asked, more], [["two"], []]);
  const note = only!.writes[0]!.changes.find(({ path }) => path.join(".") === "status.note");
  assert.equal(note?.next, "seen");
  const endless = planned(world, operator, { only: (_, { name }) => name === "endless", signal: stop.signal });
  await assert.rejects(endless, /^Error: called off$/);
  const { status } = await world.client.get<WidgetObject>(Widget, { namespace, name: "two" });
  assert.equal(status, undefined);
});

for (const storage of [undefined, new MemoryStorage()]) {
  const where = storage ? "this process" : "annotations";
  Deno.test(`a change that is only planned is remembered nowhere: its handlers run when it is real (${where})`, async () => {
    const operator = new Operator("widgets", { storage });
    const calls: string[] = [];
    operator.on(Widget).create(({ dryRun, change }) => void calls.push(`${change} ${dryRun}`))
      .resume(({ dryRun }) => void calls.push(`resume ${dryRun}`));
    await using world = await World.open(operator);
    const namespace = await world.namespace("a");
    await createWidget(world, Widget, namespace, "w");
    for (const _ of [1, 2]) {
      const [pass] = await planned(world, operator);
      assert.deepEqual(pass!.outcome, { kind: "done" });
      assert.match(told(pass!.writes.at(-1)!), /^apply widgets\/status w: .*\+status\.observedGeneration/);
    }
    assert.deepEqual(calls, ["create true", "create true"]);
    await world.start();
    await untilReady(world, Widget, namespace, "w");
    assert.deepEqual(calls.slice(2), ["create false"]);
  });
}

// FR-225
Deno.test("a plan covers the namespaces that the operator works in, and the kinds that it selects", async () => {
  const operator = new Operator("selects");
  operator.select({ plural: Widget.plural, group: Widget.group }, (handlers) => {
    handlers.reconcile(async ({ apply }) => {
      await apply(ConfigMap, { data: { made: "yes" } });
    });
  });
  await using world = await World.open(configMapOperator(Widget));
  const one = await world.namespace("one"), other = await world.namespace("other");
  for (const namespace of [one, other]) await createWidget(world, Widget, namespace, "w");
  const passes = await planned(world, operator, { scope: scopeOfGlobs([one]) });
  assert.deepEqual(passes.map(({ key, kind, writes }) => [key.namespace, kind.plural, writes.map(told)]), [
    [one, Widget.plural, ["apply new configmaps w: +data.made"]],
  ]);
});
