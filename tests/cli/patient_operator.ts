/**
 * A program for tests: an operator with a scenario that passes and one that never ends. `PATIENT_ROOT` is the folder
 * that holds its manifests, and its bundle where there is one.
 *
 * @module
 */
import { ConfigMap, Operator } from "../../lib/mod.ts";
import { cli } from "../../lib/cli.ts";
import { Suite } from "../../lib/harness/mod.ts";

const operator = () => new Operator("patient").startup(() => Promise.resolve());

const suite = new Suite("patient", operator)
  .scenario("it passes", async ({ given, then, cluster, expect, ref }) => {
    await given(
      "a ConfigMap",
      () => cluster.applyManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }),
    );
    await then("it is there", () => expect(ref(ConfigMap, "a")).toExist());
  })
  .scenario("it waits", async ({ given, cluster }) => {
    await given(
      "a ConfigMap",
      () => cluster.applyManifest({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "b" } }),
    );
    await new Promise(() => {});
  });

const { PATIENT_ROOT, ...env } = Deno.env.toObject();
Deno.exitCode = await cli(operator(), {
  args: Deno.args,
  env,
  root: PATIENT_ROOT,
  suites: () => Promise.resolve([suite]),
});
