import assert from "node:assert/strict";
import { ConfigMap, Namespace, Operator, Secret } from "../../lib/operator/mod.ts";
import {
  denoTests,
  formatPermissions,
  rbacFailures,
  rbacReports,
  type RunResult,
  type ScenarioBody,
  Suite,
} from "../../lib/harness/mod.ts";
import { testSource } from "../cluster.ts";
import { Note, note, runOn } from "./rig.ts";

const on = (resource: string, ...verbs: string[]) => ({ apiGroups: [""], resources: [resource], verbs });

/** An operator that copies each note into a ConfigMap, and does what `more` adds. */
function noteKeeper(more: (operator: Operator) => void = () => {}): () => Operator {
  return () => {
    const operator = new Operator("notes");
    operator.on(Note).reconcile(async ({ spec, apply, client, namespace, name }) => {
      if (spec.text === "remove") await client.delete(ConfigMap, { namespace: namespace!, name: `${name}-old` });
      else await apply(ConfigMap, { data: { text: spec.text } });
    }, { owns: [ConfigMap] });
    more(operator);
    return operator;
  };
}

const written: ScenarioBody = async ({ given, then, cluster, expect, ref }) => {
  await given("a note", () => cluster.createManifest(note("a")));
  await then("its ConfigMap follows", () => expect(ref(ConfigMap, "a")).toExist());
};

/** Runs scenarios of one operator. */
function run(
  operator: () => Operator,
  scenarios: Readonly<Record<string, ScenarioBody>> = { written },
): Promise<RunResult> {
  const suite = new Suite("notes", operator);
  for (const [name, body] of Object.entries(scenarios)) suite.scenario(name, body);
  return runOn(testSource(), suite);
}

function passed({ scenarios, failures }: RunResult): void {
  assert.deepEqual([scenarios.map(({ outcome }) => outcome), failures], [
    scenarios.map(() => ({ kind: "passed" })),
    [],
  ]);
}

// FR-530
Deno.test("a declared rule that no scenario uses is named, by resource, with what can be done", async () => {
  const result = await run(
    noteKeeper((operator) => operator.permissions(on("secrets", "get", "delete"), on("pods", "get"))),
  );
  passed(result);
  assert.deepEqual(rbacFailures(result.scenarios), [
    "RBAC of notes: declared, and used by no scenario\n" +
    "  secrets: get, delete\n" +
    "  pods: get\n" +
    'fix: declare less, add a scenario that needs it, or say why none does: permissions({ …, untested: "…" })',
  ]);
  assert.deepEqual(rbacFailures(result.scenarios, false), [], "other scenarios may use them");
});

// FR-530
Deno.test("what the framework needs, and what says why it is untested, is no failure", async () => {
  const result = await run(noteKeeper((operator) => {
    operator.permissions({ ...on("secrets", "delete"), untested: "only a broken disk leads there" });
    operator.on(Namespace).event(() => {});
  }));
  passed(result);
  assert.deepEqual(rbacFailures(result.scenarios), []);
});

// FR-530
Deno.test("owns brings delete as well: without prune() it is no failure, and minimal rules lack it", async () => {
  const result = await run(noteKeeper());
  passed(result);
  const [report, ...others] = rbacReports(result.scenarios);
  assert.deepEqual([others, report!.unused, formatPermissions(report!.spare)], [[], [], ["configmaps: delete"]]);
});

// FR-530
Deno.test("an owned kind without a child in any scenario is a rule that is not used", async () => {
  const made = () => {
    const operator = new Operator("notes");
    operator.on(Note).reconcile(async ({ apply }) => {
      await apply(ConfigMap, {});
    }, { owns: [ConfigMap, Secret] });
    return operator;
  };
  const result = await run(made);
  passed(result);
  assert.match(rbacFailures(result.scenarios).join(), /used by no scenario\n {2}secrets: create, patch, delete\nfix/);
});

// FR-530
Deno.test("scenarios of several suites use the rules of one operator together", async () => {
  const operator = noteKeeper((made) => made.permissions(on("configmaps", "delete")));
  const removed: ScenarioBody = async ({ given, then, cluster, expect, ref }) => {
    const old = ref(ConfigMap, "a-old");
    await given("an old ConfigMap", () => cluster.create(ConfigMap, { metadata: { name: "a-old" } }));
    await given("a note that removes it", () => cluster.createManifest(note("a", "remove")));
    await then("it is gone", () => expect(old).toBeGone());
  };
  const one = await run(operator), other = await run(operator, { removed });
  passed(one);
  passed(other);
  assert.match(rbacFailures(one.scenarios).join(), /configmaps: delete/);
  assert.match(rbacFailures(other.scenarios).join() + "no finding", /no finding/);
  assert.deepEqual(rbacFailures([...one.scenarios, ...other.scenarios]), []);
});

// FR-531
Deno.test("a request that no rule allows is named with its scenario and the rule, though the scenario passes", async () => {
  const result = await run(() => {
    const operator = new Operator("notes");
    operator.on(Note).reconcile(async ({ client, apply, namespace }) => {
      await client.list(ConfigMap, { namespace });
      await client.delete(Secret, { namespace: namespace!, name: "old" }).catch(() => {});
      await apply(ConfigMap, {});
    }, { owns: [ConfigMap] });
    return operator;
  });
  passed(result);
  const [failure, ...others] = rbacFailures(result.scenarios);
  assert.deepEqual(others, []);
  assert.match(
    failure!,
    /^RBAC of notes: no rule allows delete secrets "old" in namespace \S+-home, sent in "notes: written"\nfix: operator\.permissions\(\{ apiGroups: \[""\], resources: \["secrets"\], verbs: \["delete"\] \}\)$/,
  );
});

// FR-531
Deno.test("an apply that creates needs the verb create, which the refusal names", async () => {
  const result = await run(() => {
    const operator = new Operator("notes").permissions(on("configmaps", "patch"));
    operator.on(Note).reconcile(async ({ client, namespace }) => {
      await client.apply(ConfigMap, { metadata: { name: "a", namespace } }, { force: true }).catch(() => {});
    });
    return operator;
  }, {
    refused: async ({ given, then, cluster, expect, ref }) => {
      await given("a note", () => cluster.createManifest(note("a")));
      await then("it is handled", () => expect(ref(Note, "a")).toHaveCondition("Ready"));
    },
  });
  passed(result);
  const [uncovered, ...others] = rbacFailures(result.scenarios);
  assert.match(uncovered!, /no rule allows create configmaps "a"/);
  assert.deepEqual(others, [], "the patch was allowed");
});

// FR-530
Deno.test("denoTests with rbac registers one more test, which fails after the scenarios if a rule is unused", async () => {
  const tests: { name: string; fn: () => Promise<void> }[] = [];
  const suite = new Suite("notes", noteKeeper((operator) => operator.permissions(on("pods", "get")))).scenario(
    "written",
    written,
  );
  denoTests((each) => void tests.push(each), suite, { source: testSource, rbac: true });
  assert.deepEqual(tests.map(({ name }) => name), ["notes: written", "notes: the RBAC rules are used, and suffice"]);
  await tests[1]!.fn(); // a filter has left the scenario out
  await tests[0]!.fn();
  await assert.rejects(tests[1]!.fn(), /pods: get/);
});
