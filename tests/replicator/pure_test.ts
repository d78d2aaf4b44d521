import assert from "node:assert/strict";
import fc from "fast-check";
import { globProblem, matchesGlob, matchesGlobs } from "../../lib/apimachinery/mod.ts";
import { claimLabel, claimText } from "../../lib/replicator/claim.ts";
import { type CopyRecord, projectCopy } from "../../lib/replicator/copy_record.ts";
import { type PlanInput, planSteps, unwantedCopies } from "../../lib/replicator/plan.ts";
import { fieldKeys, sourceFacts, type SourceObject } from "../../lib/replicator/source.ts";
import { isLabelValue } from "../../lib/operator/mod.ts";

Deno.test("a glob matches as its regular expression would, in linear time whatever the pattern", () => {
  const letters = fc.array(fc.constantFrom("a", "b", "-", "*"), { maxLength: 12 }).map((list) => list.join(""));
  const names = fc.array(fc.constantFrom("a", "b", "-"), { maxLength: 16 }).map((list) => list.join(""));
  fc.assert(fc.property(letters, names, (glob, name) => {
    const pattern = new RegExp(`^${glob.replaceAll(/\*+/g, ".*")}$`);
    assert.equal(matchesGlob(glob, name), pattern.test(name));
  }));
  assert.equal(
    matchesGlob("*a".repeat(30), "a".repeat(60) + "b"),
    false,
    "a pattern that makes a backtracking matcher explode",
  );
});

Deno.test("a list of globs includes by any and excludes by any; nothing but exclusions includes the rest", () => {
  assert.ok(matchesGlobs(["team-*", "!team-legacy"], "team-a"));
  assert.ok(!matchesGlobs(["team-*", "!team-legacy"], "team-legacy"));
  assert.ok(!matchesGlobs(["!team-legacy", "team-*"], "team-legacy"), "order does not matter");
  assert.ok(matchesGlobs(["!team-legacy"], "other"));
  assert.ok(!matchesGlobs([], "other"), "an empty list names nothing");
});

Deno.test("a glob that no namespace can match is told apart", () => {
  for (const glob of ["", "!", "Team", "a_b", "a.b", "a b", "x".repeat(64)]) assert.ok(globProblem(glob), `"${glob}"`);
  for (const glob of ["*", "!a-*", "a", "team-*-x"]) assert.equal(globProblem(glob), undefined, glob);
});

Deno.test("the claim's label is a valid label value for any name, and differs between Replications", () => {
  const name = fc.array(fc.constantFrom("a", "b", "-", ".", "9"), { minLength: 1, maxLength: 251 }).map((list) =>
    `a${list.join("")}z`
  );
  const namespace = fc.array(fc.constantFrom("a", "-", "9"), { minLength: 0, maxLength: 61 }).map((list) =>
    `a${list.join("")}z`
  );
  fc.assert(fc.property(namespace, name, name, (ns, one, other) => {
    assert.ok(isLabelValue(claimLabel({ namespace: ns, name: one })), claimLabel({ namespace: ns, name: one }));
    if (one !== other && one.length > 70 && other.length > 70) {
      assert.notEqual(claimLabel({ namespace: ns, name: one }), claimLabel({ namespace: ns, name: other }));
    }
  }));
});

const replication = { namespace: "home", name: "token" };
const source: SourceObject = { metadata: { resourceVersion: "7" }, type: "Opaque", data: { a: "1", b: "2" } };
const facts = sourceFacts(source, undefined);
const spec = {
  source: { kind: "Secret" as const, name: "token" },
  targets: { namespaces: ["*"] },
  deletionPolicy: "Delete" as const,
  conflictPolicy: "Fail" as const,
  suspend: false,
};
const own = {
  manager: "me",
  operation: "Update",
  fieldsV1: { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, "f:type": {} },
};

function copy(managedFields: object[], more: object = {}): CopyRecord {
  return projectCopy("me")({
    metadata: {
      name: "token",
      namespace: "team",
      uid: "u",
      resourceVersion: "9",
      labels: { "pintle.dev/replication": claimLabel(replication) },
      annotations: { "pintle.dev/replication": claimText(replication), "pintle.dev/source-version": "7" },
      managedFields: managedFields as never,
      ...more,
    },
  });
}

function stepFor(record: CopyRecord | undefined, over: Partial<PlanInput> = {}): string {
  const input = {
    replication,
    spec,
    source: facts,
    wanted: ["team"],
    occupied: new Set<string>(),
    verified: () => false,
  };
  return planSteps({ ...input, copyIn: () => record, ...over })[0]!.kind;
}

Deno.test("a copy whose content is all ours and nobody else's is kept unread; anything else is looked at", () => {
  assert.equal(stepFor(copy([own])), "keep");
  assert.equal(stepFor(undefined), "create");
  assert.equal(stepFor(copy([])), "verify", "nobody knows who wrote it");
  assert.equal(stepFor(copy([{ ...own, fieldsV1: { "f:data": { "f:a": {} } } }])), "verify", "a key was removed");
  const theirs = { manager: "kubectl", operation: "Update", fieldsV1: { "f:data": { "f:c": {} } } };
  assert.equal(stepFor(copy([own, theirs])), "verify", "a key was added");
  const label = { manager: "argo", operation: "Update", fieldsV1: { "f:metadata": { "f:labels": { "f:x": {} } } } };
  assert.equal(stepFor(copy([own, label])), "keep", "other people's labels are none of our business");
  assert.equal(stepFor(copy([], { deletionTimestamp: "2026-01-01T00:00:00Z" })), "leaving");
  assert.equal(stepFor(copy([theirs]), { verified: () => true }), "keep", "this very version was read and is right");
});

Deno.test("a copy of an older source is written unread only if this process saw the content change", () => {
  const newer = sourceFacts({ ...source, metadata: { resourceVersion: "8" }, data: { a: "changed", b: "2" } }, facts);
  assert.equal(stepFor(copy([own]), { source: newer }), "update");
  const unknown = sourceFacts({ ...source, metadata: { resourceVersion: "8" } }, undefined);
  assert.equal(stepFor(copy([own]), { source: unknown }), "verify");
  const relabelled = sourceFacts({ ...source, metadata: { resourceVersion: "8" } }, facts);
  assert.equal(relabelled.contentVersion, "7", "a change of metadata alone is no new content");
  assert.equal(stepFor(copy([own]), { source: relabelled }), "keep");
});

Deno.test("what a source holds cannot be guessed from what is remembered of it", () => {
  assert.ok(!JSON.stringify(facts).includes('"1"'));
  const plain = sourceFacts(source, undefined);
  assert.equal(plain.digest, facts.digest, "one process, one key");
  assert.equal(facts.keys, fieldKeys(["b", "a"], []));
});

Deno.test("kubectl's last-applied annotation, which holds data, is not kept in memory", () => {
  const record = copy([own], {
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{data}", note: "x" },
  });
  assert.deepEqual(record.metadata?.annotations, { note: "x" });
});

Deno.test("only copies that claim this very Replication are ever removed", () => {
  const mine = copy([own]);
  const other = copy([own], { annotations: { "pintle.dev/replication": "else/token" } });
  const unclaimed = copy([own], { annotations: {} });
  assert.deepEqual(unwantedCopies(replication, [mine, other, unclaimed], () => false), [mine]);
  assert.deepEqual(unwantedCopies(replication, [mine], () => true), []);
});
