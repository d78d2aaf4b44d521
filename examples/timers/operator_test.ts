import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Countdown, operator } from "./operator.ts";

export const suite: Suite = new Suite("timers", () => operator({ interval: "40ms" }));
const countdown = (spec: { from: number; held?: boolean }) => ({
  metadata: { name: "start" },
  spec,
});

suite.scenario("a countdown ends at zero, says so once, and is left alone from then on", async (scenario) => {
  const { given, then, cluster, operator, expect, ref } = scenario, start = ref(Countdown, "start");
  await given("a countdown from four", () => cluster.create(Countdown, countdown({ from: 4 })));
  await then("it comes to zero", () => expect(start).toMatch({ status: { left: 0 } }));
  await then("an Event says so", () => expect(start).toHaveEvents({ reason: "LiftOff", note: "after 4" }));
  await operator.inProcess.idle();
  const statuses = operator.inProcess.writes.filter(({ path }) => path.includes("/status"));
  assert.equal(statuses.length, 4, "one write for each tick");
}, { inProcess: true });

suite.scenario("killed on its way, it goes on where it was", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario, start = ref(Countdown, "start");
  await given("a countdown from twelve", () => cluster.create(Countdown, countdown({ from: 12 })));
  await when("it is on its way", () => expect(start).toSatisfy("to be below twelve", (it) => it.status!.left! < 12));
  await when("the operator is killed", () => operator.crash());
  const left = (await cluster.get(start)).status!.left!;
  await when("the next one starts", () => operator.start());
  await then("it comes to zero", () => expect(start).toMatch({ status: { left: 0 } }));
  await operator.inProcess.idle();
  const statuses = operator.inProcess.writes.filter(({ path }) => path.includes("/status"));
  assert.equal(statuses.length, left, "in as many ticks as were left");
}, { inProcess: true });

suite.scenario("one that is held says so, and goes on when it is let go", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario, start = ref(Countdown, "start");
  await given("a countdown that is held", () => cluster.create(Countdown, countdown({ from: 2, held: true })));
  await then("it says so", () => expect(start).toHaveCondition("Ready", false, { reason: "Held" }));
  await when("it is let go", () => cluster.patch(start, { spec: { held: false } }));
  await then("it comes to zero", () => expect(start).toMatch({ status: { left: 0 } }));
  await then("all is well", () => expect(start).toHaveCondition("Ready"));
});

suite.scenario("a countdown from nowhere is refused by the server", async ({ then, cluster }) => {
  await then("it is refused", () => assert.rejects(cluster.create(Countdown, countdown({ from: 0 })), /spec\.from/));
});

const forgetful = new Suite("timers", () => operator({ interval: "20ms", forgotten: "300ms" }));
forgetful.scenario("an object that is not touched gets an Event", async ({ given, then, cluster, expect, ref }) => {
  await given("a countdown from one", () => cluster.create(Countdown, countdown({ from: 1 })));
  await then("an Event tells it", () => expect(ref(Countdown, "start")).toHaveEvents({ reason: "Forgotten" }));
});

for (const each of [suite, forgetful]) denoTests(Deno.test, each, { rbac: true, source: testSource });
