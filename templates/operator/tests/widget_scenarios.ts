import { ConfigMap } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import { operator, Widget } from "../main.ts";

/** What Widgets do, on every kind of cluster. */
export const suite: Suite = new Suite("widgets", operator);

const door = (size: number) => ({ metadata: { name: "door" }, spec: { size } });

suite.scenario("a Widget gets a ConfigMap, and is Ready", async ({ given, then, cluster, expect, ref }) => {
  await given("a Widget", () => cluster.create(Widget, door(3)));
  await then("its ConfigMap shows it", async () => {
    await expect(ref(ConfigMap, "door")).toMatch({ data: { size: "3" } });
    await expect(ref(Widget, "door")).toHaveCondition("Ready", true);
  });
});

suite.scenario("a change is followed, and a lost ConfigMap restored", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario, child = ref(ConfigMap, "door");
  await given("a Widget that converged", async () => {
    await cluster.create(Widget, door(3));
    await expect(child).toExist();
  });
  await when("it grows", () => cluster.patch(ref(Widget, "door"), { spec: { size: 4, mode: "shiny" } }));
  await then("the ConfigMap follows", () => expect(child).toMatch({ data: { size: "4", mode: "shiny" } }));
  await when("the ConfigMap is deleted", () => cluster.delete(child));
  await then("it is back", () => expect(child).toMatch({ data: { size: "4" } }));
});

suite.scenario("what changed while the operator was down is followed when it starts again", async (scenario) => {
  const { given, when, then, cluster, expect, ref, operator } = scenario;
  await given("a Widget that converged", async () => {
    await cluster.create(Widget, door(3));
    await expect(ref(Widget, "door")).toHaveCondition("Ready", true);
  });
  await when("the operator is killed, the Widget grows, and the operator restarts", async () => {
    await operator.crash();
    await cluster.patch(ref(Widget, "door"), { spec: { size: 5 } });
    await operator.start();
  });
  await then("the ConfigMap follows", () => expect(ref(ConfigMap, "door")).toMatch({ data: { size: "5" } }));
}, { alone: true });
