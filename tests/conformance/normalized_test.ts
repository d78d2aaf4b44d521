import assert from "node:assert/strict";
import { Normalizer } from "./normalized.ts";

const NOW_MS = Date.parse("2026-01-02T03:04:05Z");
const OWN_UID = "11111111-1111-1111-1111-111111111111", UID = "22222222-2222-2222-2222-222222222222";

function normalizer(): Normalizer {
  return new Normalizer("case-7", `what a script sends: ${OWN_UID}`, NOW_MS);
}

// FR-670
Deno.test("uids, versions and times become marks, and what was equal stays equal", () => {
  const made = normalizer().normalize([
    { metadata: { name: "a", uid: UID, resourceVersion: "7", creationTimestamp: "2026-01-02T03:04:00Z" } },
    { metadata: { name: "a", uid: UID, resourceVersion: "9", namespace: "case-7" } },
    { metadata: { name: "b", uid: OWN_UID, resourceVersion: "7" }, old: "2020-01-01T00:00:00Z" },
  ]);
  assert.deepEqual(JSON.parse(JSON.stringify(made)), [
    { metadata: { creationTimestamp: "$time", name: "a", resourceVersion: "$rv1", uid: "$uid1" } },
    { metadata: { name: "a", namespace: "$ns", resourceVersion: "$rv2", uid: "$uid1" } },
    { metadata: { name: "b", resourceVersion: "$rv1", uid: OWN_UID }, old: "2020-01-01T00:00:00Z" },
  ]);
});

Deno.test("the version of a list says nothing, and a generated name is one wherever it is", () => {
  const text = JSON.stringify(
    normalizer().normalize({
      kind: "List",
      metadata: { resourceVersion: "12" },
      items: [],
    }),
  );
  assert.match(text, /"resourceVersion":"\$listVersion"/);
  const made = normalizer().normalize({
    metadata: { name: "job-x7k2p", generateName: "job-" },
    spec: { of: "job-x7k2p" },
  });
  assert.match(JSON.stringify(made), /"name":"job-\$generated".*"of":"job-\$generated"/);
});

Deno.test("causes are compared in one order, and a message that only repeats them is not", () => {
  const cause = (field: string) => ({ field, message: "Required value", reason: "FieldValueRequired" });
  const status = (...fields: string[]) => ({
    kind: "Status",
    message: `a is invalid: [${fields.map((field) => `${field}: Required value`).join(", ")}]`,
    details: { causes: fields.map(cause) },
  });
  assert.deepEqual(normalizer().normalize(status("a", "b")), normalizer().normalize(status("b", "a")));
  assert.notDeepEqual(normalizer().normalize(status("a", "b")), normalizer().normalize(status("a", "c")));
});
