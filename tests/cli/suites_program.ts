/**
 * A program for tests: an operator with suites of one scenario each, which end in every way there is.
 *
 * @module
 */
import { z } from "zod";
import { Suite } from "../../lib/harness/mod.ts";
import { cli, defineResource, Operator } from "../../lib/mod.ts";

const Widget = defineResource({
  group: "suites.test.pintle.dev",
  version: "v1",
  kind: "Widget",
  spec: z.object({}),
  status: z.object({}),
});

function operator(onDelete?: () => Promise<void>): Operator {
  const made = new Operator("suites");
  const handlers = made.on(Widget).reconcile(() => {});
  if (onDelete) handlers.delete(onDelete);
  return made;
}

const forEver = () => new Promise<void>(() => {});

const suites = [
  new Suite("failing", operator).scenario("it breaks", async ({ given, when }) => {
    await given("something", () => {});
    await when("it breaks", () => {
      throw new Error("it broke");
    });
  }),
  new Suite("passing", operator).scenario("it passes", ({ given }) => given("something", () => {})),
  new Suite("hanging", operator).scenario("it hangs", ({ when }) => when("it hangs", forEver)),
  new Suite("stubborn", () => operator(forEver)).scenario(
    "it cannot be cleared",
    async ({ given, when, cluster, expect, ref }) => {
      await given("a widget whose deletion hangs", async () => {
        await cluster.create(
          { apiVersion: "suites.test.pintle.dev/v1", kind: "Widget", metadata: { name: "a" }, spec: {} } as never,
        );
        await expect(ref(Widget, "a")).toHaveCondition("Ready");
      });
      await when("it hangs", forEver);
    },
  ),
];

Deno.exitCode = await cli(operator(), {
  args: Deno.args,
  env: Deno.env.toObject(),
  suites: () => Promise.resolve(suites),
});
