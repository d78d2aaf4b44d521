import assert from "node:assert/strict";
import { placeFaults, simulatedName } from "../../lib/explore/placed_fault.ts";
import { parsePlan } from "../../lib/explore/mod.ts";
import { type Actor, Trace } from "../../lib/explore/trace.ts";

/** A trace of writes `[actor, verb, name, revision]`, in order. */
function traceOf(
  ...writes: readonly (readonly [actor: Actor, verb: "create" | "patch", name: string, revision: number])[]
) {
  const trace = new Trace();
  for (const [actor, verb, name, revision] of writes) {
    const target = { verb, group: "", plural: "pods", namespace: "run-home", name };
    const nthWrite = actor === "operator" ? trace.nextWrite() : undefined;
    const method = verb === "create" ? "POST" : "PATCH";
    trace.requests.push({
      actor,
      process: "p",
      method,
      path: "",
      target,
      atMs: 0,
      nthWrite,
      revision,
      isEffective: true,
    });
  }
  return trace;
}

const place = (plan: string, trace: Trace) => placeFaults(parsePlan(plan)!, trace);

// FR-533
Deno.test("a write is found by what it does, and by how often the same came before", () => {
  const trace = traceOf(
    ["operator", "patch", "a", 5],
    ["operator", "patch", "b", 6],
    ["scenario", "patch", "a", 7],
    ["operator", "patch", "a", 8],
  );
  const moment = { name: "operator: patch pods./ run-home/a", nth: 2 };
  assert.deepEqual(place("write:3:late", trace), [{ at: "write", moment, fate: { kind: "late" } }]);
  assert.deepEqual(place("write:4:late", trace), [undefined]);
  assert.deepEqual(place("revision:8:shows:7", trace), [{
    at: "revision",
    dies: moment,
    shows: { name: "scenario: patch pods./ run-home/a", nth: 1 },
    forMs: 15_000,
  }]);
  assert.deepEqual(place("revision:9:shows:7", trace), [undefined]);
});

// FR-533
Deno.test("an event is found by its watch, type and object", () => {
  const trace = new Trace(),
    event = {
      process: "operator 1",
      isInitial: false,
      watch: "/api/v1/pods",
      namespace: "run-home",
      uid: "",
      resourceVersion: "",
      atMs: 0,
    };
  trace.events.push(
    { ...event, type: "ADDED", name: "a", nth: 1 },
    { ...event, type: "MODIFIED", name: "a", nth: 2 },
    { ...event, type: "MODIFIED", name: "a", nth: 3 },
  );
  const moment = { name: "MODIFIED /api/v1/pods run-home/a", nth: 2 };
  assert.deepEqual(place("event:3:hide", trace), [{ at: "event", moment, fate: { kind: "hide" } }]);
});

// FR-533
Deno.test("names with the prefix of a real run become those of the simulation", () => {
  assert.equal(
    simulatedName("replay-x-0-home/replay-x-0-tool replay-x-01", "replay-x-0"),
    "run-home/run-tool replay-x-01",
  );
});
