import assert from "node:assert/strict";
import fc from "fast-check";
import { isLabelValue } from "../../lib/apimachinery/mod.ts";
import { claimText, leftBehindBy, replicationLabel, replicationText } from "../../lib/replicator/claim.ts";
import { type CopyRecord, projectCopy } from "../../lib/replicator/copy_record.ts";
import { type PlanInput, planSteps, undeclaredCopies } from "../../lib/replicator/plan.ts";
import { fieldKeys, sourceFacts, type SourceObject } from "../../lib/replicator/source.ts";
import { type Occupant, refusal } from "../../lib/replicator/takeover.ts";
import { compileTargets } from "../../lib/replicator/targets.ts";

Deno.test("the claim's label is a valid label value for any name, and differs between Replications", () => {
  const name = fc.array(fc.constantFrom("a", "b", "-", ".", "9"), { minLength: 1, maxLength: 251 }).map((list) =>
    `a${list.join("")}z`
  );
  const namespace = fc.array(fc.constantFrom("a", "-", "9"), { minLength: 0, maxLength: 61 }).map((list) =>
    `a${list.join("")}z`
  );
  fc.assert(fc.property(namespace, name, name, (ns, one, other) => {
    assert.ok(
      isLabelValue(replicationLabel({ namespace: ns, name: one })),
      replicationLabel({ namespace: ns, name: one }),
    );
    if (one !== other && one.length > 70 && other.length > 70) {
      assert.notEqual(replicationLabel({ namespace: ns, name: one }), replicationLabel({ namespace: ns, name: other }));
    }
  }));
});

const replication = { namespace: "home", name: "token", uid: "r" };
const place = { namespace: "team", name: "token" };
const source: SourceObject = { metadata: { resourceVersion: "7" }, type: "Opaque", data: { a: "1", b: "2" } };
const facts = sourceFacts(source, undefined);
const spec = {
  source: { kind: "Secret" as const, name: "token" },
  targets: { namespaces: ["*"] },
  deletionPolicy: "Delete" as const,
  conflictPolicy: "Fail" as const,
  suspend: false,
};
const marks = {
  "f:metadata": {
    "f:labels": { "f:pintle.dev/replication": {} },
    "f:annotations": {
      "f:pintle.dev/replication": {},
      "f:pintle.dev/claim": {},
      "f:pintle.dev/source-version": {},
    },
  },
};
const own = {
  manager: "me",
  operation: "Update",
  fieldsV1: { "f:data": { ".": {}, "f:a": {}, "f:b": {} }, "f:type": {}, ...marks },
};

function copy(managedFields: object[], more: object = {}): CopyRecord {
  return projectCopy("me")({
    metadata: {
      name: "token",
      namespace: "team",
      uid: "u",
      resourceVersion: "9",
      labels: { "pintle.dev/replication": replicationLabel(replication) },
      annotations: {
        "pintle.dev/replication": replicationText(replication),
        "pintle.dev/claim": claimText(replication, place),
        "pintle.dev/source-version": "7",
      },
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
    targets: ["team"],
    occupied: new Set<string>(),
    verified: () => false,
  };
  return planSteps({ ...input, copyIn: () => record, ...over })[0]!.kind;
}

// FR-56
Deno.test("a copy whose content is ours alone is kept unread; anything else is read", () => {
  assert.equal(stepFor(copy([own])), "keep");
  assert.equal(stepFor(undefined), "create");
  assert.equal(stepFor(copy([])), "verify", "its writer is unknown");
  assert.equal(
    stepFor(copy([{ ...own, fieldsV1: { ...marks, "f:data": { "f:a": {} } } }])),
    "verify",
    "a key was removed",
  );
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

// FR-116
Deno.test("what a source holds cannot be guessed from what is remembered of it", () => {
  assert.ok(!JSON.stringify(facts).includes('"1"'));
  const plain = sourceFacts(source, undefined);
  assert.equal(plain.digest, facts.digest, "one process, one key");
  assert.equal(facts.keys, fieldKeys(["b", "a"], []));
});

// FR-56
Deno.test("kubectl's last-applied annotation, which holds data, is not kept in memory", () => {
  const record = copy([own], {
    annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{data}", note: "x" },
  });
  assert.deepEqual(record.metadata?.annotations, { note: "x" });
});

// FR-320
Deno.test("only copies that claim this very Replication are ever removed", () => {
  const mine = copy([own]);
  const claimed = (uid: string, at = place) => ({
    annotations: { "pintle.dev/replication": "home/token", "pintle.dev/claim": claimText({ ...replication, uid }, at) },
  });
  const others = [
    copy([own], claimed("another")),
    copy([own], claimed("r", { namespace: "team", name: "other" })),
    copy([own], claimed("r", { namespace: "other", name: "token" })),
    copy([own], { annotations: { "pintle.dev/replication": "home/token" } }),
    copy([own], { annotations: { "pintle.dev/claim": claimText(replication, place) } }),
    copy([own], { annotations: { "pintle.dev/replication": "home/token", "pintle.dev/claim": "r team/token more" } }),
    copy([own], { annotations: {} }),
    copy([{ ...own, manager: "kubectl" }]),
    copy([{ ...own, operation: "Apply" }]),
    copy([{ ...own, subresource: "status" }]),
    copy([]),
  ];
  assert.deepEqual(undeclaredCopies(replication, [mine, ...others], () => false), [mine]);
  assert.deepEqual(undeclaredCopies(replication, [mine], () => true), []);
});

Deno.test("what a Replication left behind is known as long as all content is as it was written", () => {
  const orphan = { annotations: { "pintle.dev/orphaned-by": "home/token" } };
  const marked = {
    ...own,
    fieldsV1: { ...own.fieldsV1, "f:metadata": { "f:annotations": { "f:pintle.dev/orphaned-by": {} } } },
  };
  assert.equal(leftBehindBy(copy([marked], orphan)), "home/token");
  assert.equal(leftBehindBy(copy([own])), "home/token", "its Replication went without cleaning up");
  assert.equal(leftBehindBy(copy([own], orphan)), undefined, "another manager wrote the annotation");
  const edited = { manager: "kubectl", operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } };
  assert.equal(leftBehindBy(copy([marked, edited], orphan)), undefined);
});

Deno.test("a takeover is refused for whatever is in use by others, and otherwise as the policy and the administrator allow", () => {
  const record = copy([{ manager: "kubectl", operation: "Update" }], { labels: {}, annotations: {} });
  const occupant = { record, title: "Secret team/token", claimedBy: undefined, sourceOf: undefined };
  const adopts = { replication, conflictPolicy: "Adopt" as const, trusted: true };
  assert.equal(refusal(occupant, adopts), undefined);
  const used: [Partial<Occupant>, RegExp][] = [
    [{ claimedBy: { ...replication, uid: "other" } }, /is a copy of Replication home\/token/],
    [{ sourceOf: "team/x" }, /is the source of Replication team\/x/],
    [{ record: { ...record, controller: "Certificate tls" } }, /belongs to Certificate tls/],
    [
      { record: copy([], { labels: {}, annotations: { "kubernetes.io/service-account.name": "robot" } }) },
      /is a service account token/,
    ],
  ];
  for (const [use, reason] of used) assert.match(refusal({ ...occupant, ...use }, adopts) ?? "", reason);
  assert.match(refusal(occupant, { ...adopts, conflictPolicy: "Fail" }) ?? "", /set conflictPolicy: Adopt/);
  assert.match(refusal(occupant, { ...adopts, trusted: false }) ?? "", /Adopt needs home in/);
  const mine = { ...occupant, record: copy([own]), claimedBy: replication };
  assert.equal(refusal(mine, { ...adopts, conflictPolicy: "Fail", trusted: false }), undefined);
});

const settings = { protectedNamespaces: ["kube-*"], trustedNamespaces: [], operatorNamespace: "ops" };

// FR-324
Deno.test("targets that no namespace can ever match are named", () => {
  const compiled = (namespaces: string[], more: object = {}) =>
    compileTargets({ ...spec, targets: { namespaces, ...more } }, "home", settings);
  const rows: [string[], string[], boolean][] = [
    [["home"], ["home"], false],
    [["ops", "kube-system"], ["ops", "kube-system"], false],
    [["a", "!a"], ["a"], false],
    [["team-*", "!team-*"], ["team-*"], false],
    [["home", "team-*"], ["home"], true],
    [["kube-*"], [], true],
    [["!team"], [], true],
    [["team", "team"], [], true],
    [["home", "home"], ["home"], false],
    [[], [], false],
  ];
  for (const [globs, names, reachable] of rows) {
    const found = compiled(globs);
    assert.deepEqual(found.unreachable.map((said) => said.split('"')[1]), names, globs.join());
    assert.equal(found.reachable, reachable, globs.join());
  }
});

// FR-322
Deno.test("a namespace trusts by the administrator's setting or by its own annotation, and by nothing else", () => {
  const namespace = (name: string, accept?: string) => ({
    metadata: { name, ...(accept === undefined ? {} : { annotations: { "pintle.dev/accept-from": accept } }) },
  });
  const verdict = (own: string, target: ReturnType<typeof namespace>, trustedNamespaces: string[] = []) =>
    compileTargets(spec, own, { ...settings, trustedNamespaces }).verdict(target);
  assert.equal(verdict("home", namespace("team")), "refused");
  assert.equal(verdict("home", namespace("team"), ["ho*"]), "allowed");
  assert.equal(verdict("home", namespace("team"), ["*", "!home"]), "refused");
  for (
    const [accept, expected] of [["home", "allowed"], ["a, ho*", "allowed"], ["", "refused"], [",", "refused"]] as const
  ) {
    assert.equal(verdict("home", namespace("team", accept)), expected, accept);
  }
  assert.equal(verdict("home", namespace("team", "hom")), "refused");
  for (const exclusions of ["!evil", "!", "!a,!b"]) {
    assert.equal(verdict("home", namespace("team", exclusions)), "refused", "exclusions alone give no consent");
    assert.equal(verdict("home", namespace("team"), exclusions.split(",")), "refused", exclusions);
  }
  assert.equal(verdict("home", namespace("team", "h*,!evil")), "allowed");
  assert.equal(verdict("home", namespace("team", `home${",a".repeat(10_000)}`)), "refused", "too long to be read");
  assert.equal(verdict("home", namespace("ops", "home"), ["*"]), "none");
  assert.equal(verdict("home", namespace("kube-system", "home"), ["*"]), "none");
  assert.equal(verdict("home", namespace("home", "home"), ["*"]), "none");
});
