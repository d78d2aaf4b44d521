import { MASKED } from "../../lib/base/mask.ts";
import type { ConditionOptions } from "../../lib/controller/status_draft.ts";
import { StatusStorage } from "../../lib/handling/mod.ts";
import { ApiError } from "../../lib/client/mod.ts";
import { AdmissionError } from "../../lib/admission/mod.ts";
import assert from "node:assert/strict";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { TemporaryError } from "../../lib/base/mod.ts";
import { Operator, Secret, type SecretObject, watch } from "../../lib/operator/mod.ts";
import { type EventObject, EVENTS } from "../../lib/harness/expectation.ts";
import { assertMasked, base64, valueOf } from "../secret_values.ts";
import { World } from "../world.ts";
import { conditionOf, createWidget, untilReady, widgetKind, type WidgetObject } from "../widget.ts";

const Widget = widgetKind("secrets");
const SHORT = "admin-prod", VALUE = `${SHORT}-S3cr3t/+~"quoted"\nsecond-line-of-it`;
const passwordOf = (object: SecretObject) => valueOf(object, "password");

function secret(namespace: string, data: Record<string, string> = { user: SHORT, password: VALUE }): SecretObject {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)]));
  const metadata = { namespace, name: "login", labels: { of: "secrets-test" } };
  return { apiVersion: "v1", kind: "Secret", metadata, data: encoded } as SecretObject;
}

/** What an error may say of a value. */
const quoted = (value: string) =>
  `cannot log in with ${value}, ${JSON.stringify(value)}, ${value.slice(0, 13)}…, ${base64(`u:${value}`)} or ${
    encodeURIComponent(value)
  }`;

const key = (namespace: string) => ({ namespace, name: "login" });

for (
  const [way, declare] of Object.entries<(operator: Operator) => void>({
    "read": (operator) =>
      operator.on(Widget).create(async ({ client, namespace, status, events, log }) => {
        fail(passwordOf(await client.get<SecretObject>(Secret, key(namespace))), { status, events, log });
      }, { id: "login" }),
    "listed": (operator) =>
      operator.on(Widget).create(async ({ client, namespace, status, events, log }) => {
        const { items } = await client.list<SecretObject>(Secret, { namespace, labelSelector: "of=secrets-test" });
        fail(passwordOf(items[0]!), { status, events, log });
      }, { id: "login" }),
    "patched": (operator) =>
      operator.on(Widget).create(async ({ client, namespace, status, events, log }) => {
        const patch = { metadata: { labels: { touched: "yes" } } };
        fail(passwordOf(await client.patch<SecretObject>(Secret, key(namespace), { type: "merge", body: patch })), {
          status,
          events,
          log,
        });
      }, { id: "login" }),
    "watched": (operator) =>
      operator.on(Widget).reconcile(({ cached, namespace, status, events, log }) => {
        const held = cached(Secret).get(key(namespace)) as SecretObject | undefined;
        if (!held) throw new TemporaryError("not there yet");
        fail(passwordOf(held), { status, events, log });
      }, {
        watches: [watch(Secret, ({ metadata }) => [{ namespace: metadata!.namespace!, name: "w" }])],
      }),
  })
) {
  // FR-283
  Deno.test(`a value of a Secret that an operator ${way} is in no log line, Event, status or annotation that quotes it`, async () => {
    const operator = new Operator("secrets");
    declare(operator);
    await using world = await World.open(operator);
    const namespace = await world.namespace("a");
    await world.client.create(Secret, secret(namespace));
    await world.start();
    await createWidget(world, Widget, namespace, "w");
    const widget = await world.untilObject<WidgetObject>(
      Widget,
      { namespace, name: "w" },
      (each) => conditionOf(each, "Ready")?.message?.includes("cannot log in") === true,
    );
    await world.idle();
    const live = await world.client.get(Widget, { namespace, name: "w" });
    const { items: events } = await world.client.list<EventObject>(EVENTS, { namespace });
    assert.match(conditionOf(widget, "Ready")!.message!, /^cannot log in with \[secret\],/);
    assert.match(widget.status!.note!, /^note: cannot log in with \[secret\],/);
    assert.ok(events.some(({ note }) => note?.startsWith(`cannot log in with ${MASKED},`)), JSON.stringify(events));
    assert.ok(world.logs.some(({ message }) => message.startsWith(`tried: cannot log in with ${MASKED},`)));
    for (const [what, told] of Object.entries({ logs: world.logs, events, live })) {
      assertMasked(what, JSON.stringify(told), VALUE);
    }
  });
}

/** Says a value everywhere where a handler can say something, and throws it. */
function fail(
  value: string,
  { status, events, log }: {
    status: {
      set(fields: { note: string }): void;
      condition(options: ConditionOptions): void;
    };
    events: { warning(reason: string, message: string): void };
    log: { info(message: string, fields: Record<string, unknown>): void };
  },
): never {
  const text = quoted(value);
  status.set({ note: `note: ${text}` });
  status.condition({ type: "LoggedIn", status: false, reason: "Refused", message: text });
  events.warning("Refused", text);
  log.info(`tried: ${text}`, { value, nested: [{ value }], error: new Error(text) });
  throw new TemporaryError(text, { delay: "1h" });
}

// FR-283
Deno.test("the record of a handler's failure holds no value either, in annotations or in the status", async () => {
  for (const options of [{}, { storage: new StatusStorage() }]) {
    const operator = new Operator("secrets", options);
    operator.on(Widget).create(async ({ client, namespace }) => {
      throw new TemporaryError(quoted(passwordOf(await client.get<SecretObject>(Secret, key(namespace)))), {
        delay: "1h",
      });
    }, { id: "login" });
    await using world = await World.open(operator);
    const namespace = await world.namespace("a");
    await world.client.create(Secret, secret(namespace));
    await world.start();
    await createWidget(world, Widget, namespace, "w", { note: VALUE });
    await world.untilObject<WidgetObject>(
      Widget,
      { namespace, name: "w" },
      (each) => conditionOf(each, "Ready")?.status === "False",
    );
    await world.idle();
    const { spec, ...rest } = await world.client.get<WidgetObject>(Widget, { namespace, name: "w" });
    assertMasked("the object", JSON.stringify(rest), VALUE);
    assert.equal(spec.note, VALUE);
  }
});

// FR-284
Deno.test("what an object contains stays in its status, though a Secret holds the same", async () => {
  const operator = new Operator("secrets");
  operator.on(Widget).reconcile(async ({ client, namespace, name, spec, status }) => {
    await client.get(Secret, key(namespace));
    status.set({ note: spec.note, phase: name });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  await world.client.create(Secret, secret(namespace, { host: "db.example.com", name: "frontend-db" }));
  await world.start();
  await createWidget(world, Widget, namespace, "frontend-db", { note: "db.example.com" });
  const { status } = await untilReady(world, Widget, namespace, "frontend-db");
  assert.deepEqual([status!.note, status!.phase], ["db.example.com", "frontend-db"]);
});

// FR-283
Deno.test("a masked status is written once, not with every reconcile", async () => {
  const operator = new Operator("secrets");
  operator.on(Widget).reconcile(async ({ client, namespace, status }) => {
    status.set({ note: passwordOf(await client.get<SecretObject>(Secret, key(namespace))) });
  });
  await using world = await World.open(operator);
  const namespace = await world.namespace("a");
  await world.client.create(Secret, secret(namespace));
  await world.start();
  await createWidget(world, Widget, namespace, "w");
  assert.equal((await untilReady(world, Widget, namespace, "w")).status!.note, MASKED);
  const touch = { metadata: { labels: { touched: "yes" } } };
  await world.client.patch(Widget, { namespace, name: "w" }, { type: "merge", body: touch });
  await world.idle();
  assert.equal(world.writes.filter(({ path }) => path.includes("/status")).length, 1);
});

// FR-285
Deno.test("a refusal by an admission webhook keeps its name and its message, and masks what was sent", async () => {
  const operator = new Operator("secrets-policy");
  operator.on(Secret).validate(({ object }) => {
    throw new AdmissionError(
      `rotate the password ${passwordOf(object as SecretObject)} of ${object.metadata?.name} first`,
      { code: 422 },
    );
  }, { id: "no-weak-passwords", labels: { of: "secrets-test" }, operations: ["CREATE"] });
  await using world = await World.open(operator);
  await world.start();
  await assert.rejects(world.client.create(Secret, secret(world.home)), (error: unknown) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.match(error.message, /no-weak-passwords.*denied the request: rotate the password \[secret\] of login first/);
    assertMasked("the error", Deno.inspect(error), VALUE);
    return true;
  });
  assertMasked("the log", JSON.stringify(world.logs), VALUE);
});

Deno.test({
  // FR-285
  name: "a refusal by a ValidatingAdmissionPolicy keeps its name and its message, and masks what was sent",
  fn: async () => {
    await using world = await World.open(new Operator("secrets"));
    const name = `${world.prefix}-policy`, group = "admissionregistration.k8s.io", version = "v1";
    const policies = {
      group,
      version,
      kind: "ValidatingAdmissionPolicy",
      plural: "validatingadmissionpolicies",
      namespaced: false,
    };
    const bindings = {
      ...policies,
      kind: "ValidatingAdmissionPolicyBinding",
      plural: "validatingadmissionpolicybindings",
    };
    const resourceRules = [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["secrets"] }];
    const sent = secret(world.home, { password: VALUE.split("\n")[0]! }); // a message has one line
    const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": world.home } };
    const messageExpression = "'rotate ' + string(object.data.password) + ' first'";
    await world.client.create(policies, {
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules, namespaceSelector },
        validations: [{ expression: "false", message: "rotate it first", messageExpression }],
      },
    } as KubeObject);
    await world.client.create(
      bindings,
      { metadata: { name }, spec: { policyName: name, validationActions: ["Deny"] } } as KubeObject,
    );
    try {
      let told: unknown;
      // A policy holds some moments after it was made.
      await world.until([policies], async () => {
        told = await world.client.create(Secret, sent, { dryRun: true }).then(
          () => undefined,
          (error) => error,
        );
        if (told === undefined) {
          await world.client.patch(policies, { name }, {
            type: "merge",
            body: { metadata: { labels: { at: crypto.randomUUID() } } },
          });
        }
        return told !== undefined;
      });
      assert.ok(told instanceof ApiError, String(told));
      assert.match(
        told.message,
        new RegExp(`ValidatingAdmissionPolicy '${name}'.* denied request: rotate \\[secret\\]=* first`),
      );
      assertMasked("the error", Deno.inspect(told), VALUE);
    } finally {
      await world.client.delete(bindings, { name });
      await world.client.delete(policies, { name });
    }
  },
});
