import assert from "node:assert/strict";
import { Trace, type TracedRequest } from "../../lib/explore/trace.ts";

const jobs = { group: "batch", plural: "jobs", namespace: "home" } as const;
const request = (more: Partial<TracedRequest>): TracedRequest => ({
  actor: "operator",
  process: "operator 1",
  method: "POST",
  path: "",
  atMs: 0,
  isEffective: true,
  ...more,
});

// FR-502
Deno.test("a deletion after the fault counts, except of what the operator has made since, or by the write with the fault", () => {
  const trace = new Trace();
  trace.requests.push(
    request({ target: { ...jobs, verb: "create" }, createdName: "old", code: 201, revision: 4 }),
    request({ target: { ...jobs, verb: "create" }, createdName: "new", code: 201, revision: 5 }),
    request({ target: { ...jobs, verb: "patch", name: "applied" }, code: 201, revision: 6 }),
    ...["old", "new", "applied"].map((name, nth) =>
      request({ method: "DELETE", target: { ...jobs, verb: "delete", name }, code: 200, revision: 7 + nth })
    ),
    request({ target: { ...jobs, verb: "delete", name: "other" }, code: 200, revision: 10, actor: "scenario" }),
  );
  assert.deepEqual([...trace.deletions(5)], ["jobs home/old"]);
  assert.deepEqual([...trace.deletions(7)], ["jobs home/new", "jobs home/applied"], "what was there before");
});

// FR-502
Deno.test("the deletion of a ConfigMap does not count, as the comparison shows its content", () => {
  const trace = new Trace();
  for (const [nth, group] of ["", "maps.example.com"].entries()) {
    const target = { group, plural: "configmaps", namespace: "home", name: `map-${nth}`, verb: "delete" } as const;
    trace.requests.push(request({ method: "DELETE", target, code: 200, revision: 6 + nth }));
  }
  assert.deepEqual([...trace.deletions(5)], ["configmaps home/map-1"]);
});
