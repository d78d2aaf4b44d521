import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { ConfigMap } from "@pintle/pintle";
import { testSource } from "../../tests/cluster.ts";
import { operator, Site } from "./operator.ts";

export const suite: Suite = new Suite("children", operator);
const site = (pages: Record<string, string>) => ({
  metadata: { name: "docs" },
  spec: { pages },
});

suite.scenario(
  "pages come, change and go, a neighbour's ConfigMap stays, and all pages go with their site",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario, docs = ref(Site, "docs");
    const start = ref(ConfigMap, "docs-start"), how = ref(ConfigMap, "docs-how-to-begin");
    await given("a site of two pages, and a neighbour with the same label", async () => {
      const metadata = { name: "docs-neighbour", labels: { "examples.pintle.dev/site": "docs" } };
      await cluster.create(ConfigMap, { metadata, data: {} });
      await cluster.create(Site, site({ Start: "hello", "How to begin?": "just do" }));
    });
    await then("there are two", () => expect(how).toMatch({ data: { title: "How to begin?", text: "just do" } }));
    const first = await then("the first one", () => expect(start).toMatch({ data: { text: "hello" } }));
    await when(
      "one goes, another changes",
      () => cluster.patch(docs, { spec: { pages: { "How to begin?": null, Start: "good day" } } }),
    );
    await then("its ConfigMap goes", () => expect(how).toBeGone());
    await then(
      "the other one changes in place",
      () => expect(start).toMatch({ data: { text: "good day" }, metadata: { uid: first.metadata!.uid! } }),
    );
    await then("the neighbour is there", () => expect(ref(ConfigMap, "docs-neighbour")).toExist());
    await when("a page is deleted", () => cluster.delete(start));
    await then(
      "it comes back",
      () => expect(start).toSatisfy("to be a new one", ({ metadata }) => metadata?.uid !== first.metadata?.uid),
    );
    await when("the site goes", () => cluster.delete(docs));
    await then("its pages go", () => expect(start).toBeGone());
  },
);

suite.scenario(
  "a page that went while the operator was down, or in its crash, goes with the next one",
  async (scenario) => {
    const { given, when, then, cluster, operator, expect, ref } = scenario, docs = ref(Site, "docs");
    await given("a site of three pages", async () => {
      await cluster.create(Site, site({ a: "1", b: "2", c: "3" }));
      await expect(docs).toMatch({ status: { pages: 3 } });
    });
    await when("two go while the operator is down, and the next one dies after the first deletion", async () => {
      await operator.crash();
      await cluster.patch(docs, { spec: { pages: { a: null, b: null } } });
      await operator.inProcess.start({ fault: ({ method }) => method === "DELETE" ? "dieAfter" : "pass" });
      await operator.inProcess.idleThenCrash();
    });
    await when("another one starts", () => operator.start());
    for (const name of ["docs-a", "docs-b"]) {
      await then(`${name} is gone`, () => expect(ref(ConfigMap, name)).toBeGone());
    }
    await then("the next one said so", () => expect(docs).toHaveEvents({ reason: "PageGone", note: /^docs-[ab]$/ }));
    await then("all is well", () => expect(docs).toMatch({ status: { pages: 1 } }));
  },
  { inProcess: true },
);

suite.scenario(
  "a ConfigMap that another controller has is left as it is, and the site says whose it is",
  async (scenario) => {
    const { given, when, then, cluster, expect, ref } = scenario,
      docs = ref(Site, "docs"),
      theirs = ref(ConfigMap, "docs-a");
    await given("a ConfigMap of another controller", async () => {
      const boss = await cluster.create(ConfigMap, { metadata: { name: "boss" } });
      const owner = { apiVersion: "v1", kind: "ConfigMap", name: "boss", uid: boss.metadata!.uid!, controller: true };
      await cluster.create(ConfigMap, {
        metadata: { name: "docs-a", ownerReferences: [owner] },
        data: { theirs: "yes" },
      });
    });
    await when("a page wants its name", () => cluster.create(Site, site({ a: "1" })));
    await then("the site says so", () => expect(docs).toHaveCondition("Ready", false, { message: /docs-a/ }));
    assert.deepEqual((await cluster.get(theirs)).data, { theirs: "yes" });
  },
);

denoTests(Deno.test, suite, { rbac: true, source: testSource });
