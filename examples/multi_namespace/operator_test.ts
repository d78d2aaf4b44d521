import assert from "node:assert/strict";
import { denoTests, type ScenarioContext, Suite } from "@pintle/pintle/testing";
import { ConfigMap, Namespace } from "@pintle/pintle";
import { testSource } from "../../tests/cluster.ts";
import { COPY, operator, SHARED, SOURCE } from "./operator.ts";

export const suite: Suite = new Suite("multi namespace", operator);
const wants = { [SHARED]: "true" };
const settings = (data: Record<string, string>, labels: Record<string, string> = wants) => ({
  metadata: { name: "settings", labels },
  data,
});

/** Two namespaces that want copies, one that does not, and a source. */
async function begin({ given, cluster }: ScenarioContext): Promise<[string, string, string]> {
  return await given("two namespaces that want copies, one that does not, and a source", async () => {
    const names: string[] = [];
    for (const [name, labels] of [["a", wants], ["b", wants], ["c", {}]] as const) {
      names.push(await cluster.makeNamespace(name, labels));
    }
    await cluster.create(ConfigMap, settings({ color: "red" }));
    return names as [string, string, string];
  });
}

suite.scenario("copies follow their source and the wishes of namespaces, and go with the source", async (scenario) => {
  const { when, then, cluster, expect, ref, namespace } = scenario, [a, b, c] = await begin(scenario);
  const copy = (place: string) => expect(ref(ConfigMap, "settings", place));
  await then("two have copies", () => copy(a).toMatch({ data: { color: "red" } }).then(() => copy(b).toExist()));
  await when("the source changes", () => cluster.patch(ref(ConfigMap, "settings"), { data: { color: "blue" } }));
  await then("so do the copies", () => copy(b).toMatch({ data: { color: "blue" } }));
  await when("a copy is edited", () => cluster.patch(ref(ConfigMap, "settings", a), { data: { color: "grey" } }));
  await then("it is restored", () => copy(a).toMatch({ data: { color: "blue" } }));
  await when("the third wants one, too", () => cluster.patch(ref(Namespace, c), { metadata: { labels: wants } }));
  await then(
    "it gets one",
    () => copy(c).toMatch({ metadata: { annotations: { [SOURCE]: `${namespace}/settings` } } }),
  );
  await when(
    "one wants it no more",
    () => cluster.patch(ref(Namespace, a), { metadata: { labels: { [SHARED]: null } } }),
  );
  await then("its copy goes", () => copy(a).toBeGone());
  await when(
    "the source is shared no more",
    () => cluster.patch(ref(ConfigMap, "settings"), { metadata: { labels: { [SHARED]: null } } }),
  );
  await then("the copies go", () => copy(b).toBeGone().then(() => copy(c).toBeGone()));
  await when("it is shared again, and deleted", async () => {
    await cluster.patch(ref(ConfigMap, "settings"), { metadata: { labels: wants } });
    await copy(b).toExist();
    await cluster.delete(ref(ConfigMap, "settings"));
  });
  await then("the copies go with it", () => copy(b).toBeGone().then(() => copy(c).toBeGone()));
});

suite.scenario(
  "an object of that name that is not a copy is left alone and named, and the others are served",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario;
    const a = await given("a namespace with settings of its own", async () => {
      const name = await cluster.makeNamespace("a", wants);
      await cluster.create(ConfigMap, {
        ...settings({ mine: "yes" }, {}),
        metadata: { name: "settings", namespace: name },
      });
      return name;
    });
    const b = await given("another namespace", () => cluster.makeNamespace("b", wants));
    await when("settings are shared", () => cluster.create(ConfigMap, settings({ color: "red" })));
    await then("the other gets a copy", () => expect(ref(ConfigMap, "settings", b)).toExist());
    await then(
      "a warning names the first",
      () => expect(ref(ConfigMap, "settings")).toHaveEvents({ type: "Warning", reason: "Taken", note: new RegExp(a) }),
    );
    const own = await cluster.get(ref(ConfigMap, "settings", a));
    assert.deepEqual([own.data, own.metadata?.labels?.[COPY]], [{ mine: "yes" }, undefined]);
  },
);

suite.scenario("killed after any of its writes, the next one ends where it would have", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario;
  await operator.crash();
  const [a, b] = await begin(scenario);
  for (let nth = 1, struck = true; struck; nth++) {
    struck = false;
    await when(`the operator dies after write ${nth}`, async () => {
      const fault = (_: unknown, write: number) => write === nth ? (struck = true, "dieAfter" as const) : "pass";
      await operator.inProcess.start({ fault });
      await operator.inProcess.idleThenCrash();
    });
    await when("the next one starts", () => operator.start());
    for (const place of [a, b]) {
      await then(
        "there is a copy",
        () => expect(ref(ConfigMap, "settings", place)).toMatch({ data: { color: "red" } }),
      );
    }
    await given("everything from the beginning", async () => {
      await cluster.delete(ref(ConfigMap, "settings"));
      await expect(ref(ConfigMap, "settings")).toBeGone();
      for (const place of [a, b]) await expect(ref(ConfigMap, "settings", place)).toBeGone();
      await operator.crash();
      await cluster.create(ConfigMap, settings({ color: "red" }));
    });
  }
  await operator.start();
}, { inProcess: true });

denoTests(Deno.test, suite, { rbac: true, source: testSource });
