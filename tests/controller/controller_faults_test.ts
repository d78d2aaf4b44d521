import { ownerReference } from "../../lib/apimachinery/mod.ts";
import assert from "node:assert/strict";
import { PermanentError, TemporaryError, type Transport } from "../../lib/base/mod.ts";
import { CRDS } from "../../lib/admission/crd_conversion.ts";
import { ConfigMap, type ConfigMapObject, Operator } from "../../lib/operator/mod.ts";
import { World } from "../world.ts";
import {
  applyStatusAs,
  conditionOf,
  createWidget,
  untilReady,
  type WidgetKind,
  widgetKind,
  type WidgetObject,
} from "../widget.ts";

const Widget = widgetKind("controller-faults");

/** The status codes with which a write may be refused. */
const REFUSALS = {
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  422: "Invalid",
  500: "InternalError",
  503: "ServiceUnavailable",
} as const;

function refusal(code: keyof typeof REFUSALS): Response {
  const status = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    code,
    reason: REFUSALS[code],
    message: "refused",
  };
  return Response.json(status, { status: code });
}

/** A transport that answers some writes itself. */
function answering(
  inner: Transport,
  answer: (path: string, method: string, body: string) => Promise<Response | undefined> | Response | undefined,
): Transport {
  return {
    fetch: async (path, request = {}) =>
      await answer(path, request.method ?? "GET", String(request.body ?? "")) ?? await inner.fetch(path, request),
    close: () => inner.close(),
  };
}

const isStatus = (path: string) => path.includes("/status?");
const isRecord = (path: string, method: string, body: string) =>
  method === "PATCH" && !isStatus(path) && body.includes("pintle.dev/");

/** Takes the schema of the spec out of the kind's definition: objects are stored that the operator cannot read. */
async function loosen(world: World, kind: WidgetKind): Promise<void> {
  const crd = kind.crd() as unknown as {
    spec: { versions: { schema: { openAPIV3Schema: { properties: object; required?: unknown } } }[] };
  };
  const schema = crd.spec.versions[0]!.schema.openAPIV3Schema;
  Object.assign(schema.properties, { spec: { type: "object", "x-kubernetes-preserve-unknown-fields": true } });
  delete schema.required;
  await world.client.apply(CRDS, crd as never, { force: true });
}

/** Creates an object that the operator cannot read, as soon as the looser schema is served. */
async function createUnreadable(world: World, kind: WidgetKind, namespace: string): Promise<void> {
  await world.until([CRDS], async () => {
    try {
      await createWidget(world, kind, namespace, "w", { size: "large" });
      return true;
    } catch {
      const touched = { metadata: { annotations: { at: crypto.randomUUID() } } };
      await world.client.patch(CRDS, { name: `widgets.${kind.group}` }, { type: "merge", body: touched });
      return false;
    }
  });
}

for (const code of [403, 404, 409, 422, 500, 503] as const) {
  for (const [what, refuses] of [["the status", isStatus], ["the record", isRecord]] as const) {
    Deno.test(`success is kept: ${what} is refused with ${code}, and no handler that succeeded is called again`, async () => {
      const calls: string[] = [], operator = new Operator("widgets");
      operator.on(Widget).create(({ status }) => {
        calls.push("create");
        status.set({ phase: "Made" });
      }, { id: "made" }).update(() => {}).reconcile(({ status }) => {
        calls.push("reconcile");
        status.set({ size: 7 });
      });
      await using world = await World.open(operator);
      let left = 12;
      const transport = answering(
        world.cluster.transport(),
        (path, method, body) => refuses(path, method, body) && left > 0 && left-- > 0 ? refusal(code) : undefined,
      );
      await world.start({ transport });
      const namespace = await world.namespace("a"), key = { namespace, name: "w" };
      await createWidget(world, Widget, namespace, "w");
      const done = await world.untilObject<WidgetObject>(
        Widget,
        key,
        ({ status, metadata }) =>
          status?.phase === "Made" && status.size === 7 && left === 0 &&
          conditionOf({ status }, "Ready")?.status === "True" &&
          metadata.annotations?.["widgets.pintle.dev/handled"] !== undefined,
      );
      await world.idle();
      assert.deepEqual(calls, ["create", "reconcile"], JSON.stringify(done.status));
      await world.stop();
      await world.start();
      await world.idle();
      assert.equal(calls.filter((call) => call === "create").length, 1, "nor by a later process");
    });
  }
}

/** A widget whose reconcile succeeds, behind an API server that refuses its status `times` times. */
async function refusedForAWhile(code: 422 | 500, times: number): Promise<{ refusals: number; ready: unknown }> {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ status }) => status.set({ size: 7 }));
  await using world = await World.open(operator);
  let left = times, refusals = 0;
  const transport = answering(world.cluster.transport(), (path, _method, body) => {
    if (isStatus(path) && body.includes("StatusRefused")) refusals++;
    return isStatus(path) && body.includes('"size"') && left > 0 && left-- > 0 ? refusal(code) : undefined;
  });
  await world.start({ transport });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await world.untilObject<WidgetObject>(Widget, key, ({ status }) => left === 0 && status?.size === 7);
  await world.idle();
  const widget: WidgetObject = await world.client.get(Widget, key);
  return { refusals, ready: conditionOf(widget, "Ready")?.reason };
}

// FR-261, FR-503
for (const code of [422, 500] as const) {
  Deno.test(`a status that was refused with ${code} and is taken later leaves no trace in Ready`, async () => {
    const { refusals, ready } = await refusedForAWhile(code, 4);
    assert.ok(refusals > 0, "Ready said so meanwhile");
    assert.equal(ready, "Reconciled");
  });
}

// FR-503
Deno.test("one failure of the server at a status write is no refusal, and Ready never says so", async () => {
  assert.deepEqual(await refusedForAWhile(500, 1), { refusals: 0, ready: "Reconciled" });
});

// FR-563
Deno.test("a failure that a former process reported ends although the first status of the next one is not written", async () => {
  let isBroken = true;
  const operator = new Operator("widgets");
  operator.on(Widget).field("spec.size", () => {
    if (isBroken) throw new PermanentError("too large", { reason: "TooLarge" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w", "False", "TooLarge");
  await world.kill();
  isBroken = false;
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  let left = 1;
  await world.start({
    transport: answering(world.cluster.transport(), (path) => isStatus(path) && left-- > 0 ? refusal(500) : undefined),
  });
  await untilReady(world, Widget, namespace, "w", "True", "Reconciled");
});

// FR-305
Deno.test("success is kept over a restart where the status can never be written", async () => {
  let calls = 0;
  const operator = new Operator("widgets");
  operator.on(Widget).create(() => void calls++);
  await using world = await World.open(operator);
  const transport = answering(world.cluster.transport(), (path) => isStatus(path) ? refusal(403) : undefined);
  await world.start({ transport });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  const handled = "widgets.pintle.dev/handled";
  await world.untilObject<WidgetObject>(Widget, key, ({ metadata }) => handled in (metadata.annotations ?? {}));
  await world.kill();
  await world.start({
    transport: answering(world.cluster.transport(), (path) => isStatus(path) ? refusal(403) : undefined),
  });
  await world.idle();
  assert.equal(calls, 1);
  await world.stop();
  await world.start();
  await untilReady(world, Widget, namespace, "w");
  assert.equal(calls, 1);
});

// FR-305
Deno.test("another handler's delay is kept where the status is refused", async () => {
  const calls: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).create(() => void calls.push("easy"), { id: "easy" }).create(() => {
    calls.push("hard");
    throw new TemporaryError("in an hour", { delay: "1h" });
  }, { id: "hard" });
  await using world = await World.open(operator);
  let refused = 0;
  const enough = Promise.withResolvers<void>();
  const transport = answering(world.cluster.transport(), (path) => {
    if (!isStatus(path)) return undefined;
    if (++refused >= 6) enough.resolve();
    return refusal(403);
  });
  await world.start({ transport });
  await createWidget(world, Widget, await world.namespace("a"), "w");
  await enough.promise;
  assert.deepEqual(calls, ["easy", "hard"]);
});

// FR-306
Deno.test("a timer does not defeat backoff: an object that cannot be read costs one pass, and its repair is noticed", async () => {
  const kind = widgetKind("controller-mended"), operator = new Operator("widgets"), ran: unknown[] = [];
  operator.on(kind).timer(() => void ran.push("tick"), { interval: "1h" }).create(({ spec }) =>
    void ran.push(`create ${spec.size}`)
  ).daemon(async ({ spec, stopped }) => {
    ran.push(`daemon ${spec.size}`);
    await new Promise<void>((resolve) => stopped.addEventListener("abort", () => resolve(), { once: true }));
  });
  await using world = await World.open(operator);
  await loosen(world, kind);
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createUnreadable(world, kind, namespace);
  await world.start();
  const unreadable = await world.untilObject<WidgetObject>(
    kind,
    key,
    (widget) => conditionOf(widget, "Ready")?.reason === "InvalidSpec",
  );
  assert.equal(conditionOf(unreadable, "Ready")?.observedGeneration, unreadable.metadata.generation);
  await world.idle();
  const passes = () => world.logs.filter(({ message }) => message === "pass starts").length;
  assert.ok(passes() <= 2, `${passes()}`);
  await world.client.patch(kind, key, { type: "merge", body: { spec: { size: 3 } } });
  await world.untilObject<WidgetObject>(kind, key, (widget) => conditionOf(widget, "Ready")?.status === "True");
  assert.deepEqual(ran.toSorted(), ["create 3", "daemon 3", "tick"]);
});

// FR-304
Deno.test("a finalizer that is refused backs off, whatever timers there are", async () => {
  const operator = new Operator("widgets");
  let refused = 0;
  operator.on(Widget).timer(() => {}, { interval: 1 }).delete(() => {});
  await using world = await World.open(operator);
  const enough = Promise.withResolvers<void>();
  const transport = answering(world.cluster.transport(), (path, method, body) => {
    if (method !== "PATCH" || isStatus(path) || !body.includes("finalizers")) return undefined;
    if (++refused >= 4) enough.resolve();
    return refusal(403);
  });
  await world.start({ transport, controller: { backoff: { initialMs: 40, maxMs: 1_000 } } });
  await createWidget(world, Widget, await world.namespace("a"), "w");
  await enough.promise;
  const delays = world.logs.filter(({ message }) => message === "reconcile will be retried").map(({ fields }) =>
    Number(fields.retryInMs)
  );
  assert.deepEqual(delays.slice(0, 3).map((ms) => Math.round(ms / 40)), [1, 2, 4]);
});

// FR-302
Deno.test("every handler that gave up or fails is named on the object, and each attempt is one line with its stack", async () => {
  const operator = new Operator("widgets"), huge = "x".repeat(5_000_000);
  operator.on(Widget)
    .create(() => {
      throw new TypeError(huge);
    }, { id: "huge", errors: "permanent" })
    .create(() => {
      throw null;
    }, { id: "null", errors: "permanent" })
    .create(() => {
      throw { foo: 1 };
    }, { id: "object", errors: "permanent" })
    .create(() => {
      throw new PermanentError("not sold");
    }, { id: "sold" })
    .create(() => {}, { id: "fine" });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const { message } = conditionOf(await untilReady(world, Widget, namespace, "w", "False"), "Ready")!;
  assert.match(message, /^huge: x+… \(5000000 characters\); null: null was thrown; object: {"foo":1}; sold: not sold$/);
  assert.ok(message.length < 8_192);
  const lines = world.logs.filter(({ level }) => level === "warn");
  assert.deepEqual(lines.map(({ fields }) => fields.handler), ["huge", "null", "object", "sold"]);
  assert.ok(JSON.stringify(lines).length < 20_000);
  assert.match(String(lines[0]!.fields.stack), /^TypeError: xxx/);
  assert.equal(lines[3]!.fields.stack, undefined, "thrown on purpose");
});

// FR-309
Deno.test("Ready: an update that no handler is for moves its generation, and a creation that was given up stays False", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).create(({ spec }) => {
    if (spec.size === 13) throw new PermanentError("unlucky", { reason: "Unlucky" });
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  for (const [name, size, truth] of [["good", 1, "True"], ["bad", 13, "False"]] as const) {
    const key = { namespace, name };
    await createWidget(world, Widget, namespace, name, { size });
    await untilReady(world, Widget, namespace, name, truth);
    await world.client.patch(Widget, key, { type: "merge", body: { spec: { note: "changed" } } });
    // As `kubectl wait` looks at it: a condition of an older generation does not count.
    const later = await world.untilObject<WidgetObject>(
      Widget,
      key,
      (widget) => conditionOf(widget, "Ready")?.observedGeneration === 2,
    );
    assert.deepEqual([conditionOf(later, "Ready")?.status, later.status?.observedGeneration], [truth, 2]);
    await world.stop();
    await world.start();
    await world.idle();
    assert.equal(conditionOf(await world.client.get<WidgetObject>(Widget, key), "Ready")?.status, truth, "restarted");
  }
});

// FR-309
Deno.test("Ready: with a reconcile or a timer beside it, a creation that was given up stays False, over a restart too", async () => {
  const operator = new Operator("widgets");
  let ticks = 0;
  operator.on(Widget).create(() => {
    throw new PermanentError("not sold", { reason: "NotSold" });
  }, { id: "made" }).reconcile(() => {}).timer(() => void ticks++, { interval: 20 });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w", "False", "NotSold");
  await world.stop();
  await world.start();
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { a: "b" } } } });
  const before = ticks;
  await world.until([Widget], () => Promise.resolve(ticks > before + 3 || touched(world, key)));
  assert.equal(conditionOf(await world.client.get<WidgetObject>(Widget, key), "Ready")?.reason, "NotSold");
});

/** Has something change, so that a wait looks again. */
async function touched(world: World, key: { namespace: string; name: string }): Promise<false> {
  await world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { at: crypto.randomUUID() } } } });
  return false;
}

// FR-309
Deno.test("Ready never claims a generation that its handlers have not seen", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).create(({ spec }) => {
    if (spec.size === 1) throw new TemporaryError("in an hour", { delay: "1h", reason: "Later" });
  }, { id: "made" });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 1 });
  await world.untilObject<WidgetObject>(Widget, key, (widget) => conditionOf(widget, "Ready")?.reason === "Later");
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 2 } } });
  await createWidget(world, Widget, namespace, "other", { size: 2 });
  await untilReady(world, Widget, namespace, "other");
  await world.idle();
  const waiting = await world.client.get<WidgetObject>(Widget, key);
  assert.deepEqual([waiting.metadata.generation, conditionOf(waiting, "Ready")?.observedGeneration], [2, 1]);
});

// FR-310
Deno.test("two children of one kind without names are an error that names both calls", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ apply }) => {
    await apply(ConfigMap, { data: { first: "1" } });
    await apply(ConfigMap, { data: { second: "2" } });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  const widget = await untilReady(world, Widget, namespace, "w", "False", "InvalidChild");
  assert.match(conditionOf(widget, "Ready")!.message, /apply\(\) number 1 of "reconcile" and apply\(\) number 2/);
});

// FR-310
Deno.test("a child that names its owner itself has one reference to it, its controller's", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ object, apply }) => {
    await apply(ConfigMap, { metadata: { ownerReferences: [ownerReference(object)] }, data: {} });
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  const child = await world.client.get<ConfigMapObject>(ConfigMap, { namespace, name: "w" });
  assert.deepEqual(child.metadata?.ownerReferences?.map(({ controller }) => controller), [true]);
});

// FR-310
Deno.test("prune deletes a child in spite of conflicts", async () => {
  const operator = new Operator("widgets");
  operator.on(Widget).reconcile(async ({ spec, name, apply, prune }) => {
    for (let part = 1; part <= spec.size; part++) {
      await apply(ConfigMap, { metadata: { name: `${name}-${part}` }, data: {} });
    }
    await prune();
  }, { owns: [ConfigMap] });
  await using world = await World.open(operator);
  let conflicts = 0;
  const transport = answering(
    world.cluster.transport(),
    (_path, method) => method === "DELETE" && conflicts < 6 && ++conflicts ? refusal(409) : undefined,
  );
  await world.start({ transport });
  const namespace = await world.namespace("a"), key = { namespace, name: "w" };
  await createWidget(world, Widget, namespace, "w", { size: 2 });
  await untilReady(world, Widget, namespace, "w");
  await world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 1 } } });
  await world.untilGone(ConfigMap, { namespace, name: "w-2" });
  await untilReady(world, Widget, namespace, "w");
  assert.equal(conflicts, 6, "within a pass, and by the next one");
});

// FR-307
Deno.test("what another writer writes between our read and our write is seen by the handler", async () => {
  const seen: string[] = [], operator = new Operator("widgets");
  operator.on(Widget).reconcile(({ object, status }) => {
    seen.push(`${object.status?.note ?? "-"} ${object.metadata.labels?.tier ?? "-"}`);
    status.set({ phase: "Ready" });
  });
  await using world = await World.open(operator);
  const strikes: ((key: { namespace: string; name: string }) => Promise<unknown>)[] = [
    ({ namespace, name }) => applyStatusAs(world, Widget, namespace, name, "theirs", { note: "theirs" }),
    (key) => world.client.patch(Widget, key, { type: "merge", body: { metadata: { labels: { tier: "gold" } } } }),
    (key) => world.client.patch(Widget, key, { type: "merge", body: { spec: { size: 1 } } }), // changes nothing
  ];
  const namespace = await world.namespace("a");
  let struck: string | undefined;
  const transport = answering(world.cluster.transport(), async (path) => {
    const name = /widgets\/(w\d)\/status/.exec(path)?.[1];
    if (!name || struck === name) return undefined;
    struck = name;
    await strikes[Number(name.slice(1))]!({ namespace, name });
    return undefined;
  });
  await world.start({ transport });
  for (const [index, last] of ["theirs -", "- gold", "- -"].entries()) {
    await createWidget(world, Widget, namespace, `w${index}`, { size: 1 });
    await untilReady(world, Widget, namespace, `w${index}`);
    await world.idle();
    assert.equal(seen.at(-1), last, `${index}: ${seen}`);
  }
});

Deno.test("a filter that throws is logged and backs off, and the object is handled once it no longer does", async () => {
  const seen: string[] = [], operator = new Operator("widgets");
  let failures = 3;
  operator.on(Widget).create(({ name }) => void seen.push(name)).timer(() => {}, { interval: 1 }).delete(() => {}, {
    when: () => {
      if (failures-- > 0) throw new TypeError("no such field");
      return false;
    },
  });
  await using world = await World.open(operator);
  await world.start();
  const namespace = await world.namespace("a");
  await createWidget(world, Widget, namespace, "w");
  await untilReady(world, Widget, namespace, "w");
  assert.deepEqual(seen, ["w"]);
  const errors = world.logs.filter(({ level }) => level === "error");
  assert.deepEqual(errors.map(({ fields }) => fields.error), Array(3).fill("no such field"));
});
