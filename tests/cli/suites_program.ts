/**
 * A program for tests: an operator with suites of one scenario each, which end in every way there is.
 *
 * @module
 */
import { z } from "zod";
import { type ScenarioContext, Suite } from "../../lib/harness/mod.ts";
import { defineResource, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";

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

const widget = (name: string) =>
  ({ apiVersion: "suites.test.pintle.dev/v1", kind: "Widget", metadata: { name }, spec: {} }) as never;
const VOLUME = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/none" } };
const forEver = () => new Promise<void>(() => {});

/** Marks in the cluster that the scenario is here, and waits. */
async function hangs(cluster: ScenarioContext["cluster"]): Promise<void> {
  await cluster.createManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "all-is-there" } });
  await forEver();
}

const suites = [
  new Suite("failing", operator).scenario("it breaks", async ({ given, when }) => {
    await given("something", () => {});
    await when("it breaks", () => {
      throw new Error("it broke\n  in two");
    });
  }),
  new Suite("passing", operator).scenario("it passes", ({ given }) => given("something", () => {})),
  new Suite("hanging", () => operator(() => Promise.resolve())).scenario(
    "it hangs",
    async ({ given, when, ...scenario }) => {
      const { cluster, prefix, expect, ref } = scenario;
      await given("objects in its namespace and outside of it", async () => {
        await cluster.makeNamespace("other");
        await cluster.createManifest(
          { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: prefix }, spec: VOLUME } as never,
        );
        await cluster.createManifest(widget("a"));
        await expect(ref(Widget, "a")).toHaveCondition("Ready");
      });
      await when("it hangs", () => hangs(cluster));
    },
  ),
  new Suite("stubborn", () => operator(forEver)).scenario(
    "it cannot be cleared",
    async ({ given, when, cluster, expect, ref }) => {
      await given("a widget whose deletion hangs", async () => {
        await cluster.createManifest(widget("a"));
        await expect(ref(Widget, "a")).toHaveCondition("Ready");
      });
      await when("it hangs", () => hangs(cluster));
    },
  ),
];

Deno.exitCode = await cli(operator(), {
  args: Deno.args,
  env: Deno.env.toObject(),
  suites: () => Promise.resolve(suites),
});
