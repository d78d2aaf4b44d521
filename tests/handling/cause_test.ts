import assert from "node:assert/strict";
import { type Cause, detectCause } from "../../lib/handling/mod.ts";

const OURS = "shop.example.com/widgets", THEIRS = "other.example.com/hold", FORMER = "former.example.com/marker";

const TABLE: {
  claim: string;
  finalizers?: string[];
  deleting?: boolean;
  needsFinalizer: boolean;
  cause: Cause;
}[] = [
  { claim: "an object is reconciled", needsFinalizer: false, cause: { kind: "reconcile", finalizer: "keep" } },
  {
    claim: "it is claimed first where a delete handler needs that",
    needsFinalizer: true,
    cause: { kind: "reconcile", finalizer: "add" },
  },
  {
    claim: "another's finalizer does not count as ours",
    finalizers: [THEIRS],
    needsFinalizer: true,
    cause: { kind: "reconcile", finalizer: "add" },
  },
  {
    claim: "a claimed object is just reconciled",
    finalizers: [THEIRS, OURS],
    needsFinalizer: true,
    cause: { kind: "reconcile", finalizer: "keep" },
  },
  {
    claim: "a claim that nothing needs any more is given up",
    finalizers: [OURS],
    needsFinalizer: false,
    cause: { kind: "reconcile", finalizer: "remove" },
  },
  {
    claim: "another's finalizer is left alone",
    finalizers: [THEIRS],
    needsFinalizer: false,
    cause: { kind: "reconcile", finalizer: "keep" },
  },
  {
    claim: "an object that is deleted and waits for us is cleaned up",
    finalizers: [OURS],
    deleting: true,
    needsFinalizer: true,
    cause: { kind: "delete" },
  },
  {
    claim: "it is let go even where no delete handler is left",
    finalizers: [OURS],
    deleting: true,
    needsFinalizer: false,
    cause: { kind: "delete" },
  },
  {
    claim: "an object that waits for another finalizer is not ours",
    finalizers: [THEIRS],
    deleting: true,
    needsFinalizer: true,
    cause: { kind: "gone" },
  },
  {
    claim: "what a replaced operator holds is claimed in its place",
    finalizers: [FORMER],
    needsFinalizer: true,
    cause: { kind: "reconcile", finalizer: "add" },
  },
  {
    claim: "its finalizer goes although ours is there already",
    finalizers: [OURS, FORMER],
    needsFinalizer: true,
    cause: { kind: "reconcile", finalizer: "add" },
  },
  {
    claim: "its finalizer goes where nothing needs one any more",
    finalizers: [FORMER],
    needsFinalizer: false,
    cause: { kind: "reconcile", finalizer: "remove" },
  },
  {
    claim: "an object that was deleted under the replaced operator is cleaned up",
    finalizers: [FORMER, THEIRS],
    deleting: true,
    needsFinalizer: true,
    cause: { kind: "delete" },
  },
  {
    claim: "an object that is deleted is never claimed",
    deleting: true,
    needsFinalizer: true,
    cause: { kind: "gone" },
  },
];

for (const { claim, finalizers, deleting, needsFinalizer, cause } of TABLE) {
  Deno.test(claim, () => {
    const metadata = { name: "a", finalizers, ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) };
    assert.deepEqual(detectCause({ metadata }, { finalizer: OURS, legacyFinalizers: [FORMER], needsFinalizer }), cause);
    assert.deepEqual(
      detectCause({ metadata }, { finalizer: OURS, legacyFinalizers: [FORMER], needsFinalizer }),
      cause,
      "the same state, the same cause",
    );
  });
}

Deno.test("an object without metadata is reconciled", () => {
  assert.deepEqual(detectCause({}, { finalizer: OURS, needsFinalizer: false }), {
    kind: "reconcile",
    finalizer: "keep",
  });
});
