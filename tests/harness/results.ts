import { NOTHING_RECORDED, type RunResult, type ScenarioOutcome, type ScenarioResult } from "../../lib/harness/mod.ts";

const BEGIN_MS = Date.UTC(2026, 0, 1, 12);
const POSTED = { by: "operator", method: "POST", path: "/api/v1/namespaces/a/secrets" } as const;

/** A result of a scenario; nothing happened in it unless told otherwise. */
export function scenarioResult(
  name: string,
  outcome: ScenarioOutcome,
  more: Partial<ScenarioResult> = {},
): ScenarioResult {
  return {
    suite: "notes",
    name,
    outcome,
    startMs: BEGIN_MS,
    endMs: BEGIN_MS + 1_500,
    ...NOTHING_RECORDED,
    ...more,
  };
}

/** A whole run of these scenarios. */
export function runResult(scenarios: readonly ScenarioResult[], more: Partial<RunResult> = {}): RunResult {
  return {
    cluster: { kind: "embedded", version: "v1.37.2" },
    operator: "in-process",
    startMs: BEGIN_MS,
    endMs: BEGIN_MS + 61_000,
    seed: 42,
    scenarios,
    failures: [],
    ...more,
  };
}

/** A scenario that failed, with something of every kind in its record. */
export function failedResult(name: string, more: Partial<ScenarioResult> = {}): ScenarioResult {
  const startMs = BEGIN_MS;
  return scenarioResult(name, { kind: "failed", message: `expected this\n  and that`, stack: "Error: at file.ts:1" }, {
    steps: [
      { kind: "given", title: "a note", startMs, order: 0, endMs: startMs + 300 },
      { kind: "when", title: "it changes", startMs: startMs + 300, order: 2, endMs: startMs + 400 },
      {
        kind: "then",
        title: "this follows",
        startMs: startMs + 400,
        order: 8,
        endMs: startMs + 1_400,
        failure: "expected this",
      },
    ],
    writes: [
      {
        by: "scenario",
        method: "POST",
        path: "/api/v1/namespaces",
        status: 201,
        atMs: startMs + 20,
        order: 1,
        tookMs: 15,
      },
      {
        by: "operator",
        method: "PATCH",
        path: "/api/v1/namespaces/a/configmaps/a?force=true",
        status: 200,
        atMs: startMs + 350,
        order: 4,
        tookMs: 5,
      },
      { ...POSTED, status: 403, atMs: startMs + 380, order: 6, tookMs: 4 },
      { ...POSTED, status: undefined, atMs: startMs + 390, order: 7, tookMs: 8 },
    ],
    logs: [
      { level: "debug", message: "a look", fields: { key: "a/b" }, atMs: startMs + 310, order: 3 },
      { level: "info", message: "written", fields: { letters: 5 }, atMs: startMs + 360, order: 5 },
      { level: "warn", message: "it is late", fields: {}, atMs: startMs + 700, order: 9 },
      { level: "error", message: "refused", fields: { reason: "Forbidden" }, atMs: startMs + 900, order: 10 },
    ],
    events: [{ type: "Warning", reason: "Refused", note: "may not", regarding: "Note a/b", atMs: startMs + 905 }],
    attachments: [{ title: "log of pod notes-1", text: "one\ntwo\n" }],
    ...more,
  });
}
