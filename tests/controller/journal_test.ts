import assert from "node:assert/strict";
import { Journal, type JournalEntry, journalKey, PassRecord, withoutValues } from "../../lib/controller/journal.ts";

function entry(startMs: number, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    startMs,
    durationMs: 1,
    cause: "reconcile",
    reasons: ["changed"],
    reads: [],
    writes: [],
    result: "success",
    failures: 0,
    ...more,
  };
}

const A = journalKey("widgets.example.com", { namespace: "home", name: "a" });
const B = journalKey("widgets.example.com", { namespace: "home", name: "b" });
const C = journalKey("widgets.example.com", { name: "c" });

// FR-510
Deno.test("an object keeps its last reconciles, and counts those that are forgotten", () => {
  const journal = new Journal({ entriesMax: 2 });
  for (const startMs of [1, 2, 3, 4]) journal.add(A, entry(startMs));
  assert.deepEqual(journal.of(A)!.entries.map(({ startMs }) => startMs), [3, 4]);
  assert.equal(journal.of(A)!.dropped, 2);
  assert.equal(journal.of(B), undefined);
});

// FR-510
Deno.test("beyond the objects of a journal, the one that was not reconciled for the longest time goes first", () => {
  const journal = new Journal({ objectsMax: 2 });
  for (const [object, startMs] of [[A, 1], [B, 2], [A, 3], [C, 4]] as const) journal.add(object, entry(startMs));
  assert.deepEqual([A, B, C].map((object) => journal.of(object)?.entries.length), [2, undefined, 1]);
  assert.equal(journal.size.objects, 2);
});

// FR-510
Deno.test("beyond the characters of a journal whole objects go first, then the oldest reconciles of the last one", () => {
  const length = JSON.stringify(entry(1)).length, journal = new Journal({ charactersMax: 3 * length });
  for (const object of [A, B, C]) journal.add(object, entry(1));
  assert.equal(journal.size.characters, 3 * length);
  journal.add(B, entry(2));
  assert.deepEqual([A, B, C].map((object) => journal.of(object)?.entries.length), [undefined, 2, 1]);
  for (const startMs of [3, 4, 5, 6]) journal.add(B, entry(startMs));
  assert.deepEqual([A, B, C].map((object) => journal.of(object)?.entries.length), [undefined, 3, undefined]);
  assert.equal(journal.size.characters, 3 * length);
});

// FR-510
Deno.test("an enormous reconcile keeps what was written, and loses the values", () => {
  const record = new PassRecord();
  const changes = Array.from(
    { length: 30 },
    (_, index) => ({ operation: "add", path: [`${index}`], next: "x".repeat(9_000) }) as const,
  );
  for (let index = 0; index < 60; index++) {
    record.write({ verb: "apply", group: "", plural: "configmaps", namespace: "home", name: `${index}`, changes });
    record.read({ object: `configmaps home/${index}`, from: "cache", version: "1" });
    record.read({ object: `configmaps home/${index}`, from: "cache", version: "1" });
  }
  assert.deepEqual([record.writes.length, record.reads.length], [50, 50]);
  assert.equal(record.writes[0]!.changes!.length, 20);
  assert.match(String(record.writes[0]!.changes![0]!.next), /^x{160}… \(9000 characters\)$/);
  const journal = new Journal(), { reads, writes, omitted } = record;
  assert.equal(omitted, 10 + 20 + 50 * 10);
  journal.add(A, entry(1, { reads, writes, omitted }));
  const [kept] = journal.of(A)!.entries;
  assert.deepEqual([kept!.writes.length, kept!.writes[0]!.changes], [50, undefined]);
  assert.ok(journal.size.characters < 32_768);
});

// FR-512
Deno.test("a reader that may not read a child sees its changed fields without values", () => {
  const changes = [{ operation: "change", path: ["data", "size"], old: "1", next: "2" }] as const;
  const child = { verb: "apply", group: "", plural: "configmaps", namespace: "home", name: "c", changes } as const;
  const secret = { ...child, plural: "secrets", name: "s", changes: [{ ...changes[0], next: "********" }] };
  const shown = withoutValues(entry(1, { writes: [child, secret] }), () => false);
  assert.deepEqual(shown.writes[0]!.changes, [{ operation: "change", path: ["data", "size"] }]);
  assert.deepEqual(shown.writes[1], secret, "Secrets hold masks already");
  assert.deepEqual(withoutValues(entry(1, { writes: [child] }), () => true).writes, [child]);
});
