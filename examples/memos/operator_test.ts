import assert from "node:assert/strict";
import { denoTests, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { operator, Translation } from "./operator.ts";

/** A translator of one scenario, which may be out of service. */
class Translator {
  readonly asked: string[] = [];
  isBroken = false;
  translate(text: string, language: string): Promise<string> {
    return Promise.try(() => {
      if (this.isBroken) throw new Error("out of service");
      this.asked.push(`${language}:${text}`);
      return `${language}:${text}!`;
    });
  }
}

export const suite = new Suite("memos", {
  world: () => new Translator(),
  operator: (translator) => operator((text, language) => translator.translate(text, language)),
});

const translation = (name: string, text: string) => ({
  metadata: { name },
  spec: { text, language: "de" },
});

suite.scenario(
  "the same text is never paid for twice: not for a label, not for another object, only for another text",
  async (scenario) => {
    const translator = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario;
    await given("two translations of one text", async () => {
      await cluster.create(Translation, translation("a", "door"));
      await expect(ref(Translation, "a")).toMatch({ status: { text: "de:door!" } });
      await cluster.create(Translation, translation("b", "door"));
      await expect(ref(Translation, "b")).toMatch({ status: { text: "de:door!" } });
    });
    await when("one gets a label", async () => {
      await cluster.patch(ref(Translation, "a"), { metadata: { labels: { x: "y" } } });
      await operator.inProcess.idle();
    });
    await then("one question was asked", () => assert.deepEqual(translator.asked, ["de:door"]));
    await when("one changes its text", () => cluster.patch(ref(Translation, "a"), { spec: { text: "window" } }));
    await then("it is translated", () => expect(ref(Translation, "a")).toMatch({ status: { text: "de:window!" } }));
    assert.deepEqual(translator.asked, ["de:door", "de:window"]);
  },
  { inProcess: true },
);

suite.scenario("an object that is created again under its name has a memo of its own", async (scenario) => {
  const translator = scenario.world;
  const { given, when, then, cluster, expect, ref } = scenario, a = ref(Translation, "a");
  await given("a translation that is deleted", async () => {
    await cluster.create(Translation, translation("a", "door"));
    await expect(a).toMatch({ status: { text: "de:door!" } });
    await cluster.delete(a);
    await expect(a).toBeGone();
  });
  await when("another one of that name is made", () => cluster.create(Translation, translation("a", "roof")));
  await then("it has its own text", () => expect(a).toMatch({ status: { text: "de:roof!" } }));
  assert.deepEqual([...new Set(translator.asked)], ["de:door", "de:roof"]);
});

suite.scenario(
  "a failure is not remembered, and a crash forgets what was; what the object says stays",
  async (scenario) => {
    const translator = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario, a = ref(Translation, "a");
    translator.isBroken = true;
    await given("a translator that is out of service", () => cluster.create(Translation, translation("a", "door")));
    await then("the object says so", () => expect(a).toHaveCondition("Ready", false, { message: /out of service/ }));
    await when("it is mended", () => void (translator.isBroken = false));
    await then("it is translated", () => expect(a).toMatch({ status: { text: "de:door!" } }));
    await when("the operator is killed, and the next one starts", async () => {
      await operator.restart();
      await operator.inProcess.idle();
    });
    assert.deepEqual(translator.asked, ["de:door", "de:door"], "the next process pays again");
    assert.deepEqual(operator.inProcess.writes, [], "and has nothing to write");
  },
  { inProcess: true },
);

suite.scenario("a language that is none is refused by the server", async ({ then, cluster }) => {
  const bad = { ...translation("a", "door"), spec: { text: "door", language: "German" } };
  await then("it is refused", () => assert.rejects(cluster.create(Translation, bad), /spec\.language/));
});

denoTests(Deno.test, suite, { rbac: true, source: testSource });
