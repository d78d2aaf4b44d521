import assert from "node:assert/strict";
import { denoTests, type ScenarioContext, Suite } from "@pintle/pintle/testing";
import { Pod, ServiceAccount } from "@pintle/pintle";
import { testSource } from "../../tests/cluster.ts";
import { MemberList, operator } from "./operator.ts";

export const suite: Suite = new Suite("indexing", operator);
const roster = (app: string) => ({
  metadata: { name: app },
  spec: { app },
});

/** Makes pods once the namespace's account is there, without which a server makes none. */
async function makePods({ cluster, expect, ref }: ScenarioContext, ...names: [string, string | undefined][]) {
  await expect(ref(ServiceAccount, "default")).toExist();
  for (const [name, app] of names) {
    await cluster.create(Pod, {
      metadata: { name, labels: app === undefined ? {} : { app } },
      spec: { containers: [{ name: "main", image: "example.com/none" }] },
    });
  }
}

suite.scenario("a roster follows pods that come, change their app and go", async (scenario) => {
  const { given, when, then, cluster, expect, ref } = scenario;
  await given("pods of two apps, one of none, and a roster of each app", async () => {
    await makePods(scenario, ["a", "shop"], ["b", "shop"], ["c", "mail"], ["d", undefined]);
    for (const app of ["shop", "mail"]) await cluster.create(MemberList, roster(app));
  });
  const pods = (app: string, ...names: string[]) => expect(ref(MemberList, app)).toMatch({ status: { pods: names } });
  await then("each has its own", () => pods("shop", "a", "b").then(() => pods("mail", "c")));
  await when("one changes its app", () => cluster.patch(ref(Pod, "b"), { metadata: { labels: { app: "mail" } } }));
  await then("both follow", () => pods("shop", "a").then(() => pods("mail", "b", "c")));
  await when("one is deleted", () => cluster.delete(ref(Pod, "a")));
  await then("its roster is empty", () => pods("shop"));
});

suite.scenario("after a crash the index is whole before anybody reads it: nothing is written", async (scenario) => {
  const { given, when, then, cluster, operator, expect, ref } = scenario;
  await given("a roster of two", async () => {
    await makePods(scenario, ["a", "shop"], ["b", "shop"]);
    await cluster.create(MemberList, roster("shop"));
    await expect(ref(MemberList, "shop")).toMatch({ status: { pods: ["a", "b"] } });
    await expect(ref(MemberList, "shop")).toMatch({ status: { pending: 2 } });
    await operator.inProcess.idle();
  });
  await when("the operator is killed, and another one starts", async () => {
    await operator.restart();
    await operator.inProcess.idle();
  });
  await then("it had nothing to write", () => assert.deepEqual(operator.inProcess.writes, []));
}, { inProcess: true });

suite.scenario("a roster of no app is refused, and one of an app without pods is empty", async (scenario) => {
  const { given, then, cluster, expect, ref } = scenario;
  await then(
    "it is refused",
    () => assert.rejects(cluster.create(MemberList, { ...roster(""), metadata: { name: "x" } }), /spec\.app/),
  );
  await given("a roster of an unknown app", () => cluster.create(MemberList, roster("ghost")));
  await then("it is empty", () => expect(ref(MemberList, "ghost")).toMatch({ status: { pods: [], pending: 0 } }));
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
