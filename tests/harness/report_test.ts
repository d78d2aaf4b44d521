import assert from "node:assert/strict";
import {
  countOutcomes,
  junitReport,
  LineReporter,
  type Paint,
  type RunResult,
  summaryLines,
} from "../../lib/harness/mod.ts";
import { scenarioLines } from "../../lib/harness/report_lines.ts";
import { findProgram, runProgram, testWith } from "../outside_program.ts";
import { failedResult, runResult, scenarioResult } from "./results.ts";

const plain: Paint = (_style, text) => text;
const colored: Paint = (style, text) => `<${style}>${text}</${style}>`;

const ALL = runResult([
  scenarioResult("a passes", { kind: "passed" }),
  failedResult("b fails"),
  scenarioResult("c is skipped", { kind: "skipped", reason: "the operator is a pod" }),
  scenarioResult("d was cut off", { kind: "interrupted" }),
], { failures: ["kind delete cluster exited with 1:\n  no daemon"] });

Deno.test("outcomes are counted, and a failure outside of every scenario is one that failed", () => {
  assert.deepEqual(countOutcomes(ALL), { passed: 1, failed: 2, skipped: 1, interrupted: 1 });
});

Deno.test("a scenario is one line; one that failed shows its steps, what was seen, the last log lines and what was attached", () => {
  assert.deepEqual(scenarioLines(ALL.scenarios[0]!, plain), ["✓ notes: a passes (1.5s)"]);
  assert.deepEqual(scenarioLines(ALL.scenarios[2]!, plain), ["- notes: c is skipped skipped: the operator is a pod"]);
  assert.deepEqual(scenarioLines(ALL.scenarios[3]!, plain), ["! notes: d was cut off did not finish"]);
  assert.deepEqual(scenarioLines(ALL.scenarios[1]!, plain), [
    "✗ notes: b fails (1.5s)",
    "    ✓ given a note",
    "    ✓ when it changes",
    "    ✗ then this follows",
    "    expected this",
    "      and that",
    "    the operator's last 4 log lines:",
    `      debug a look {"key":"a/b"}`,
    `      info written {"letters":5}`,
    "      warn it is late {}",
    `      error refused {"reason":"Forbidden"}`,
    "    log of pod notes-1:",
    "      one",
    "      two",
  ]);
  assert.equal(scenarioLines(ALL.scenarios[0]!, colored)[0], "<green>✓</green> notes: a passes<dim> (1.5s)</dim>");
});

Deno.test("what the operator logs during the cleanup of a failed scenario is not shown with the failure", () => {
  const failed = failedResult("b fails"), startMs = failed.endMs - 100;
  const later = { level: "info" as const, fields: {}, atMs: startMs + 1, order: 20 };
  const lines = scenarioLines({
    ...failed,
    steps: [...failed.steps, {
      kind: "teardown",
      title: "delete what it created",
      startMs,
      order: 11,
      endMs: failed.endMs,
    }],
    logs: [...failed.logs, ...Array.from({ length: 20 }, (_, nth) => ({ ...later, message: `cleared ${nth}` }))],
  }, plain);
  assert.ok(lines.includes("    the operator's last 4 log lines:"), lines.join("\n"));
  assert.ok(lines.includes("      warn it is late {}") && !lines.some((line) => line.includes("cleared")));
});

Deno.test("control characters of names, logs and messages do not reach a terminal", () => {
  const hostile = "\x1b[2Jgone\x07\r\u009b31m";
  const lines = scenarioLines(
    failedResult(`b ${hostile}`, {
      outcome: { kind: "failed", message: hostile },
      logs: [{ level: "info", message: hostile, fields: { a: hostile }, atMs: 0, order: 0 }],
      attachments: [{ title: hostile, text: hostile }],
    }),
    plain,
  );
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(lines.join(""), /[\x00-\x1f\x7f-\x9f]/);
  assert.match(lines[0]!, /b ␛\[2Jgone/);
});

Deno.test("the last line is the count, before it stand where it ran and what failed outside of every scenario", () => {
  assert.deepEqual(summaryLines(ALL, plain), [
    "✗ kind delete cluster exited with 1:",
    "    no daemon",
    "",
    "1m1s on embedded v1.37.2, operator in-process, seed 42",
    "1 did not finish",
    "1 passed, 2 failed, 1 skipped",
  ]);
  assert.equal(summaryLines(runResult([scenarioResult("a", { kind: "passed" })]), plain).at(-1), "1 passed, 0 failed");
  assert.equal(
    summaryLines(runResult([scenarioResult("a", { kind: "interrupted" })]), colored).at(-1),
    "<yellow>0 passed, 0 failed</yellow>",
    "what did not run is not green",
  );
});

// FR-176
Deno.test("lines come as things happen: a stage that takes long, and each scenario when it ends", () => {
  const lines: string[] = [], reporter = new LineReporter((line) => lines.push(line));
  reporter.onStage("opening a kind cluster");
  reporter.onStage(undefined);
  reporter.onScenarioEnd({} as never, ALL.scenarios[0]!);
  assert.deepEqual(lines, ["… opening a kind cluster", "✓ notes: a passes (1.5s)"]);
});

const python = await findProgram("python3");
const missing = python ? undefined : "there is no python3, whose XML parser reads it";

/** JUnit XML as a parser of others reads it. */
async function parsed(result: RunResult): Promise<
  { name: string; attributes: Record<string, string>; cases: { name: string; parts: [string, string, string][] }[] }[]
> {
  const script = `
import json, sys, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
assert root.tag == "testsuites", root.tag
print(json.dumps([{"name": suite.get("name"), "attributes": suite.attrib, "cases": [
  {"name": case.get("name"), "parts": [[part.tag, part.get("message") or "", part.text or ""] for part in case]}
  for case in suite.findall("testcase")]} for suite in root]))`;
  const { code, out, err } = await runProgram(python!, ["-c", script], { stdin: junitReport(result) });
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

testWith(
  missing,
  // FR-175
  "an XML parser reads the JUnit report: counts, durations, failures with their steps and logs",
  async () => {
    const [suite, run] = await parsed(ALL);
    const { name, tests, failures, errors, skipped, time, timestamp } = suite!.attributes;
    assert.deepEqual([name, tests, failures, errors, skipped], ["notes", "4", "1", "1", "1"]);
    assert.deepEqual([time, timestamp], ["1.500", "2026-01-01T12:00:00.000Z"]);
    assert.deepEqual(suite!.cases.map(({ name, parts }) => [name, ...parts.map(([tag, message]) => [tag, message])]), [
      ["a passes"],
      ["b fails", ["failure", "expected this"], ["system-out", ""]],
      ["c is skipped", ["skipped", "the operator is a pod"]],
      ["d was cut off", ["error", "it did not finish"]],
    ]);
    const [, [, , text], [, , out]] = [0, ...suite!.cases[1]!.parts] as [
      0,
      [string, string, string],
      [string, string, string],
    ];
    assert.equal(text, "expected this\n  and that");
    assert.match(out, /✗ then this follows\n[^]*one\ntwo\n[^]*error refused /);
    assert.deepEqual(run!.cases[0]!.parts[0]!.slice(0, 2), ["failure", "kind delete cluster exited with 1:"]);
  },
);

Deno.test("the part of a JUnit report about one failure is limited, and states that", () => {
  const text = "long ".repeat(100_000),
    entry = { level: "info" as const, message: text, fields: {}, atMs: 0, order: 0 };
  const xml = junitReport(runResult([failedResult("b", {
    outcome: { kind: "failed", message: text },
    logs: Array.from({ length: 1_000 }, () => entry),
    attachments: Array.from({ length: 10 }, () => ({ title: "log", text })),
  })]));
  assert.ok(xml.length < 550_000, `${xml.length} letters`);
  assert.match(xml, /… \(500000 characters\)/);
});

testWith(
  missing,
  // FR-175
  "an XML parser reads back hostile names, messages and logs, as far as XML can hold them",
  async () => {
    const hostile = `<b a="1" b='2'>&amp; ]]> <!-- --> é 😀`, unwritable = "\x00\x08\x1b\ud800\uffff";
    const [suite] = await parsed(runResult([
      failedResult(hostile + unwritable, {
        suite: hostile,
        outcome: { kind: "failed", message: hostile + unwritable },
        logs: [{ level: "info", message: hostile, fields: { key: unwritable }, atMs: 0, order: 0 }],
      }),
    ]));
    assert.equal(suite!.name, hostile);
    assert.equal(suite!.cases[0]!.name, `${hostile}\ufffd\ufffd\ufffd\ufffd\ufffd`);
    assert.equal(suite!.cases[0]!.parts[0]![2], `${hostile}\ufffd\ufffd\ufffd\ufffd\ufffd`);
  },
);

testWith(missing, "a run of nothing, and one that never began, are read too", async () => {
  assert.deepEqual(await parsed(runResult([])), []);
  const [run] = await parsed(runResult([], { failures: ["no cluster"] }));
  assert.deepEqual(run!.cases.map(({ name }) => name), ["outside of every scenario"]);
});
