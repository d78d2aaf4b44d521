import assert from "node:assert/strict";
import { denoTests, type ScenarioContext, Suite } from "@pintle/pintle/testing";
import { testSource } from "../../tests/cluster.ts";
import { Bucket, KOPF_FINALIZER, operator } from "./operator.ts";

/** Buckets in memory. */
class FakeBuckets {
  readonly #calls: string[] = [];

  /** In order; a retry repeats one. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  make(_id: string, region: string): Promise<void> {
    return this.#call(`make ${region}`);
  }
  change(_id: string, what: readonly string[]): Promise<void> {
    return this.#call(`change ${what}`);
  }
  remove(): Promise<void> {
    return this.#call("remove");
  }
  #call(call: string): Promise<void> {
    this.#calls.push(call);
    return Promise.resolve();
  }
}

export const suite = new Suite("kopf migration", {
  world: () => new FakeBuckets(),
  operator: (buckets) => operator(buckets),
});

/** A bucket as Kopf 1.45 leaves it behind: its finalizer, the essence that it handled, and a result in the status. */
async function leftByKopf({ cluster, ref }: ScenarioContext, region: string, handled: string = region): Promise<void> {
  await cluster.create(Bucket, {
    metadata: {
      name: "logs",
      finalizers: [KOPF_FINALIZER],
      annotations: {
        "kopf.zalando.org/last-handled-configuration": `{"spec":{"region":"${handled}","versioned":false}}\n`,
      },
    },
    spec: { region },
  });
  const status = { status: { make: { bucket: "logs-1" } } };
  await cluster.patch(ref(Bucket, "logs"), status, { subresource: "status" });
}

suite.scenario("what Kopf has handled is not handled again, and is held by the new finalizer", async (scenario) => {
  const { calls } = scenario.world;
  const { given, when, then, cluster, operator, expect, ref } = scenario, logs = ref(Bucket, "logs");
  await given("a bucket of a Kopf operator that is gone", () => leftByKopf(scenario, "north"));
  await when("its successor starts", async () => {
    await operator.start();
    await operator.inProcess.idle();
  });
  await then("nothing is made or changed", () => assert.deepEqual(calls, []));
  const taken = await then(
    "the finalizer is the successor's",
    () => expect(logs).toMatch({ metadata: { finalizers: ["examples.pintle.dev/buckets"] } }),
  );
  assert.deepEqual((taken.status as Record<string, unknown>).make, { bucket: "logs-1" }, "Kopf's results stay");
  await when("it changes", () => cluster.patch(logs, { spec: { versioned: true } }));
  await then("that is handled", () => expect(logs).toHaveCondition("Ready"));
  await when("it is deleted", () => cluster.delete(logs));
  await then("it goes", () => expect(logs).toBeGone());
  assert.deepEqual(calls, ["change spec.versioned", "remove"]);
}, { operator: "stopped", inProcess: true });

suite.scenario(
  "what changed, and what was deleted, between Kopf's end and the successor's start is handled",
  async (scenario) => {
    const { calls } = scenario.world;
    const { given, when, then, cluster, operator, expect, ref } = scenario, logs = ref(Bucket, "logs");
    await given("a bucket that was moved since Kopf has seen it", () => leftByKopf(scenario, "south", "north"));
    await when("the successor starts", async () => {
      await operator.start();
      await operator.inProcess.idle();
    });
    await then("the change is handled", () => assert.deepEqual(calls, ["change spec.region"]));
    await when("the way back is taken, and the bucket deleted meanwhile", async () => {
      await operator.crash();
      await cluster.patch(logs, { metadata: { finalizers: [KOPF_FINALIZER] } });
      await cluster.delete(logs);
    });
    await when("the successor starts again", () => operator.start());
    await then("it is cleaned up, and goes", () => expect(logs).toBeGone());
    assert.deepEqual(calls, ["change spec.region", "remove"]);
  },
  { operator: "stopped", inProcess: true },
);

suite.scenario("killed in the middle of taking over, the next one ends where it would have", async (scenario) => {
  const { calls } = scenario.world;
  const { given, when, then, operator, expect, ref } = scenario, logs = ref(Bucket, "logs");
  await given("a bucket of a Kopf operator", () => leftByKopf(scenario, "south", "north"));
  for (const verdict of ["dieBefore", "dieAfter"] as const) {
    await when(`the successor dies at its first write (${verdict})`, async () => {
      await operator.inProcess.start({ fault: (_, nth) => nth === 1 ? verdict : "pass" });
      await operator.inProcess.idleThenCrash();
    });
    await then(
      "a finalizer holds the object throughout",
      () => expect(logs).toSatisfy("to have one finalizer", ({ metadata }) => metadata.finalizers?.length === 1),
    );
  }
  await when("another one starts", () => operator.start());
  await then("all is well", () => expect(logs).toHaveCondition("Ready"));
  assert.deepEqual([...new Set(calls)], ["change spec.region"]);
}, { operator: "stopped", inProcess: true });

suite.scenario("what Kopf noted down and cannot be read makes a bucket no new one", async (scenario) => {
  const { calls } = scenario.world;
  const { given, when, then, cluster, operator, expect, ref } = scenario, logs = ref(Bucket, "logs");
  await given("a bucket with a damaged record", async () => {
    await leftByKopf(scenario, "north");
    const annotations = { "kopf.zalando.org/last-handled-configuration": "{damaged" };
    await cluster.patch(logs, { metadata: { annotations } });
  });
  await when("the successor starts", () => operator.start());
  await then("all is well", () => expect(logs).toHaveCondition("Ready"));
  assert.ok(!calls.some((call) => call.startsWith("make")), `${calls}`);
}, { operator: "stopped" });

denoTests(Deno.test, suite, { rbac: true, source: testSource });
