/**
 * A program for tests: its operator declares a rule that no scenario uses, one that says why, and lacks one.
 *
 * @module
 */
import { z } from "zod";
import { ConfigMap, defineResource, Operator, Secret } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";
import { Suite } from "../../lib/harness/mod.ts";

const Box = defineResource({
  group: "rbac.test.pintle.dev",
  version: "v1",
  kind: "Box",
  spec: z.object({ key: z.string().optional() }),
  status: z.object({}),
});
const on = (resource: string, ...verbs: string[]) => ({ apiGroups: [""], resources: [resource], verbs });
const { BOXES_KEYS: mode } = Deno.env.toObject();

/** With `BOXES_KEYS=forbidden` it lacks the rule to read keys. */
function operator(): Operator {
  const made = new Operator("boxes");
  made.on(Box).reconcile(async ({ spec, apply, client, namespace }) => {
    if (spec.key) await client.find(Secret, { namespace: namespace!, name: spec.key }).catch(() => {});
    await apply(ConfigMap, { data: { key: `${spec.key}` } });
  }, { owns: [ConfigMap] });
  made.permissions({ ...on("pods", "delete"), untested: "only a node that hangs needs it" });
  return mode === "forbidden" ? made : made.permissions(on("secrets", "get", "delete"));
}

const suites = [
  new Suite("boxes", operator).scenario("a box with a key", async ({ given, then, cluster, expect, ref }) => {
    await given("a box", () => cluster.create(Box, { metadata: { name: "a" }, spec: { key: "brass" } }));
    await then("its ConfigMap follows", () => expect(ref(ConfigMap, "a")).toExist());
  }).scenario("a box without", async ({ given, then, cluster, expect, ref }) => {
    await given("a box", () => cluster.create(Box, { metadata: { name: "a" }, spec: {} }));
    await then("its ConfigMap follows", () => expect(ref(ConfigMap, "a")).toExist());
    if (mode === "failing") throw new Error("it fails");
  }),
];

Deno.exitCode = await cli(operator(), {
  args: Deno.args,
  env: Deno.env.toObject(),
  suites: () => Promise.resolve(suites),
});
