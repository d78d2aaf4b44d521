// Correct: a check every five minutes; the status counts checks and failures, and has the time of the last one.
import { defineResource, Operator, TemporaryError } from "@pintle/pintle";
import { Suite } from "@pintle/pintle/testing";
import * as z from "zod";

const Check = defineResource({
  group: "checks.example.com",
  version: "v1",
  kind: "Check",
  spec: z.object({ url: z.string() }),
  status: z.object({
    checks: z.int().optional(),
    failedAttempts: z.int().optional(),
    lastChecked: z.string().optional(),
    lastError: z.string().optional(),
  }),
});

/** A network on which every address answers. */
class Network {
  readonly answered = new Set<string>();

  async ask(url: string): Promise<void> {
    this.answered.add(await Promise.resolve(url));
  }
}

function operator(network: Network): Operator {
  const made = new Operator("checks");
  made.on(Check).timer(async ({ object, spec, status }) => {
    const { checks = 0, failedAttempts = 0 } = object.status ?? {};
    try {
      await network.ask(spec.url);
      status.set({ checks: checks + 1, lastChecked: new Date().toISOString() });
    } catch (error) {
      status.set({ failedAttempts: failedAttempts + 1, lastError: `${error}` });
      throw new TemporaryError("no answer", { delay: "10s" });
    }
  }, { interval: "5m" });
  return made;
}

const suite = new Suite("counted_checks", { world: () => new Network(), operator });

suite.scenario("an address is checked", async ({ given, then, cluster, expect, ref, world }) => {
  await given(
    "a check",
    () => cluster.create(Check, { metadata: { name: "a" }, spec: { url: "https://example.com" } }),
  );
  await then("it is ready", () => expect(ref(Check, "a")).toHaveCondition("Ready"));
  await then("it has an answer", () => {
    if (world.answered.size === 0) throw new Error("nothing was asked");
  });
});

export const correct: Suite = suite as Suite;
