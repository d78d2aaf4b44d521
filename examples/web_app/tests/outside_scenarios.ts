import assert from "node:assert/strict";
import { Suite } from "@pintle/pintle/testing";
import { operator } from "../operator.ts";
import { WebApp, type WebAppObject } from "../web_app.ts";
import { FakeOutside } from "./fake_outside.ts";

export const outside = new Suite("outside", {
  world: () => new FakeOutside(),
  operator: ({ dns, ask }) => operator({ dns, ask, pause: "50ms" }),
});

const host = "shop.example.com";
const shop = { metadata: { name: "shop" }, spec: { image: "registry.k8s.io/pause:3.10", host } };

outside.scenario("a host is registered, and removed with its app", async (scenario) => {
  const { given, when, then, cluster, expect, ref, world, namespace } = scenario, app = ref(WebApp, "shop");
  await given("an app that is handled", async () => {
    await cluster.create(WebApp, shop);
    await expect(app).toMatch({ status: { observedGeneration: 1 } });
  });
  await then("its host is registered", () => assert.equal(world.records.get(host), `shop.${namespace}`));
  await when("it is deleted", () => cluster.delete(app));
  await then("it goes, and its record with it", async () => {
    await expect(app).toBeGone();
    assert.equal(world.records.size, 0);
  });
});

outside.scenario("an app stays until the registry has removed its record", async (scenario) => {
  const { given, when, then, cluster, expect, ref, world } = scenario, app = ref(WebApp, "shop");
  await given("an app that is handled", async () => {
    await cluster.create(WebApp, shop);
    await expect(app).toMatch({ status: { observedGeneration: 1 } });
  });
  await when("the registry fails, and the app is deleted", async () => {
    world.isDown = true;
    await cluster.delete(app);
  });
  await then("the app says what it waits for", async () => {
    const isWaiting = ({ status }: WebAppObject) => !!status?.conditions?.some(({ reason }) => reason === "DnsFailed");
    await expect(app).toSatisfy("to wait for the registry", isWaiting);
  });
  await when("the registry is back", () => void (world.isDown = false));
  await then("the app goes, and its record with it", async () => {
    await expect(app).toBeGone();
    assert.equal(world.records.size, 0);
  });
});

outside.scenario("an app that stops answering says so", async ({ given, when, then, cluster, expect, ref, world }) => {
  const app = ref(WebApp, "shop");
  await given("an app", () => cluster.create(WebApp, shop));
  await then("it answers", () => expect(app).toHaveCondition("Reachable", true));
  await when("it stops answering", () => void (world.answers = false));
  await then("it says so", () => expect(app).toHaveCondition("Reachable", false, { reason: "Silent" }));
});
