// FR-171
import assert from "node:assert/strict";
import { VirtualClock } from "../../lib/base/mod.ts";
import type { KubeObject } from "../../lib/apimachinery/mod.ts";
import { EmbeddedApiServer } from "../../lib/apiserver/mod.ts";
import { Client } from "../../lib/client/mod.ts";
import { ConfigMap, Deployment, Namespace, Secret } from "../../lib/operator/mod.ts";
import { EVENTS, Expectation, NotYetError } from "../../lib/harness/mod.ts";
import type { Ref, TypedResource } from "../../lib/harness/mod.ts";

const HIDDEN = "swordfish";

/** A server on a virtual clock, and expectations about objects in its namespace `home`. */
class Home implements Disposable {
  readonly clock = new VirtualClock();
  readonly server = new EmbeddedApiServer({ clock: this.clock });
  readonly client = new Client(this.server.transport(), { fieldManager: "test", clock: this.clock });

  static async open(): Promise<Home> {
    const home = new Home();
    await home.client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: "home" } });
    return home;
  }

  expect<T extends KubeObject>(resource: TypedResource<T>, name: string): Expectation<T> {
    const ref: Ref<T> = { resource, key: resource.namespaced ? { namespace: "home", name } : { name } };
    return new Expectation(ref, { client: this.client, clock: this.clock, waitMsMax: 60_000 });
  }

  configMap(name: string, data: Record<string, string> = {}, finalizers: string[] = []): Promise<KubeObject> {
    const metadata = { name, namespace: "home", finalizers };
    return this.client.apply(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata, data }, { force: true });
  }

  /** A Deployment at generation 1 whose status is as given. */
  async deployment(name: string, status: object): Promise<void> {
    const metadata = { name, namespace: "home" }, labels = { app: name };
    const spec = {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } },
    };
    await this.client.create(Deployment, { apiVersion: "apps/v1", kind: "Deployment", metadata, spec } as never);
    await this.status(name, status);
  }

  async status(name: string, status: object): Promise<void> {
    const path = `/apis/apps/v1/namespaces/home/deployments/${name}/status`;
    await this.client.raw(path, {
      method: "PATCH",
      body: { status } as never,
      contentType: "application/merge-patch+json",
    });
  }

  event(name: string, type: string, reason: string, note: string): Promise<unknown> {
    const regarding = { kind: "ConfigMap", namespace: "home", name };
    return this.client.create(EVENTS, {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: `${name}-${reason.toLowerCase()}`, namespace: "home" },
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "test",
      reportingInstance: "test",
      action: reason,
      type,
      reason,
      note,
      regarding,
    } as never);
  }

  /** The message with which an expectation fails once its time is over. */
  async message(expected: Promise<unknown>): Promise<string> {
    const message = expected.then(() => assert.fail("it held"), (error) => {
      assert.ok(error instanceof NotYetError, error);
      return error.message;
    });
    await this.clock.advance(60_000);
    return await message;
  }

  [Symbol.dispose](): void {
    this.server.close();
  }
}

Deno.test("toExist waits for the object and returns it", async () => {
  using home = await Home.open();
  const expected = home.expect(ConfigMap, "a").toExist();
  await home.configMap("a", { key: "x" });
  assert.equal((await expected).data?.key, "x");
  assert.equal(
    await home.message(home.expect(ConfigMap, "b").toExist()),
    "expected ConfigMap home/b to exist: not within 1m; last seen:\n  it does not exist",
  );
});

Deno.test("toBeGone waits until the object is gone, and names what holds it", async () => {
  using home = await Home.open();
  await home.expect(ConfigMap, "a").toBeGone();
  await home.configMap("a", {}, ["example.com/hold"]);
  const key = { namespace: "home", name: "a" };
  assert.match(await home.message(home.expect(ConfigMap, "a").toBeGone()), /last seen:\n {2}it is there, held by/);
  await home.client.delete(ConfigMap, key);
  assert.match(
    await home.message(home.expect(ConfigMap, "a").toBeGone()),
    /last seen:\n {2}it is there, being deleted since 2026-\S+, held by example\.com\/hold$/,
  );
  const gone = home.expect(ConfigMap, "a").toBeGone();
  await home.client.patch(ConfigMap, key, { type: "merge", body: { metadata: { finalizers: null } } as never });
  await gone;
});

Deno.test("toMatch waits for the pattern and returns the object; else it names each field", async () => {
  using home = await Home.open();
  await home.configMap("a", { key: "one" });
  const expected = home.expect(ConfigMap, "a").toMatch({ data: { key: /^t/ } });
  await home.configMap("a", { key: "two" });
  assert.equal((await expected).data?.key, "two");
  assert.equal(
    await home.message(home.expect(ConfigMap, "a").toMatch({ data: { key: "three", more: "x" } })),
    "expected ConfigMap home/a to match: not within 1m; last seen:\n" +
      `  data.key: expected "three", found "two"\n  data.more: expected "x", found nothing`,
  );
});

Deno.test("toSatisfy waits for a free condition, one that throws at first too, and shows the object without noise", async () => {
  using home = await Home.open();
  await home.configMap("a");
  const expected = home.expect(ConfigMap, "a").toSatisfy("to be long", ({ data }) => data!.key!.length > 3);
  await home.configMap("a", { key: "long enough" });
  await expected;
  const message = await home.message(
    home.expect(ConfigMap, "a").toSatisfy("to be short", () => {
      throw new Error("it is long");
    }),
  );
  assert.match(message, /^expected ConfigMap home\/a to be short: [^]*the condition threw: it is long\n {2}\{/);
  assert.match(message, /"key": "long enough"/);
  assert.doesNotMatch(message, /managedFields/);
  await home.configMap("a", { key: "y".repeat(100_000) });
  assert.ok((await home.message(home.expect(ConfigMap, "a").toSatisfy("to be short", () => false))).length < 5_000);
});

Deno.test("no expectation about a Secret shows its values, whatever fails", async () => {
  using home = await Home.open();
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": `{"stringData":{"key":"${HIDDEN}"}}` };
  const metadata = { name: "a", namespace: "home", annotations, finalizers: ["example.com/hold"] };
  await home.client.create(Secret, { apiVersion: "v1", kind: "Secret", metadata, stringData: { key: HIDDEN } });
  const failing = [
    home.expect(Secret, "a").toMatch({ data: { key: "x" } }),
    home.expect(Secret, "a").toMatch({ metadata: { annotations: undefined } } as never),
    home.expect(Secret, "a").toSatisfy("to be right", () => false),
    home.expect(Secret, "a").toSatisfy("to be right", ({ data }) => {
      throw new Error(`${data!.key} is wrong`);
    }),
    home.expect(Secret, "a").toBeGone(),
    home.expect(Secret, "a").toHaveCondition("Ready"),
    home.expect(Secret, "a").toHaveEvents({ reason: "Wrong" }),
  ].map((each) => each.then(() => "it held", (error: Error) => error.message));
  await home.clock.advance(60_000);
  for (const message of await Promise.all(failing)) {
    assert.match(message, /^expected Secret home\/a /);
    for (const trace of [HIDDEN, btoa(HIDDEN)]) assert.ok(!message.includes(trace), message);
  }
  assert.match((await Promise.all(failing))[2]!, /"data": \[\n\s+"key"\n/, "the names of the values are told");
});

Deno.test("toHaveCondition checks type, status, reason and message", async () => {
  using home = await Home.open();
  const conditions = [{ type: "Available", status: "False", reason: "Starting", message: "0 of 1 pods" }];
  await home.deployment("a", { conditions });
  const expect = () => home.expect(Deployment, "a");
  await expect().toHaveCondition("Available", false);
  await expect().toHaveCondition("Available", false, { reason: "Starting", message: /0 of/ });
  for (
    const [failing, told] of [
      [() => expect().toHaveCondition("Available"), "Available=True"],
      [() => expect().toHaveCondition("Available", "Unknown"), "Available=Unknown"],
      [() => expect().toHaveCondition("Available", false, { reason: "Stopped" }), "Available=False (Stopped)"],
      [() => expect().toHaveCondition("Available", false, { message: "1 of 1" }), "Available=False"],
    ] as const
  ) {
    const message = await home.message(failing());
    assert.ok(message.startsWith(`expected Deployment home/a to have condition ${told}: `), message);
    assert.match(message, /last seen:\n {2}Available=False \(Starting\): 0 of 1 pods$/);
  }
  assert.match(
    await home.message(expect().toHaveCondition("Ready")),
    /last seen:\n {2}it has no such condition; its conditions: Available$/,
  );
});

Deno.test("a condition of an older generation does not count, and the message states that", async () => {
  using home = await Home.open();
  const conditions = [{ type: "Available", status: "True", reason: "Done", message: "all" }];
  await home.deployment("a", { observedGeneration: 1, conditions });
  await home.expect(Deployment, "a").toHaveCondition("Available");
  await home.client.patch(Deployment, { namespace: "home", name: "a" }, {
    type: "merge",
    body: { spec: { replicas: 2 } } as never,
  });
  assert.match(
    await home.message(home.expect(Deployment, "a").toHaveCondition("Available")),
    /Available=True \(Done\): all\n {2}it is for generation 1, the object has generation 2$/,
  );
  const expected = home.expect(Deployment, "a").toHaveCondition("Available");
  await home.status("a", { observedGeneration: 2 });
  await expected;
});

Deno.test("a condition's own generation goes before that of the status", async () => {
  using home = await Home.open();
  const conditions = [{ type: "Ready", status: "True", reason: "A", message: "", observedGeneration: 2 }];
  const object = { metadata: { name: "a", generation: 3 }, status: { observedGeneration: 3, conditions } };
  // No built-in kind that the server checks has such a condition.
  home.client.find = <T>() => Promise.resolve(object as T);
  const message = await home.message(home.expect(ConfigMap, "a").toHaveCondition("Ready"));
  assert.match(message, /it is for generation 2, the object has generation 3$/);
});

Deno.test("toHaveEvents waits for each Event about the object, and lists the present ones", async () => {
  using home = await Home.open();
  await home.configMap("a");
  await home.event("other", "Normal", "Applied", "not about a");
  await home.event("a", "Warning", "Huge", "size 1001");
  const expected = home.expect(ConfigMap, "a").toHaveEvents({ reason: "Huge", note: /1001/ }, {
    type: "Normal",
    reason: "Applied",
  });
  await home.event("a", "Normal", "Applied", "done");
  await expected;
  assert.equal(
    await home.message(
      home.expect(ConfigMap, "a").toHaveEvents({ type: "Normal", reason: "Huge" }, { reason: "Huge" }),
    ),
    "expected ConfigMap home/a to have Events: not within 1m; last seen:\n  missing: Normal Huge\n" +
      "  Normal Applied: done\n  Warning Huge: size 1001",
  );
  assert.match(
    await home.message(home.expect(ConfigMap, "b").toHaveEvents({ reason: "Huge" })),
    /missing: Huge\n {2}no Event about it$/,
  );
});
