import assert from "node:assert/strict";
import { UsageError } from "../../lib/base/mod.ts";
import { type ClusterSource, denoTests, EmbeddedSource, type RegisterTest, Suite } from "../../lib/harness/mod.ts";
import { notes, SharedCluster, written } from "./rig.ts";

/** The tests that a suite becomes, by their names. */
function registered(suite: Suite, source: () => ClusterSource, waitMsMax?: number): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  const register: RegisterTest = ({ name, fn }) => void tests.set(name, fn);
  denoTests(register, suite, { source, waitMsMax });
  return tests;
}

Deno.test("each scenario is one test, named after suite and scenario, and passes where the scenario does", async () => {
  const suite = new Suite("notes", notes).scenario("one", written).scenario("two", written);
  const tests = registered(suite, () => new EmbeddedSource());
  assert.deepEqual([...tests.keys()], ["notes: one", "notes: two"]);
  for (const test of tests.values()) await test();
});

Deno.test("a scenario that fails is a test that fails, with its message and the operator's last log lines", async () => {
  const suite = new Suite("notes", notes).scenario("one", async (scenario) => {
    await written(scenario);
    throw new Error("it broke");
  });
  await assert.rejects(registered(suite, () => new EmbeddedSource()).get("notes: one")!(), (error: Error) => {
    assert.match(error.message, /^it broke\n[^]*info written \{.*"letters":5/);
    return true;
  });
});

Deno.test("a cluster that cannot be had is a test that fails with what to do", async () => {
  const suite = new Suite("notes", notes).scenario("one", written);
  const lacking = new UsageError("KUBEBUILDER_ASSETS is not set", "point it at a folder");
  const source: ClusterSource = { kind: "envtest", isolated: false, open: () => Promise.reject(lacking) };
  await assert.rejects(registered(suite, () => source).get("notes: one")!(), lacking);
  const broken: ClusterSource = { ...source, open: () => Promise.reject(new Error("no memory")) };
  await assert.rejects(registered(suite, () => broken).get("notes: one")!(), /^Error: no memory$/);
});

Deno.test("tests that share a cluster do so one after the other, each with names of its own", async () => {
  await using shared = new SharedCluster();
  const namespaces: string[] = [];
  const suite = new Suite("notes", notes);
  for (const name of ["one", "two"]) {
    suite.scenario(name, ({ namespace }) => Promise.resolve(void namespaces.push(namespace)));
  }
  for (const test of registered(suite, () => shared.source).values()) await test();
  assert.equal(new Set(namespaces).size, 2);
  assert.equal(shared.opened, shared.closed);
});
