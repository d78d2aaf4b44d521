// FR-262
import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Greeting, operator } from "./operator.ts";

export const suite: Suite = new Suite("minimal", operator);
const greeting = (spec: { to: string }) => ({
  metadata: { name: "first" },
  spec,
});

suite.scenario("a Greeting is noticed once, and a restart notices nothing new", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref, logs } = scenario;
  const said = () => logs.filter(({ message }) => message === "hello world").length;
  await given("a Greeting", () => cluster.create(Greeting, greeting({ to: "world" })));
  await then("it is handled", () => expect(ref(Greeting, "first")).toHaveCondition("Ready"));
  await when("another operator takes over", async () => {
    await operator.restart();
    await operator.inProcess.idle();
  });
  await then("hello was said once, and nothing written by the second one", () => {
    assert.deepEqual([said(), operator.inProcess.writes], [1, []]);
  });
}, { inProcess: true });

suite.scenario(
  "a Greeting without a name is refused by the server, and the field is named",
  async ({ then, cluster }) => {
    await then("it is refused", () => assert.rejects(cluster.create(Greeting, greeting({ to: "" })), /spec\.to/));
  },
);

suite.scenario("a Greeting that was made while no operator ran is noticed by the next", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario;
  await given("no operator, and a Greeting", async () => {
    await operator.crash();
    await cluster.create(Greeting, greeting({ to: "moon" }));
  });
  await when("one starts", () => operator.start());
  await then("it is handled", () => expect(ref(Greeting, "first")).toHaveCondition("Ready"));
}, { alone: true });

denoTests(Deno.test, suite, { rbac: true, source: testSource });
