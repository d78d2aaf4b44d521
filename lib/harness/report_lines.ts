import { formatDuration, formatJson, hangingLines, printable } from "../base/mod.ts";
import { countOutcomes, type RunResult, type ScenarioResult } from "./result.ts";
import type { PlannedScenario, RunListener } from "./runner.ts";
import type { LogEntry } from "./timeline.ts";

/** Colors text, or returns it as it is. */
export type Paint = (style: "bold" | "dim" | "green" | "yellow" | "red" | "cyan", text: string) => string;

/** Operator log lines that a failure shows; the reports have all. */
const LOG_LINES_SHOWN = 12;

/**
 * Reports a run line by line, for log files and CI systems: one line per ended scenario. A failure has its step, the
 * state seen, and the operator's last log lines.
 */
export class LineReporter implements RunListener {
  readonly #out: (line: string) => void;
  readonly #paint: Paint;

  /** `out` gets each line without its line break. */
  constructor(out: (line: string) => void, paint: Paint = (_style, text) => text) {
    this.#out = out;
    this.#paint = paint;
  }

  /** See {@linkcode RunListener.onStage}. */
  onStage(what: string | undefined): void {
    if (what) this.#out(this.#paint("dim", `… ${what}`));
  }

  /** See {@linkcode RunListener.onScenarioEnd}. */
  onScenarioEnd(_planned: PlannedScenario, result: ScenarioResult): void {
    for (const line of scenarioLines(result, this.#paint)) this.#out(line);
  }
}

/** An ended scenario: one line, and for a failure its explanation. */
export function scenarioLines(result: ScenarioResult, paint: Paint): string[] {
  const { suite, name, outcome, startMs, endMs } = result;
  const took = paint("dim", ` (${formatDuration(endMs - startMs)})`), title = printable(`${suite}: ${name}`);
  switch (outcome.kind) {
    case "passed":
      return [`${paint("green", "✓")} ${title}${took}`];
    case "skipped":
      return [`${paint("yellow", "-")} ${title}${paint("dim", printable(` skipped: ${outcome.reason}`))}`];
    case "interrupted":
      return [`${paint("yellow", "!")} ${title}${paint("dim", " did not finish")}`];
    case "failed":
      return [`${paint("red", "✗")} ${title}${took}`, ...failureLines(result, outcome.message, paint)];
    default:
      return outcome satisfies never;
  }
}

function failureLines({ steps, logs, attachments }: ScenarioResult, message: string, paint: Paint): string[] {
  const dim = (line: string) => paint("dim", printable(line));
  const lines = steps.map(({ kind, title, failure, endMs }) => {
    const mark = failure ? paint("red", "✗") : endMs === undefined ? paint("yellow", "…") : paint("green", "✓");
    return `    ${mark} ${kind} ${printable(title)}`;
  });
  lines.push(...message.split("\n").map((line) => `    ${paint("red", printable(line))}`));
  // An operator that runs again to clean up does not explain the failure.
  const endMs = steps.find(({ kind }) => kind === "teardown")?.startMs ?? Infinity;
  const lastLogs = logs.filter(({ atMs }) => atMs <= endMs).slice(-LOG_LINES_SHOWN);
  if (lastLogs.length > 0) lines.push(dim(`    the operator's last ${lastLogs.length} log lines:`));
  lines.push(...lastLogs.map((entry) => dim(`      ${logLine(entry)}`)));
  for (const { title, text } of attachments) {
    lines.push(dim(`    ${title}:`), ...text.trimEnd().split("\n").map((line) => dim(`      ${line}`)));
  }
  return lines;
}

/** A line that the operator logged. */
export function logLine({ level, message, fields }: LogEntry): string {
  return `${level} ${message} ${formatJson(fields)}`;
}

/** A run's end: failures outside of scenarios, the duration, and `N passed, N failed` as the last line. */
export function summaryLines(result: RunResult, paint: Paint): string[] {
  const { passed, failed, skipped, interrupted } = countOutcomes(result), { cluster, seed, operator } = result;
  const lines = result.failures.flatMap((failure) =>
    hangingLines(`✗ ${failure}`).map((line) => paint("red", printable(line)))
  );
  const where = `${cluster.kind}${cluster.version ? ` ${cluster.version}` : ""}, operator ${operator}, seed ${seed}`;
  lines.push("", paint("dim", `${formatDuration(result.endMs - result.startMs)} on ${where}`));
  if (interrupted > 0) {
    lines.push(paint("yellow", `${interrupted} did not finish`));
  }
  lines.push(
    paint(
      failed > 0 ? "red" : interrupted > 0 ? "yellow" : "green",
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    ),
  );
  return lines;
}
