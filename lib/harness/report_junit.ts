import { shorten } from "./match.ts";
import { logLine } from "./report_lines.ts";
import type { RunResult, ScenarioResult } from "./result.ts";

/** Characters of a message, a log line, an attachment, and all details of one failure. */
const MESSAGE_LENGTH_MAX = 20_000, LINE_LENGTH_MAX = 2_000, ATTACHED_LENGTH_MAX = 100_000, DETAILS_LENGTH_MAX = 500_000;

/**
 * The run as JUnit XML, in the dialect of CI systems (testsuites, testsuite, testcase, failure, skipped, system-out).
 * Interrupted scenarios are errors, so that they do not pass. Failures are bounded: CI systems refuse large files.
 */
export function junitReport(result: RunResult): string {
  const suites = [...new Set(result.scenarios.map(({ suite }) => suite))].map((name) => suiteXml(name, result));
  if (result.failures.length > 0) {
    const cases = result.failures.map((failure) =>
      `    <testcase classname="run" name="outside of every scenario" time="0">\n${
        failureXml("failure", failure)
      }    </testcase>\n`
    );
    suites.push(
      `  <testsuite name="run" tests="${cases.length}" failures="${cases.length}" errors="0" skipped="0" time="0">\n${
        cases.join("")
      }  </testsuite>\n`,
    );
  }
  const total = seconds(result.endMs - result.startMs);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pintle" time="${total}">\n${
    suites.join("")
  }</testsuites>\n`;
}

function suiteXml(name: string, { scenarios, cluster, operator, seed }: RunResult): string {
  const own = scenarios.filter(({ suite }) => suite === name);
  const count = (kind: ScenarioResult["outcome"]["kind"]) => own.filter(({ outcome }) => outcome.kind === kind).length;
  const startMs = Math.min(...own.map(({ startMs }) => startMs)), endMs = Math.max(...own.map(({ endMs }) => endMs));
  const counts = `tests="${own.length}" failures="${count("failed")}" errors="${count("interrupted")}" skipped="${
    count("skipped")
  }"`;
  const properties = Object.entries({ cluster: cluster.kind, version: cluster.version, operator, seed: `${seed}` })
    .map(([key, value]) => `      <property name="${key}" value="${escape(value)}"/>\n`).join("");
  return `  <testsuite name="${escape(name)}" ${counts} time="${seconds(endMs - startMs)}" timestamp="${
    new Date(startMs).toISOString()
  }">\n    <properties>\n${properties}    </properties>\n${own.map(caseXml).join("")}  </testsuite>\n`;
}

function caseXml({ suite, name, outcome, startMs, endMs, logs, steps, attachments }: ScenarioResult): string {
  const head = `    <testcase classname="${escape(suite)}" name="${escape(name)}" time="${seconds(endMs - startMs)}"`;
  switch (outcome.kind) {
    case "passed":
      return `${head}/>\n`;
    case "skipped":
      return `${head}>\n      <skipped message="${escape(outcome.reason)}"/>\n    </testcase>\n`;
    case "interrupted":
      return `${head}>\n${failureXml("error", "it did not finish")}    </testcase>\n`;
    case "failed": {
      const details = [
        ...steps.map(({ kind, title, failure }) => `${failure ? "✗" : "✓"} ${kind} ${title}`),
        ...attachments.map(({ title, text }) => `${title}:\n${shorten(text, ATTACHED_LENGTH_MAX)}`),
        ...logs.map((entry) => shorten(logLine(entry), LINE_LENGTH_MAX)),
      ];
      const text = shorten(details.join("\n"), DETAILS_LENGTH_MAX);
      const out = details.length > 0 ? `      <system-out>${escape(text)}</system-out>\n` : "";
      return `${head}>\n${failureXml("failure", outcome.message)}${out}    </testcase>\n`;
    }
    default:
      return outcome satisfies never;
  }
}

function failureXml(tag: "failure" | "error", message: string): string {
  const [first = ""] = message.split("\n");
  return `      <${tag} message="${escape(shorten(first, LINE_LENGTH_MAX))}">${
    escape(shorten(message, MESSAGE_LENGTH_MAX))
  }</${tag}>\n`;
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1_000).toFixed(3);
}

/** Text for XML 1.0, which cannot contain most control characters and unpaired surrogates. */
function escape(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" };
  return text.toWellFormed().replaceAll(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll(/[&<>"']/g, (character) => entities[character]!);
}
