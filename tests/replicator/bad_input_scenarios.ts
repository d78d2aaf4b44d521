import { InvalidError } from "../../lib/client/mod.ts";
import assert from "node:assert/strict";
import { Suite } from "../../lib/harness/mod.ts";
import { replicator } from "../../lib/replicator/mod.ts";
import { Replicating, TRUSTING } from "./stories.ts";

/** What replication answers to Replications that make no sense. */
export const badInput: Suite = new Suite("bad input", () => replicator(TRUSTING));

const SLIPPED_THROUGH = [
  [
    "a glob that no namespace can match",
    { namespaces: ["team-*", "Team_*"] },
    /spec\.targets\.namespaces\[1\].*"Team_\*"/,
  ],
  [
    "a label that is the replicator's own",
    { namespaces: ["x"], labels: { "pintle.dev/replication": "x" } },
    /spec\.targets\.labels/,
  ],
  [
    "kubectl's own annotation",
    { namespaces: ["x"], annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
    /spec\.targets\.annotations.* is kubectl's own/,
  ],
  ["a label value that is none", { namespaces: ["x"], labels: { a: "no value!" } }, /spec\.targets\.labels\["a"\]/],
  ["a copy name that is none", { namespaces: ["x"], name: "Not_A_Name" }, /spec\.targets\.name/],
  [
    "a selector that makes no sense",
    { selector: { matchExpressions: [{ key: "a", operator: "In" }] } },
    /spec\.targets\.selector/,
  ],
] as const;

for (const [what, targets, message] of SLIPPED_THROUGH) {
  // FR-121
  badInput.scenario(`${what} is a clear condition, not a crash`, async (scenario) => {
    const { then } = scenario, story = new Replicating(scenario);
    await story.begin([], { targets });
    const { status } = await story.notReady("InvalidTargets");
    await then(
      "the condition names the field",
      () => assert.match(status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "", message),
    );
  });
}

badInput.scenario("a wrong input is not tried again until it changes", async (scenario) => {
  const { when, then, operator, prefix } = scenario, story = new Replicating(scenario);
  const [team] = await story.begin(["team"], { targets: { namespaces: ["Team_*"] } });
  await story.notReady("InvalidTargets");
  await then("nothing more is written", async () => {
    await operator.inProcess.idle();
    const before = operator.inProcess.writes.length;
    await operator.inProcess.idle();
    assert.equal(operator.inProcess.writes.length, before);
  });
  await when("it is corrected", () => story.change({ targets: { namespaces: [`${prefix}-team`] } }));
  await story.copied(team!, "one");
}, { inProcess: true });

const REFUSED = [
  ["a source of another kind", { source: { kind: "Pod" } }, "spec.source.kind"],
  ["a source without a name", { source: { name: "" } }, "spec.source.name"],
  ["targets that name nothing", { targets: {} }, "spec.targets"],
  ["a namespace that is a number", { targets: { namespaces: [7] } }, "spec.targets.namespaces"],
  ["an unknown policy", { deletionPolicy: "Keep" }, "spec.deletionPolicy"],
  ["a suspend that is a text", { suspend: "yes" }, "spec.suspend"],
] as const;

for (const [what, spec, field] of REFUSED) {
  // FR-120
  badInput.scenario(`the API server refuses ${what} and names the field`, async (scenario) => {
    const { then, cluster } = scenario, story = new Replicating(scenario);
    await then(
      `it is refused for ${field}`,
      () =>
        assert.rejects(cluster.createManifest(story.replication(spec)), (error: Error) => {
          assert.ok(error instanceof InvalidError, error.name);
          assert.ok(error.message.includes(field), error.message);
          return true;
        }),
    );
  });
}
